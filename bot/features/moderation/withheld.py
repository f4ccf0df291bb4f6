"""The buttons under pictures that the safety check withheld: moderators see them, approve or refuse them."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from bot.errors import NotModerator
from bot.features.moderation import _withheld as withheld
from bot.interactions.feature import Ask, Feature, Verb
from bot.services import Services
from bot.texts import moderation
from storage.errors import StorageError
from storage.moderation.cases import Verdict

_AGAIN = 60.0
"""Seconds until what a restart interrupted is tried again, where the database or the disk failed."""

_log = structlog.get_logger(__name__)


async def decide(ask: Ask, *, verdict: Verdict) -> None:
    """Whoever may manage messages in the moderators' channel decides."""
    _only_moderators(ask)
    if not await ask.services.withheld.decide(ask.job, verdict, judge_id=ask.actor.id, message=ask.message):
        await ask.tell(moderation.DECIDED_BEFORE)


async def show(ask: Ask) -> None:
    """Show what was withheld, once the channel is age-restricted."""
    _only_moderators(ask)
    await ask.services.withheld.show(ask.job, ask.channel, ask.message)


def _only_moderators(ask: Ask) -> None:
    if not ask.permissions.manage_messages:
        raise NotModerator


async def resume(services: Services) -> None:
    """Go on with what a restart interrupted."""
    while True:
        try:
            await services.withheld.resume()
            return
        except (StorageError, OSError):
            _log.exception("withheld pictures could not be seen to; trying again", again_in=_AGAIN)
        await asyncio.sleep(_AGAIN)


FEATURE = Feature(
    verbs=(
        Verb(name=withheld.APPROVE, run=partial(decide, verdict=Verdict.KEPT), marks=False, of_case=True),
        Verb(name=withheld.REFUSE, run=partial(decide, verdict=Verdict.REMOVED), marks=False, of_case=True),
        Verb(name=withheld.SHOW, run=show, marks=False, of_case=True),
    ),
    background=resume,
)
