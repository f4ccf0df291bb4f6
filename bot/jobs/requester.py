"""Who asks for a job, and what they are told when it is accepted or stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.jobs.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks for a job, and from where. `interaction_id` makes sure that an event that comes twice counts once.

    `within` are the ids of what contains the channel: a thread's channel, and the category.
    """

    user_id: int
    guild_id: int
    channel_id: int
    role_ids: tuple[int, ...]
    joined_at: datetime | None
    interaction_id: int | None
    within: tuple[int, ...] = ()
    age_restricted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A job that is now in the queue: how many are ahead, seconds until its pictures are there if known,
    and credits left. `paused` says that nothing begins to be drawn at present."""

    job: Job
    ahead: int
    seconds: float | None
    left: int
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """How many jobs were stopped at once, and the credits that came back for them."""

    jobs: int
    credits: int
