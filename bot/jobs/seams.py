"""What the dispatcher and its neighbours know of each other: who asks, who shows, and how it waits."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from generation.contract import Generator, ModelState, Progressed
from storage.jobs.job import Job
from storage.jobs.scheduling import Workers

_T = TypeVar("_T")

DATABASE_PAUSE = 5.0
"""Seconds until the database is tried again after it failed, say on a full disk."""


class Wait(Protocol):
    """Awaits something that may take long. The one seam by which a simulator can tell such waits from stuck ones."""

    async def __call__(self, awaitable: Awaitable[_T], *, reason: str) -> _T: ...


async def plain_wait(awaitable: Awaitable[_T], *, reason: str) -> _T:  # noqa: ARG001 - part of the protocol
    """The `Wait` of production."""
    return await awaitable


def workers_of(generator: Generator) -> Workers:
    """What the queue needs to know of a generator now."""
    states = generator.models()
    warm = frozenset(key for key, status in states.items() if status.state is ModelState.WARM)
    return Workers(capacity=generator.capacity, warm=warm)


class ProgressView(Protocol):
    """What shows a running job's progress."""

    def begin(self) -> None:
        """An attempt starts: show from the beginning, also after an earlier one was given up."""
        ...

    def show(self, progress: Progressed) -> None:
        """Show this state when there is time. Never blocks; newer states replace older ones."""
        ...

    def end(self) -> None:
        """Stop showing; no further edit begins."""
        ...


class Announcer(Protocol):
    """What the dispatcher needs of delivery."""

    async def announce(self, job: Job, *, ahead: int, seconds: float | None) -> None:
        """Open the job's progress message, or say its new place in it. Never raises for Discord's refusals."""
        ...

    def progress(self, job: Job) -> ProgressView:
        """What shows the job while it runs."""
        ...

    async def among_adults(self, job: Job) -> bool:
        """Whether the job's channel is age-restricted; False where Discord tells nothing."""
        ...

    async def post_result(self, job: Job, *, look_first: bool) -> int | None:
        """Post the pictures and return the message's id; None where Discord takes them nowhere."""
        ...

    async def post_failure(self, job: Job) -> bool:
        """Tell the owner how a failed or cancelled job ended; False where that is to be tried again later."""
        ...

    async def retire(self, job: Job) -> bool:
        """Take the progress message away; False where that is to be tried again later."""
        ...


class Moderators(Protocol):
    """What the dispatcher needs of those who look at withheld pictures."""

    async def bring(self, job: Job) -> None:
        """Bring what was withheld of a delivered job before them, if anything was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Requester:
    """Who asks for a job, and from where. `interaction_id` makes sure that an event that comes twice counts once.

    `within` are the ids of what the channel stands in: a thread's channel, and the category.
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
