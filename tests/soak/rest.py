"""The stand-in's REST side: requests over a real socket, answered from the town's memory, unless a fault comes between."""

from __future__ import annotations

import asyncio
import io
import json
import re
import socket
import struct
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from simcord.backend import serializers
from simcord.backend.errors import BackendError
from simcord.http import routes as _routes  # noqa: F401 - its import registers the routes
from simcord.http.router import RouteNotImplemented, UnsupportedField, dispatch

from tests.soak.faults import Fault, Kind, Weather
from tests.soak.town import Town

API = "/api/v10"
MOST_BYTES = 100_000
"""The largest upload that is taken."""
MOST_REQUEST_BYTES = 50_000_000

_IDS = re.compile(r"/[0-9]{15,}|/simcord_[^/]+")
_MESSAGES = re.compile(r"/channels/([0-9]+)/messages\Z")
_TOO_LARGE = {"code": 40005, "message": "Request entity too large"}
_PAGE = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>cloudflare</body></html>"
_BUCKET_LIMIT = 50


class Rest:
    """Answers every route under `API`. `odd` holds what no real Discord would have been asked.

    `trace` is a file with a line for each request and its fault.
    """

    def __init__(self, town: Town, weather: Weather, *, trace: Path) -> None:
        self._town, self._weather, self._trace = town, weather, trace
        self.odd: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        self.under_way = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.under_way += 1
        try:
            return await self._answer(request)
        finally:
            self.under_way -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body, files = await _read(request)
        fault = self._weather.fault()
        begun = datetime.now(UTC)
        answer = await self._meet(request, body, files, fault)
        self._write(request, fault, begun, answer)
        return answer

    def _write(self, request: web.Request, fault: Fault | None, begun: datetime, answer: web.StreamResponse) -> None:
        took = (datetime.now(UTC) - begun).total_seconds()
        path = request.path.removeprefix(API)
        with self._trace.open("a") as file:
            file.write(
                f"{begun.time()} {request.method} {path} {answer.status} {took:.2f}s {fault.kind if fault else ''}\n"
            )

    async def _meet(self, request: web.Request, body: Any, files: list[Any], fault: Fault | None) -> web.StreamResponse:
        if fault is None:
            return self._apply(request, body, files)
        match fault.kind:
            case Kind.ERROR_AFTER:
                self._apply(request, body, files)
                return _error(fault)
            case Kind.RESET_AFTER:
                self._apply(request, body, files)
                return _reset(request, hard=fault.late)
            case Kind.RESET:
                return _reset(request, hard=fault.late)
            case Kind.HTML:
                self._apply(request, body, files)
                return web.Response(text=_PAGE, content_type="text/html")
            case Kind.HANG | Kind.LONG_HANG:
                return await self._hang(request, body, files, fault)
            case Kind.LIMIT | Kind.GLOBAL_LIMIT | Kind.CLOUDFLARE_LIMIT:
                return _limited(fault)
            case _:
                return _error(fault)

    async def _hang(self, request: web.Request, body: Any, files: list[Any], fault: Fault) -> web.StreamResponse:
        if fault.late:
            answer = self._apply(request, body, files)
            await asyncio.sleep(fault.seconds)
            return answer
        await asyncio.sleep(fault.seconds)
        if request.transport is None or request.transport.is_closing():
            return _json({}, status=499)  # the bot has given it up
        return self._apply(request, body, files)

    def _apply(self, request: web.Request, body: Any, files: list[Any]) -> web.Response:
        """What Discord does when nothing goes wrong."""
        path = request.path.removeprefix(API)
        self.taken[f"{request.method} {_IDS.sub('/…', path)}"] += 1
        if sum(len(file.fp.getbuffer()) for file in files) > MOST_BYTES:
            return _json(_TOO_LARGE, status=413)
        try:
            answer = self._dispatch(request, path, body, files)
        except (RouteNotImplemented, UnsupportedField) as error:
            self.odd[str(error)] += 1
            return _json(error.to_json(), status=404)
        except BackendError as error:
            return _json(error.to_json(), status=error.status)
        quiet = path.endswith("/callback") and "with_response" not in request.query
        return web.Response(status=204, headers=_headers(path)) if answer is None or quiet else _json(answer, path=path)

    def _dispatch(self, request: web.Request, path: str, body: Any, files: list[Any]) -> Any:
        posting = _MESSAGES.match(path) if request.method == "POST" else None
        nonce = body.get("nonce") if posting and isinstance(body, dict) and body.get("enforce_nonce") else None
        if posting and nonce and (before := self._town.repeated(int(posting[1]), str(nonce))):
            return dict(serializers.message_payload(self._town, before))
        answer = dispatch(
            self._town,
            request.method,
            path,
            json=body,
            params=dict(request.query),
            files=files,
            reason=request.headers.get("X-Audit-Log-Reason"),
        )
        if posting and nonce:
            self._town.posted_with(int(posting[1]), int(answer["id"]), str(nonce))
        return answer


async def _read(request: web.Request) -> tuple[Any, list[Any]]:
    """The body and the uploaded files of a request."""
    if not request.content_type.startswith("multipart/"):
        data = await request.read()
        return (json.loads(data) if data else None), []
    body: Any = None
    files = []
    async for part in await request.multipart():
        data = await part.read()  # type: ignore[union-attr]
        if part.name == "payload_json":  # type: ignore[union-attr]
            body = json.loads(data)
        else:
            files.append(SimpleNamespace(fp=io.BytesIO(data), filename=part.filename, description=None))  # type: ignore[union-attr]
    return body, files


def _json(answer: Any, *, status: int = 200, path: str = "") -> web.Response:
    # discord.py takes an answer for JSON only if its type says nothing else, such as a charset.
    headers = _headers(path) if status < 400 else {}
    return web.Response(
        body=json.dumps(answer).encode(), status=status, content_type="application/json", headers=headers
    )


def _headers(path: str) -> dict[str, str]:
    return {
        "Via": "1.1 google",
        "X-RateLimit-Limit": str(_BUCKET_LIMIT),
        "X-RateLimit-Remaining": str(_BUCKET_LIMIT - 1),
        "X-RateLimit-Reset-After": "1.000",
        "X-RateLimit-Bucket": f"{hash(_IDS.sub('', path)) & 0xFFFFFFFF:08x}",
    }


def _limited(fault: Fault) -> web.Response:
    if fault.kind is Kind.CLOUDFLARE_LIMIT:
        return web.Response(status=429, text=_PAGE, content_type="text/html")
    everywhere = fault.kind is Kind.GLOBAL_LIMIT
    headers = _headers("") | {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Scope": "global" if everywhere else "user",
        "Retry-After": "1",
    }
    if everywhere:
        headers = {"Via": "1.1 google", "X-RateLimit-Global": "true", "Retry-After": "1"}
    body = {"message": "You are being rate limited.", "retry_after": fault.seconds, "global": everywhere}
    return web.Response(body=json.dumps(body).encode(), status=429, content_type="application/json", headers=headers)


def _error(fault: Fault) -> web.Response:
    if fault.status == 500:
        return _json({"message": "500: Internal Server Error", "code": 0}, status=500)
    return web.Response(status=fault.status, text=_PAGE, content_type="text/html")


def _reset(request: web.Request, *, hard: bool) -> web.Response:
    """Close the connection without an answer: `hard` with a TCP reset, else with its plain end."""
    if request.transport is not None:
        if hard and (raw := request.transport.get_extra_info("socket")) is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response(status=500)
