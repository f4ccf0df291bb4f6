"""The log as it comes out: its two forms, whose lines are in it, and what is never in it."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bot import logs
from generation.contract import Sampling, TextToImage

TOKEN = "MTE0NTE0MTkxOTgxMDg5MzgxMA.GaBcDe.q-Zx_" + "9" * 33
"""Shaped like a bot's token, and nobody's."""

REQUEST = TextToImage(
    sampling=Sampling(model="easel", prompt="a fox", width=256, height=256, steps=4, guidance=4.0, seeds=(7,))
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_container_gets_one_json_object_per_line() -> None:
    out = io.StringIO()
    logs.configure("info", out=out)

    structlog.get_logger("bot.app").info("ready", servers=3)

    (line,) = lines(out)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"message": "ready", "servers": 3, "logger": "bot.app", "level": "info"}


def test_a_terminal_gets_readable_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = Terminal()
    logs.configure("info", out=out)

    structlog.get_logger("bot.app").info("ready", servers=3)

    assert "ready" in out.getvalue()
    assert "\x1b[" in out.getvalue()
    assert not out.getvalue().startswith("{")


def test_the_format_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    logs.configure("info", "console", out=out)
    structlog.get_logger("bot.app").info("ready", servers=3)
    assert out.getvalue().rstrip().endswith("servers=3")

    terminal = Terminal()
    logs.configure("info", "json", out=terminal)
    structlog.get_logger("bot.app").info("ready")
    assert lines(terminal)[0]["message"] == "ready"


def test_a_colourless_terminal_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    logs.configure("info", out=out)

    structlog.get_logger("bot.app").error("gone")

    assert "\x1b[" not in out.getvalue()


def test_a_job_that_was_bound_is_in_every_line_of_it() -> None:
    out = io.StringIO()
    logs.configure("info", out=out)

    with structlog.contextvars.bound_contextvars(job="k3xq"):
        structlog.get_logger("bot.jobs.dispatcher").info("claimed")
        logging.getLogger("discord.client").warning("slow %s", "shard")
    structlog.get_logger("bot.jobs.dispatcher").info("idle")

    assert [(line["message"], line.get("job")) for line in lines(out)] == [
        ("claimed", "k3xq"),
        ("slow shard", "k3xq"),
        ("idle", None),
    ]


@pytest.mark.parametrize("format", ["console", "json"])
def test_a_token_is_hidden_wherever_it_is(format: str) -> None:
    out = io.StringIO()
    logs.configure("debug", format, token="an-odd-token-of-ours", out=out)
    log = structlog.get_logger("bot.client")

    log.info(f"login with {TOKEN}", header=f"Bot {TOKEN}", nested={"deep": [TOKEN, "an-odd-token-of-ours"]})
    logging.getLogger("discord.http").debug("POST %s", {"Authorization": TOKEN})
    try:
        raise RuntimeError(f"401 for {TOKEN}")
    except RuntimeError:
        log.exception("failed")
        logging.getLogger("asyncio").exception("never retrieved")

    text = out.getvalue()
    assert TOKEN not in text
    assert "an-odd-token-of-ours" not in text
    assert text.count(logs.HIDDEN) >= 7
    assert text.count("RuntimeError") >= 2


def test_an_interaction_s_token_is_hidden_in_addresses() -> None:
    out = io.StringIO()
    logs.configure("debug", out=out)
    secret = "aW50ZXJhY3Rpb246" + "x" * 150

    logging.getLogger("discord.webhook.async_").debug("PATCH https://discord.com/api/webhooks/123/%s", secret)
    logging.getLogger("discord.http").debug("POST /interactions/123/%s/callback", secret)

    assert secret not in out.getvalue()
    assert "/webhooks/123/[hidden]" in out.getvalue()
    assert "/interactions/123/[hidden]/callback" in out.getvalue()


@pytest.mark.parametrize("level", ["info", "warning", "error"])
@pytest.mark.parametrize("configured", ["debug", "info"])
def test_prompts_stay_out_of_the_log_above_debug(level: str, configured: str) -> None:
    out = io.StringIO()
    logs.configure(configured, out=out)

    structlog.get_logger("bot.jobs.dispatcher").log(
        logging.getLevelName(level.upper()),
        "claimed",
        prompt="a secret fox",
        negative="a secret dog",
        request=REQUEST,
        raw={"prompt": "a secret cat"},
        job="k3xq",
    )

    assert "secret" not in out.getvalue()
    assert "fox" not in out.getvalue()
    (line,) = lines(out)
    assert (line["message"], line["job"]) == ("claimed", "k3xq")
    assert (line["request"], line["raw"]) == ("TextToImage", "dict")


def test_prompts_are_in_debug_lines() -> None:
    out = io.StringIO()
    logs.configure("debug", out=out)

    structlog.get_logger("bot.jobs.dispatcher").debug("claimed", prompt="a fox", request=REQUEST)

    assert lines(out)[0]["prompt"] == "a fox"
    assert "a fox" in lines(out)[0]["request"]


def test_the_level_holds_for_everybody() -> None:
    out = io.StringIO()
    logs.configure("warning", out=out)

    structlog.get_logger("bot.app").info("ready")
    logging.getLogger("discord.gateway").info("connected")
    structlog.get_logger("bot.app").warning("slow")

    assert [line["message"] for line in lines(out)] == ["slow"]


def test_chatty_libraries_are_quiet_at_debug() -> None:
    out = io.StringIO()
    logs.configure("debug", out=out)

    logging.getLogger("aiosqlite").debug("executing")
    logging.getLogger("discord.http").debug("sent")

    assert [line["message"] for line in lines(out)] == ["sent"]


def test_configuring_again_replaces_what_was() -> None:
    first, second = io.StringIO(), io.StringIO()
    log = structlog.get_logger("bot.app")
    logs.configure("info", out=first)
    log.info("one")
    logs.configure("info", out=second)
    log.info("two")

    assert [line["message"] for line in lines(first)] == ["one"]
    assert [line["message"] for line in lines(second)] == ["two"]


def test_warnings_are_log_lines() -> None:
    out = io.StringIO()
    logs.configure("info", out=out)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        # The context above puts the plain display back, so the log takes it over once more.
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)

    assert "DeprecationWarning: old" in lines(out)[0]["message"]
