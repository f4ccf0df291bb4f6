"""Decides what may be asked for: the host's and a server's word rules, tried in one place on every text of a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.errors import AdultOnly, TimedOut, WordRefused
from bot.jobs.orders import Order
from bot.jobs.policy import GuildPolicy
from bot.jobs.requester import Requester
from bot.settings.settings import Settings, StartupError
from bot.wordfilter.rules import Rule, RuleSet
from generation.catalogue import Catalogue
from generation.text_files import NotUtf8, read_lines
from storage.database import Database
from storage.guilds.word_rules import WordKind
from storage.moderation import strikes

_NO_TEXT = {"model"}
"""Fields of a request that hold names of ours."""


class Moderation:
    """Refuses what may not be asked for."""

    def __init__(
        self,
        *,
        settings: Settings,
        catalogue: Catalogue,
        database: Database,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._database = database
        self._clock = clock
        self._host = host_rules(settings)

    async def admit(self, order: Order, who: Requester, policy: GuildPolicy) -> None:
        """Try everything that an order would have drawn. Raises AdultOnly, WordRefused or TimedOut."""
        if order.adult and not who.age_restricted:
            raise AdultOnly(self._catalogue[order.request.sampling.model].name)
        try:
            # What comes from a job was allowed when its words were written, so they were blocked since.
            texts = [order.prompt, *_texts(order.request)]
            await self.check(texts, who, policy, counts=order.parent_id is None)
        except WordRefused as refusal:
            if order.request.sampling.private and order.parent_id is not None:
                # Whoever presses a button under a private prompt need not be the person who wrote it.
                raise WordRefused(order.prompt, appeal=refusal.appeal, until=refusal.until) from None
            raise

    async def check(self, texts: Iterable[str], who: Requester, policy: GuildPolicy, *, counts: bool = True) -> None:
        """Try texts that a person entered, for whatever purpose. Raises WordRefused or TimedOut.

        `counts` says whether a refusal may lead to a timeout: not where the words are somebody else's, or older.
        """
        appeal = policy.settings.appeal
        if policy.timed_out_until is not None:
            raise TimedOut(policy.timed_out_until, appeal=appeal)
        word = await asyncio.to_thread(self._find, policy.words, tuple(dict.fromkeys(texts)))
        if word is not None:
            until = await self._count(who) if counts else None
            raise WordRefused(word, appeal=appeal, until=until)

    async def _count(self, who: Requester) -> datetime | None:
        """One more refusal: when the timeout ends to which it leads, if it does."""
        after, span = self._settings.timeout_after, self._settings.timeout
        now = self._clock()
        member = {"guild_id": who.guild_id, "user_id": who.user_id}
        async with self._database.transaction() as tx:
            refused = await strikes.count(tx, **member, interaction_id=who.interaction_id, since=now - span, now=now)
            if not after or refused < after:
                return None
            await strikes.time_out(tx, **member, until=now + span)
        return now + span

    def _find(self, patterns: tuple[tuple[str, WordKind], ...], texts: Iterable[str]) -> str | None:
        """What the host or the server forbids. A server's allowed words win over its own rules only."""
        found = (rules.find(text) for text in texts for rules in (self._host, _rule_set(patterns)))
        return next((word for word in found if word is not None), None)


@lru_cache(maxsize=256)
def _rule_set(patterns: tuple[tuple[str, WordKind], ...]) -> RuleSet:
    return RuleSet(
        *(
            [Rule.parse(text) for text, kind in patterns if kind is wanted]
            for wanted in (WordKind.BLOCK, WordKind.ALLOW)
        )
    )


def host_rules(settings: Settings) -> RuleSet:
    """The rules for the whole bot. Raises StartupError for a file that can't be read or holds what is no rule."""
    return RuleSet(_listed(settings.blocked_words), _listed(settings.allowed_words))


def _listed(words: tuple[str, ...] | Path) -> list[Rule]:
    if not isinstance(words, Path):
        return [Rule.parse(word) for word in words]
    try:
        lines = read_lines(words).splitlines()
    except (OSError, NotUtf8) as error:
        raise StartupError(f"The list of words {words} can't be read: {error}.") from error
    return [_parsed(words, n, line) for n, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]


def _parsed(path: Path, number: int, line: str) -> Rule:
    try:
        return Rule.parse(line)
    except ValueError as error:
        raise StartupError(f"Line {number} of {path}: {error}") from error


def _texts(value: Any) -> Iterator[str]:
    """Every text in a request, in whatever field: one that is added later is tried, too."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            if field.name not in _NO_TEXT:
                yield from _texts(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each)
