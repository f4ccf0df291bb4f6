"""What admins read: the answers to `/admin`, and the lines in the log channel."""

from __future__ import annotations

from collections.abc import Sequence

from bot.pages import page
from bot.texts import relative
from storage.changes import EVERYWHERE, Change

UNSET = "not set"


def change(one: Change) -> str:
    """A line in the log channel."""
    return f"<@{one.actor_id}> · **{one.what}**{_scope(one)}: {one.old or UNSET} → {one.new or UNSET}"


def changes(latest: Sequence[Change]) -> str:
    """The answer to `/admin changes`."""
    if not latest:
        return "Nothing has been changed yet. `/quota show` has the changes of credits."
    return page(["**Latest changes**", *(f"- {relative(one.at)} {change(one)}" for one in latest)])


def _scope(one: Change) -> str:
    return " everywhere" if one.guild_id == EVERYWHERE else ""


def log_out_of_reach(channel_id: int) -> str:
    """Beside an answer, where the log channel did not take the line."""
    return f"-# It is recorded, but I can't post in the log channel <#{channel_id}>. Choose one with `/admin log`."


def log_is(channel_id: int | None) -> str:
    """The answer to `/admin log`."""
    if channel_id is None:
        return "Changes are no longer posted. `/admin changes` still shows them."
    return f"Changes are posted in <#{channel_id}> from now on."


def admin_role_is(role_id: int | None) -> str:
    """The answer to `/admin role`."""
    if role_id is None:
        return "Only people with Manage Server are admins of Easel now."
    return (
        f"Members with <@&{role_id}> are admins of Easel now, beside people with Manage Server.\n"
        "-# Discord shows them `/admin` only once you add the role there: Server Settings → Integrations → Easel."
    )
