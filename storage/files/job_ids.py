"""Owns what the id of a job looks like, before it gets into a path or a nonce."""

from __future__ import annotations

import random
import re

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
_NEW_ID = re.compile(rf"[{_ALPHABET}]{{14}}\Z")
_ID = re.compile(r"[a-z0-9_-]{2,16}\Z")


def new_id(source: random.Random) -> str:
    """A job id: 14 lowercase letters and digits, none easily taken for another, 68 random bits."""
    return "".join(source.choices(_ALPHABET, k=14))


def is_new_id(name: str) -> bool:
    """Whether this could be an id of `new_id`. Older ids, which `check_id` lets pass, are none."""
    return _NEW_ID.match(name) is not None


def is_id(name: str) -> bool:
    """Whether this could be an id, of `new_id` or older."""
    return _ID.match(name) is not None


def check_id(job_id: str) -> str:
    """The id itself. Raises ValueError for what can't be one, before it gets into a path or a nonce."""
    if not is_id(job_id):
        raise ValueError(f"{job_id!r} is not a job id")
    return job_id
