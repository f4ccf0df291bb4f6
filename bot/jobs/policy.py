"""What holds in a server for one member, read once for each interaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.errors import Banned, ClosedChannel, KeptForRoles, Refusal, ServerOnly, TimedOut
from bot.jobs.requester import Requester
from bot.settings.settings import Settings
from storage.credits import terms
from storage.database import Transaction
from storage.guilds import bans, pauses, permissions, word_rules
from storage.guilds import settings as guild_settings
from storage.guilds.bans import Ban
from storage.guilds.changes import EVERYWHERE
from storage.guilds.pauses import Pause
from storage.guilds.permissions import EVERYONE, Limit, Rules, Thing
from storage.guilds.settings import GuildSettings
from storage.guilds.word_rules import WordKind
from storage.moderation import strikes


@dataclass(frozen=True, slots=True, kw_only=True)
class Most:
    """The most that a person may ask for in a server, None for no limit.

    What nobody asked for by a flag is lowered to it, and the person is told.
    """

    #: Pictures of one job.
    pictures: int | None = None
    #: Pixels of the longer side.
    size: int | None = None


UNLIMITED = Most()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildPolicy:
    """A server's settings and rules, and what is held against one member."""

    #: What admins set, or the defaults.
    settings: GuildSettings
    #: Who may use what, where, and how much of it.
    rules: Rules
    #: The actions that cost nothing.
    free: frozenset[str]
    #: What stops the queue, here or everywhere.
    pauses: Sequence[Pause]
    #: The server's own word rules.
    words: tuple[tuple[str, WordKind], ...]
    #: The member's ban, here or everywhere.
    ban: Ban | None
    #: When the member's timeout ends.
    timed_out_until: datetime | None

    def only_welcome(self) -> None:
        """Raises Banned."""
        if self.ban is not None:
            raise banned(self.ban)

    def only_admitted(self) -> None:
        """Raises Banned or TimedOut."""
        self.only_welcome()
        if self.timed_out_until is not None:
            raise TimedOut(self.timed_out_until, appeal=self.settings.appeal)

    def only_allowed(self, who: Requester, doing: str, *, posts: bool) -> None:
        """Raises KeptForRoles for what is no job, and ClosedChannel if its result would be posted in a closed channel."""
        closed = self.closed((who.channel_id, *who.within)) if posts else None
        refusal = closed or self.kept((Thing.ACTION, doing), who.role_ids)
        if refusal is not None:
            raise refusal

    def closed(self, places: Collection[int]) -> Refusal | None:
        """Why nothing is drawn there. `places` are a channel and what contains it."""
        open_ones = self.rules.channels
        if open_ones is None or not open_ones.isdisjoint(places):
            return None
        return ClosedChannel(tuple(sorted(open_ones)))

    def kept(self, thing: tuple[Thing, str], role_ids: Collection[int]) -> Refusal | None:
        """Why somebody with these roles may not use an action or a model."""
        roles = self.rules.roles.get(thing)
        if roles is None or not roles.isdisjoint(role_ids):
            return None
        return KeptForRoles(thing[1], tuple(sorted(roles)))

    def amount(self, limit: Limit, role_ids: Collection[int]) -> int | None:
        """A person's limit: the most generous of their roles' amounts, then everyone's; None for no limit."""
        amounts = self.rules.limits.get(limit, {})
        own = [amounts[role] for role in role_ids if role in amounts]
        if own:
            return min(own) if limit is Limit.COOLDOWN else max(own)
        return amounts.get(EVERYONE)

    def most(self, role_ids: Collection[int]) -> Most:
        """The most that somebody with these roles may ask for."""
        pictures, size = self.amount(Limit.PICTURES, role_ids), self.amount(Limit.SIZE, role_ids)
        return Most(pictures=pictures, size=size)


async def load(tx: Transaction, *, guild_id: int, user_id: int, settings: Settings, now: datetime) -> GuildPolicy:
    """What holds for that member of that server."""
    member = {"guild_id": guild_id, "user_id": user_id}
    return GuildPolicy(
        settings=await guild_settings.settings(tx, guild_id),
        rules=await permissions.rules(tx, guild_id),
        free=settings.host_credits.free((await terms.terms(tx, guild_id)).free),
        pauses=await pauses.pauses(tx, guild_id),
        words=tuple((rule.pattern, rule.kind) for rule in await word_rules.word_rules(tx, guild_id)),
        ban=await bans.of_person(tx, **member),
        timed_out_until=await strikes.timed_out_until(tx, **member, now=now, longest=settings.timeout),
    )


async def only_admitted_in_letters(tx: Transaction, *, user_id: int, settings: Settings, now: datetime) -> None:
    """Raises Banned or TimedOut in direct messages: a ban or timeout in any server counts, or this would be a way round.

    Raises ServerOnly for somebody who is banned in one server and may go on in the others.
    """
    if (ban := await bans.anywhere(tx, user_id)) is not None:
        raise banned(ban) if ban.guild_id == EVERYWHERE else ServerOnly
    until = await strikes.timed_out_until(tx, guild_id=None, user_id=user_id, now=now, longest=settings.timeout)
    if until is not None:
        raise TimedOut(until, appeal=None)


def banned(ban: Ban) -> Banned:
    """The refusal that a ban leads to."""
    return Banned(reason=ban.reason, everywhere=ban.guild_id == EVERYWHERE)
