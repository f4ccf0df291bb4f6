"""What people read about moderation: word rules for admins, reports for moderators."""

from __future__ import annotations

from collections.abc import Sequence

from bot.pages import page
from bot.texts import APPEAL
from storage.words import WordKind, WordRule

_ABREAST = 8
"""Word rules in a line."""


def word_rules(rules: Sequence[WordRule]) -> str:
    """A server's word rules, for its admins."""
    lines = []
    for kind, title in (
        (WordKind.BLOCK, "Blocked"),
        (WordKind.ALLOW, "Allowed, though a blocked word is in it"),
    ):
        patterns = [f"`{rule.pattern}`" for rule in rules if rule.kind is kind]
        lines.append(f"**{title}**: {'none' if not patterns else ''}")
        lines += [", ".join(patterns[n : n + _ABREAST]) for n in range(0, len(patterns), _ABREAST)]
    return page(lines)


def word_rule_set(rule: WordRule) -> str:
    """The answer to `/admin words block` and `allow`."""
    if rule.kind is WordKind.BLOCK:
        return f"Texts with `{rule.pattern}` are refused from now on."
    return f"`{rule.pattern}` passes from now on, though a blocked word is in it."


def word_rule_removed(pattern: str) -> str:
    """The answer to `/admin words remove`."""
    return f"The rule `{pattern}` is gone."


def appeal_is(text: str | None) -> str:
    """The answer to `/admin appeal`."""
    return f"After a refusal, people read: {text or APPEAL}"


def pardoned(user_id: int) -> str:
    """The answer to `/admin pardon`."""
    return f"<@{user_id}> can use Easel again, and earlier refusals are forgotten."
