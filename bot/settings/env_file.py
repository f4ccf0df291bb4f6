"""Reads the host's `.env` file."""

from __future__ import annotations

import io
from pathlib import Path

from dotenv.parser import parse_stream

from generation.text_files import NotUtf8, read_lines


def read_env_file(path: Path) -> dict[str, str]:
    """The names and values in a `.env` file; none if there is no file.

    Raises ValueError, which names a wrong line by its number and never quotes it.
    """
    try:
        text = read_lines(path)
    except FileNotFoundError:
        return {}
    except NotUtf8 as error:
        raise ValueError(f"{path} can't be read: {error}.") from None
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror}).") from error
    values: dict[str, str] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.key is not None and binding.value is not None:
            values[binding.key] = binding.value
        elif binding.error or binding.key is not None:
            line = binding.original.line + _blank_lines_before(binding.original.string)
            raise ValueError(f"Line {line} of {path} is not of the form NAME=value.")
    return values


def _blank_lines_before(text: str) -> int:
    """The parser counts blank lines above a statement as its own."""
    return text[: len(text) - len(text.lstrip())].count("\n")
