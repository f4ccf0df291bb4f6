"""Makes every request to Discord: none is ever cancelled, each has a time limit, passing failures are asked again.

discord.py holds locks while a request waits. One that is cancelled while it sleeps a global rate limit out leaves
the lock of all requests closed for ever (discord.py 2.7.1, `HTTPClient.request`). So each request is a task of its
own, and who is cancelled meanwhile only stops to wait for it.
"""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import structlog
from discord.webhook.async_ import AsyncWebhookAdapter, async_context

from bot.connection.retry import OddAnswer, Unreachable, insist, is_asked_once, pauses, token_refused, verdict
from bot.connection.waiting import Wait, plain_wait

LIMIT, ACKNOWLEDGEMENT_LIMIT = 15.0, 2.0
"""Seconds for one try, waiting for rate limits not counted. Acknowledgements have three seconds in all."""
SLOWEST = 100_000
"""Bytes of files that are sent in a second at least: a line of 1 Mbit/s."""
_PAUSES = (0.5, 1.5, 4.0)
"""Seconds before another try."""
_QUICK_PAUSES = (0.2, 0.4, 0.8, 1.6)
"""The same for acknowledgements, which Discord takes for three seconds."""
_LONG_PAUSES = (*_PAUSES, 10.0, 30.0, 60.0)
"""The same for answers: a person waits for them, and Discord takes them for a quarter of an hour."""
_ACKNOWLEDGED = 40060
_DEFERS = {
    discord.InteractionResponseType.deferred_channel_message.value,
    discord.InteractionResponseType.deferred_message_update.value,
}
"""Answers to interactions that carry no words."""
STUCK = 60.0
"""After so many seconds with requests under way and none that ends, something holds them up."""

_log = structlog.get_logger(__name__)


class Traffic:
    """The requests of one kind that are under way."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is a monotonic clock."""
        self._seconds = seconds
        self._under_way: dict[asyncio.Task[Any], float] = {}
        self._ended = float("-inf")

    async def carry(self, request: Coroutine[Any, Any, Any], *, more: float = 0.0) -> Any:
        """What the request answers. It goes on where this is cancelled, and its answer is ignored then.

        It may take `more` seconds than others before it counts as stuck.
        """
        task = asyncio.create_task(request, name="request to Discord")
        self._under_way[task] = self._seconds() + more
        task.add_done_callback(self._end)
        return await asyncio.shield(task)

    @property
    def tasks(self) -> set[asyncio.Task[Any]]:
        """The requests under way."""
        return set(self._under_way)

    def stuck(self) -> float:
        """Seconds for which requests have been under way and none has ended; 0 where none is."""
        if not self._under_way:
            return 0.0
        return self._seconds() - max(self._ended, min(self._under_way.values()))

    def _end(self, task: asyncio.Task[Any]) -> None:
        del self._under_way[task]
        self._ended = self._seconds()
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio doesn't complain about one that nobody waited for


class Transport:
    """Stands between discord.py's methods and its sockets. `on_token_refused` is called once, at a 401."""

    def __init__(
        self,
        *,
        on_token_refused: Callable[[], None],
        wait: Wait = plain_wait,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wait = wait
        self._on_token_refused = on_token_refused
        self._messages, self._answers = Traffic(seconds), Traffic(seconds)
        self._client: discord.Client | None = None
        self._between_tries: set[asyncio.Task[Any]] = set()
        self._refused = False
        self.on_outcome: Callable[[str], None] = lambda _: None
        """Is called after each try with what came of it: a status, or a word for a failure without one."""
        self.starting = True
        """While the bot starts, requests are asked again for as long as it takes."""

    def install(self, client: discord.Client) -> None:
        """Take over the client's requests, and those that answer interactions in this task and its children."""
        self._client = client
        client.http.request = self._guarded(client.http.request)  # type: ignore[method-assign]
        adapter = async_context.get()
        if type(adapter) is AsyncWebhookAdapter:  # the one that all clients of a process share
            adapter = AsyncWebhookAdapter()  # type: ignore[no-untyped-call]
            async_context.set(adapter)
        adapter.request = self._guarded_answers(adapter.request)  # type: ignore[method-assign]

    def stuck(self) -> float:
        """Seconds for which something should have gone out to Discord, and nothing has."""
        return max(self._messages.stuck(), self._answers.stuck())

    def look(self) -> None:
        """Free requests that hold each other up. To be called every few seconds."""
        if (seconds := self._messages.stuck()) >= STUCK:
            _log.error("no request to Discord has ended lately; their lock is opened", seconds=round(seconds))
            self._open_lock()

    async def settle(self, *, patience: float) -> None:
        """Ask nothing again, and wait until no request is under way, `patience` seconds at most."""
        for task in self._between_tries:
            task.cancel()
        if under_way := self._messages.tasks | self._answers.tasks:
            await asyncio.wait(under_way, timeout=patience)

    def _open_lock(self) -> None:
        lock = getattr(getattr(self._client, "http", None), "_global_over", None)
        if isinstance(lock, asyncio.Event):
            lock.set()

    def _guarded(self, send: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
        async def request(
            route: Any, *, files: Sequence[discord.File] | None = None, form: Any = None, **options: Any
        ) -> Any:
            form = None if form is None else list(form)
            if route.method == "POST" and route.path.endswith("/messages"):
                _mark(options, form)

            more = _upload_seconds(files)
            limit = aiohttp.ClientTimeout(total=LIMIT + more)

            async def once() -> Any:
                _rewind(files)
                return await self._counted(send(route, files=files, form=form, timeout=limit, **options))

            return await self._messages.carry(self._insisted(once), more=more)

        return request

    async def _counted(self, sent: Coroutine[Any, Any, Any]) -> Any:
        try:
            answer = _sound(await sent)
        except Unreachable as error:
            status = getattr(error, "status", None)
            self.on_outcome(type(error).__name__ if status is None else str(status))
            raise
        self.on_outcome("200")
        return answer

    async def _insisted(self, once: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        try:
            return await insist(once, between=self._pauses(), sleep=self._sleep)
        except discord.HTTPException as error:
            if token_refused(error) and not self.starting and not self._refused:
                self._refused = True
                self._on_token_refused()
            raise

    def _guarded_answers(self, send: Callable[..., Coroutine[Any, Any, Any]]) -> Any:
        async def request(
            route: Any, session: Any, *, files: Sequence[discord.File] | None = None, **options: Any
        ) -> Any:
            acknowledges = route.path.endswith("/callback")
            more = _upload_seconds(files)
            limit = ACKNOWLEDGEMENT_LIMIT if acknowledges else LIMIT + more
            timed = _Timed(session, limit, raises=acknowledges)

            async def once() -> Any:
                _rewind(files)
                return await self._counted(send(route, timed, files=files, **options))

            if acknowledges:
                defers = (options.get("payload") or {}).get("type") in _DEFERS
                return await self._answers.carry(self._acknowledge(route, once, defers=defers))
            insisted = insist(once, between=_LONG_PAUSES, sleep=self._sleep)
            return await self._answers.carry(insisted, more=more)

        return request

    async def _acknowledge(self, route: Any, once: Callable[[], Coroutine[Any, Any, Any]], *, defers: bool) -> Any:
        """Answer an interaction in time.

        "Already acknowledged" is what a lost answer looks like on the next try, which discord.py may have made by itself.
        One that only `defers` has done its work then; words that came with one may be lost, so that is raised.
        """
        for pause in (*_QUICK_PAUSES, None):
            try:
                return await once()
            except Unreachable as error:
                if defers and getattr(error, "code", 0) == _ACKNOWLEDGED:
                    return {"interaction": {"id": route.webhook_id}}
                if pause is None or verdict(error) != "again":
                    raise
            await self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _pauses(self) -> Iterable[float]:
        if is_asked_once():
            return ()
        return pauses() if self.starting else _PAUSES

    async def _sleep(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._between_tries.add(task)
        try:
            await self._wait(asyncio.sleep(seconds), reason="Discord stumbled")
        finally:
            self._between_tries.discard(task)


class _Timed:
    """A session whose requests have a time limit: discord.py takes none for answers to interactions.

    With `raises`, a failure of Discord's is raised at once: discord.py would ask again at a pace of its own, which is too
    slow for an acknowledgement.
    """

    def __init__(self, session: Any, seconds: float, *, raises: bool) -> None:
        self._session, self._limit, self._raises = session, aiohttp.ClientTimeout(total=seconds), raises

    @asynccontextmanager
    async def request(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        async with self._session.request(*arguments, timeout=self._limit, **options) as response:
            if self._raises and response.status >= 500:
                raise discord.DiscordServerError(response, await response.text())
            yield response


def _upload_seconds(files: Sequence[discord.File] | None) -> float:
    """How long files may take on their way."""
    return sum(_size(file) for file in files or ()) / SLOWEST


def _size(file: discord.File) -> int:
    place = file.fp.tell()
    size = file.fp.seek(0, io.SEEK_END)
    file.fp.seek(place)
    return size


def _sound(answer: Any) -> Any:
    """The answer. Raises OddAnswer for a page of HTML, which discord.py returns as text.

    It returns JSON as text, too, where its type is named in other words than Discord's own.
    """
    if not isinstance(answer, str) or not answer:
        return answer
    try:
        return json.loads(answer)
    except ValueError:
        raise OddAnswer(f"Discord answered with text instead of JSON: {answer[:80]!r}") from None


def _rewind(files: Sequence[discord.File] | None) -> None:
    for file in files or ():
        file.reset(seek=True)


def _mark(options: dict[str, Any], form: list[dict[str, Any]] | None) -> None:
    """Give a message a nonce where it has none, so that Discord takes it once although it is sent twice."""
    part = next((one for one in form or () if one["name"] == "payload_json"), None)
    payload = options.get("json") if part is None else json.loads(part["value"])
    if not isinstance(payload, dict) or "nonce" in payload:
        return
    payload = payload | {"nonce": secrets.token_hex(8), "enforce_nonce": True}
    if part is None:
        options["json"] = payload
    else:
        part["value"] = json.dumps(payload)
