"""Logging: readable in a terminal, JSON elsewhere, and never a token, nor a prompt above debug level.

Every line, discord.py's included, goes through one handler. Bind a job's id with
`structlog.contextvars.bound_contextvars(job=…)` and each line inside carries it.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog

from bot.settings.readers import TOKEN_SHAPE

HIDDEN = "[hidden]"

_PRIVATE = frozenset({"prompt", "negative"})
_INTERACTION_TOKEN = re.compile(r"((?:webhooks|interactions)/[0-9]+/)[\w.-]{20,}", re.ASCII)
_CHATTY = ("aiosqlite", "asyncio", "PIL", "websockets")
"""Libraries whose debug lines say nothing about Easel."""


def configure(level: str, format: str = "auto", *, token: str | None = None, out: TextIO | None = None) -> None:
    """Send all logging to `out`, which is stderr unless given. May be called again; the last call holds.

    `level` is debug, info, warning or error; `format` is auto, console or json. `token` is hidden wherever it
    appears, as is anything shaped like one.
    """
    out = out or sys.stderr
    terminal = out.isatty()
    before = _before_rendering()
    renderers = _console(colors=terminal) if _is_console(format, terminal) else _json()
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *renderers,
                _Redact(token),
            ],
        )
    )
    _attach(handler, level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _is_console(format: str, terminal: bool) -> bool:
    return format == "console" or (format == "auto" and terminal)


def _attach(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(root.level, logging.INFO))
    logging.captureWarnings(True)


def _before_rendering() -> list[structlog.typing.Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _drop_prompts,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _console(*, colors: bool) -> list[structlog.typing.Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=colors and not os.environ.get("NO_COLOR"),
            # Plain, because the pretty one prints local variables, and those hold prompts and tokens.
            exception_formatter=structlog.dev.plain_traceback,
        )
    ]


def _json() -> list[structlog.typing.Processor]:
    return [structlog.processors.EventRenamer("message"), structlog.processors.JSONRenderer()]


def _drop_prompts(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out what a person wrote, also where a whole request is logged, unless the line is a debug line."""
    if event.get("level") == "debug":
        return event
    for key in _PRIVATE & event.keys():
        del event[key]
    for key, value in event.items():
        if _holds_prompt(value):
            event[key] = type(value).__name__
    return event


def _holds_prompt(value: object) -> bool:
    if isinstance(value, Mapping):
        return not _PRIVATE.isdisjoint(value)
    return not isinstance(value, type) and (hasattr(value, "prompt") or hasattr(value, "sampling"))


class _Redact:
    """The last processor: hides secrets in the finished line, so that no key and no traceback escapes it."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, _: Any, __: str, line: Any) -> str:
        text = str(line)
        if self._token:
            text = text.replace(self._token, HIDDEN)
        text = TOKEN_SHAPE.sub(HIDDEN, text)
        return _INTERACTION_TOKEN.sub(rf"\1{HIDDEN}", text)


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """No warnings from this logger meanwhile."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
