"""The words that a guild blocks and allows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from storage.database import Transaction

MAX_RULES = 500
"""Word rules that a guild may have."""


class WordKind(StrEnum):
    """What a word rule does."""

    BLOCK = "block"
    """Refuses texts with the word."""
    ALLOW = "allow"
    """Lets the word pass, though a blocked one is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordRule:
    """A rule as `bot.wordfilter.rules.Rule` writes it."""

    pattern: str
    kind: WordKind


class TooManyRules(Exception):
    """The guild has as many word rules as it may have."""


async def word_rules(tx: Transaction, guild_id: int) -> list[WordRule]:
    """A guild's word rules: those that block, then those that allow, each in alphabetical order."""
    rows = await tx.fetch_all("SELECT * FROM word_rules WHERE guild_id = ? ORDER BY kind DESC, pattern", (guild_id,))
    return [WordRule(pattern=row["pattern"], kind=WordKind(row["kind"])) for row in rows]


async def set_word_rule(tx: Transaction, guild_id: int, rule: WordRule) -> WordKind | None:
    """Add a rule, or change it, and return what it did before. Raises TooManyRules."""
    before = {one.pattern: one.kind for one in await word_rules(tx, guild_id)}
    if rule.pattern not in before and len(before) >= MAX_RULES:
        raise TooManyRules
    await tx.execute(
        "INSERT OR REPLACE INTO word_rules (guild_id, pattern, kind) VALUES (?, ?, ?)",
        (guild_id, rule.pattern, rule.kind.value),
    )
    return before.get(rule.pattern)


async def remove_word_rule(tx: Transaction, guild_id: int, pattern: str) -> WordKind | None:
    """Remove a rule, and return what it did; None if there was none."""
    row = await tx.fetch_one(
        "DELETE FROM word_rules WHERE guild_id = ? AND pattern = ? RETURNING kind", (guild_id, pattern)
    )
    return None if row is None else WordKind(row["kind"])
