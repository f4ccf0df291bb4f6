"""What a job is: its states and its fields."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any

from generation.contract import Request, from_json
from storage.database import Row
from storage.timestamps import from_sql


class JobState(StrEnum):
    """A job's state: queued → running → finished → delivered, or failed, or cancelled."""

    QUEUED = "queued"
    """Accepted and paid for; waits for its turn."""
    RUNNING = "running"
    """Claimed: a generator has it, or had it when the bot stopped."""
    FINISHED = "finished"
    """Its pictures are on disk and not yet in the channel."""
    DELIVERED = "delivered"
    """Done: the result was posted, or there was nowhere left to post it."""
    FAILED = "failed"
    """It ended without pictures; `failure` says why."""
    CANCELLED = "cancelled"
    """Somebody stopped it; `cancelled_by` says who."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """What the caller knows of a job; the fields are explained at `Job`."""

    id: str
    interaction_id: int | None = None
    guild_id: int
    channel_id: int
    user_id: int
    action: str
    prompt: str
    request: Request
    model: str
    images: int
    price: int
    adult: bool = False
    cost: float = 1.0
    weight: float = 1.0
    parent_id: str | None = None
    parent_index: int | None = None
    progress_message_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it is stored.

    `prompt` is as the person typed it, `decoded` is what is drawn; `images` counts the pictures
    asked for, `price` is in credits. `adult` says that its model, or what it was drawn from, was for adults when it
    was asked for. `cost` is the seconds of drawing that it is expected to take; of these its owner is charged a
    `weight`-th part when turns are dealt out. `load` is the seconds that loading its model was expected to take
    when it was claimed, 0 for a loaded one. `parent_index` is the picture (1-based) of the parent that it grew
    from. `nonce` is what its result is posted with. `failure` holds a `FailureReason`; `notified` says that the
    owner of a failed or cancelled job has been told. `progress_open` says that a progress message may still be
    there which is to go, or to say how the job ended. `unposted` says that the result could be posted nowhere, and
    that its owner has not been told. `seconds` is the drawing time of the whole job; `finished_at` is when it
    finished, failed or was cancelled.
    """

    id: str
    interaction_id: int | None
    guild_id: int
    channel_id: int
    user_id: int
    action: str
    prompt: str
    decoded: Request | None
    model: str
    images: int
    price: int
    adult: bool
    cost: float
    weight: float
    state: JobState
    attempt: int
    tries: int
    turn: float
    load: float
    parent_id: str | None
    parent_index: int | None
    progress_message_id: int | None
    result_message_id: int | None
    nonce: str
    failure: str | None
    notified: bool
    progress_open: bool
    unposted: bool
    cancelled_by: int | None
    seconds: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    delivered_at: datetime | None

    @property
    def request(self) -> Request:
        """What is drawn, without its source picture. Raises ValueError if what was stored can't be read."""
        if self.decoded is None:
            raise ValueError("not a stored request")
        return self.decoded

    @property
    def picture(self) -> tuple[str, int] | None:
        """The picture that it was drawn over: a job's id, and a number from 1."""
        if self.parent_id is None or self.parent_index is None:
            return None
        return self.parent_id, self.parent_index


_COLUMNS = tuple(field.name for field in fields(Job) if field.name != "decoded")
_MOMENTS = tuple(name for name in _COLUMNS if name.endswith("_at"))


def as_job(row: Row) -> Job:
    """The job of a row that has all columns of the table."""
    values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
    for name in _MOMENTS:
        values[name] = None if values[name] is None else from_sql(values[name])
    values["state"] = JobState(values["state"])
    values["decoded"] = _decoded(row["request"])
    for name in ("notified", "adult", "progress_open", "unposted"):
        values[name] = bool(values[name])
    return Job(**values)


def _decoded(text: str) -> Request | None:
    try:
        return from_json(text)
    except ValueError:
        return None
