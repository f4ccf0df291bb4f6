"""What the bot's process and the worker process say to each other, and how it is laid on a pipe.

A message is a pickled dataclass behind its length: eight bytes, big-endian. Both ends are the same installation
and the pipe is private to them, so pickle's trust is in place here; nothing from a person is ever unpickled.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from generation.catalogue import ModelSpec
from generation.contract import Event, ModelStatus, Request
from generation.safety_settings import SafetyCheck

_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """First to the worker: what it may draw with. `preload` is the key of a model to load before any request.

    With `safety`, it sends no picture that was not checked.
    """

    models: tuple[ModelSpec, ...]
    device: str
    allow_downloads: bool
    preload: str | None
    safety: SafetyCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """To the worker: carry out a request."""

    ticket: str
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Favour:
    """To the worker: of the requests that it holds, advance this one until it ends or another is named. The others pause
    after a denoising step. Without a word they are carried out in the order in which they came.
    """

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """To the worker: end a request within a denoising step."""

    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes in use: by the worker process in RAM, and on the device (0 of 0 without one)."""

    process: int
    device: int
    device_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """From the worker: imports are done. `device` is torch's word, `device_name` the maker's.

    `safety` is the state of the classifier that checks results, which was tried; None where none is wanted.
    """

    pid: int
    device: str
    device_name: str
    versions: Mapping[str, str]
    memory: Memory
    safety: ModelStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """From the worker, whenever a model was loaded, unloaded or found unusable: the state of all, and of the check."""

    states: Mapping[str, ModelStatus]
    memory: Memory
    safety: ModelStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """From the worker, at most once a second while it computes: the computation moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """From the worker: an event of a request."""

    ticket: str
    event: Event


ToWorker = Setup | Draw | Favour | Stop
FromWorker = Ready | Models | Alive | Said


def write(stream: BinaryIO, message: ToWorker | FromWorker) -> None:
    """Write one message and flush. Raises OSError (or ValueError, once closed) where nobody reads any more."""
    put(stream, pack(message))


def pack(message: ToWorker | FromWorker) -> bytes:
    """The message as it is written. Raises what pickle raises for one that it can't take: errors of many kinds."""
    return pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)


def put(stream: BinaryIO, packed: bytes) -> None:
    """Write a packed message and flush. Raises as `write` does."""
    stream.write(len(packed).to_bytes(_LENGTH_BYTES, "big"))
    stream.write(packed)
    stream.flush()


def read(stream: BinaryIO) -> ToWorker | FromWorker:
    """Read one message, waiting for it. Raises EOFError if the other end is gone, even half-way."""
    length = int.from_bytes(_exactly(stream, _LENGTH_BYTES), "big")
    message: ToWorker | FromWorker = pickle.loads(_exactly(stream, length))
    return message


def _exactly(stream: BinaryIO, count: int) -> bytes:
    data = stream.read(count)
    if len(data) < count:
        raise EOFError("the pipe ended")
    return data
