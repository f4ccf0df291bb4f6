"""A message with one picture, before it is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import discord


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A message with one picture: `marker` is the part of its file's name that tells it from all others.

    With `anew`, a message that is on record is another one: the same picture was asked for more than once.
    `since` is a message that is certainly older, if one is known: a look for this post ends there. `limit` is what Discord
    said that the channel takes, in bytes, if it did.
    """

    content: str
    job_id: str
    picture: bytes
    stem: str
    marker: str
    alt: str
    view: Callable[[], discord.ui.View]
    nonce: str | None
    mention: int | None
    reply_to: int | None
    since: int | None
    limit: int | None = None
    anew: bool = False

    def filename(self, content_type: str) -> str:
        return f"{self.stem}_{self.marker}.{'jpg' if content_type == 'image/jpeg' else 'png'}"
