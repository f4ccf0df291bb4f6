"""The log holds neither prompts nor people."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from bot import logs
from tests.bot.features.privacy.people import SECRET, a_full_life, delete
from tests.world import World, world


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    logs.configure("info", out=out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


async def test_a_whole_life_leaves_no_prompt_and_no_person_in_the_log(log: io.StringIO, tmp_path: Path) -> None:
    async with world(tmp_path) as easel:
        await a_full_life(easel)
        easel.env.inject_error("POST", "/channels/*/messages", status=403, times=2)
        await easel.imagine(easel.ben, SECRET)
        easel.generator.paused = True
        await easel.imagine(easel.ben, SECRET)
        await easel.told(easel.ben, "cancel")
        await easel.imagine(easel.ben, f"{SECRET} --steps 9999")
        await delete(easel, easel.ben)
    text = log.getvalue()
    assert "job accepted" in text
    assert "a person was erased" in text
    for private in (SECRET, SECRET.replace(" ", "_"), str(easel.ben.id)):
        assert private not in text
    assert not re.search(r"\bben\b", text)  # jobs' random ids may hold these letters


async def test_what_admins_do_leaves_no_person_in_the_log(log: io.StringIO, easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, reason=SECRET)
    await easel.told(easel.admin, "admin member ban", who=easel.ben, reason=SECRET)
    await easel.told(easel.admin, "admin member pardon", who=easel.ben)
    text = log.getvalue()
    assert text.count("an admin changed something") == 3
    for private in (SECRET, str(easel.ben.id), str(easel.admin.id)):
        assert private not in text


async def test_a_failure_that_nobody_foresaw_is_logged_without_the_prompt(
    log: io.StringIO, easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(easel.generator, "submit", broken)
    await easel.imagine(easel.ben, SECRET)
    easel.forgive()
    assert "a bug" in log.getvalue()
    assert SECRET not in log.getvalue()
