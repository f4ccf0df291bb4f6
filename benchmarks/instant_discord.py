"""A Discord that answers at once, beneath discord.py's own machinery.

Only the two functions that would send HTTP requests are replaced, and gateway events are handed to the parsers that
the gateway would hand them to. What is left out is the network, the HTTP client and the rate limits: what is measured
through it is the bot and discord.py. It keeps no messages; it remembers when things happened.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import discord
from discord.http import Route
from discord.webhook.async_ import AsyncWebhookAdapter, async_context

APPLICATION, GUILD, CHANNEL, FIRST_USER = 1001, 2001, 3001, 100_000
TOKEN = "instant"

_BOT = {"id": str(APPLICATION), "username": "Easel", "discriminator": "0", "avatar": None, "bot": True}
_EVERYTHING = str(discord.Permissions.all().value)
_STRING, _INTEGER = 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A slash command that was sent. The futures hold the moments of the bot's first answer and of its words."""

    at: float
    acknowledged: asyncio.Future[float]
    answered: asyncio.Future[float]


@dataclass(slots=True, kw_only=True)
class Log:
    """What reached Discord: the moment of each, in order."""

    results: asyncio.Queue[float] = field(default_factory=asyncio.Queue)
    """Messages with files, which are the results."""
    retired: asyncio.Queue[float] = field(default_factory=asyncio.Queue)
    """Deleted messages: the last that happens in a job's life."""
    words: list[str] = field(default_factory=list)
    """What commands were told."""


class InstantDiscord:
    """Discord for one client: a server with one channel and as many members as are asked for."""

    def __init__(self, client: discord.Client) -> None:
        self.client = client
        self.log = Log()
        self._asked: dict[str, Asked] = {}
        self._commands: list[dict[str, Any]] = []
        self._ids = itertools.count(1 << 60)
        client.http.request = self._request  # type: ignore[method-assign]
        async_context.set(_Adapter(self))

    async def connect(self) -> None:
        """Log in as a token would, which runs `setup_hook`, and tell of the server as the gateway would."""
        await self.client.login(TOKEN)
        self._tell(
            "READY",
            {
                "user": _BOT,
                "guilds": [{"id": str(GUILD), "unavailable": True}],
                "application": {"id": str(APPLICATION), "flags": 0},
            },
        )
        self._tell("GUILD_CREATE", _guild())

    def slash(self, command: str, *, user: int = 0, **options: str | int) -> Asked:
        """Hand a slash command to the client, from the server's nth member."""
        loop, token = asyncio.get_running_loop(), f"token-{next(self._ids)}"
        asked = Asked(at=time.perf_counter(), acknowledged=loop.create_future(), answered=loop.create_future())
        self._asked[token] = asked
        self._tell("INTERACTION_CREATE", self._interaction(command, token, user, options))
        return asked

    def _tell(self, event: str, payload: dict[str, Any]) -> None:
        self.client._connection.parsers[event](payload)

    def _interaction(self, command: str, token: str, user: int, options: dict[str, str | int]) -> dict[str, Any]:
        given = [
            {"name": name, "type": _INTEGER if isinstance(value, int) else _STRING, "value": value}
            for name, value in options.items()
        ]
        return {
            "id": str(next(self._ids)),
            "application_id": str(APPLICATION),
            "type": 2,
            "token": token,
            "version": 1,
            "guild_id": str(GUILD),
            "channel": _channel(),
            "member": _member(_user(FIRST_USER + user)) | {"permissions": _EVERYTHING},
            "app_permissions": _EVERYTHING,
            "attachment_size_limit": 10 * 2**20,
            "locale": "en-US",
            "guild_locale": "en-US",
            "entitlements": [],
            "data": {"id": "1", "name": command, "type": 1, "options": given},
        }

    # ---------------------------------------------------------------- requests

    async def _request(self, route: Route, *, files: Any = None, **kwargs: Any) -> Any:
        """Stands in for `discord.http.HTTPClient.request`: the JSON is made, and nothing is sent."""
        payload = kwargs.get("json") or {}
        discord.utils._to_json(payload)
        match route.method, route.path:
            case "GET", "/users/@me":
                return _BOT
            case "GET", "/oauth2/applications/@me":
                return _application()
            case "GET", "/applications/{application_id}/commands":
                return self._commands
            case "PUT", "/applications/{application_id}/commands":
                self._commands = [
                    {"description": ""}
                    | one
                    | {"id": str(next(self._ids)), "application_id": str(APPLICATION), "version": "1"}
                    for one in payload
                ]
                return self._commands
            case "POST", "/channels/{channel_id}/messages":
                if files:
                    self.log.results.put_nowait(time.perf_counter())
                return self._message(payload)
            case "PATCH", "/channels/{channel_id}/messages/{message_id}":
                return self._message(payload)
            case "DELETE", "/channels/{channel_id}/messages/{message_id}":
                self.log.retired.put_nowait(time.perf_counter())
                return None
            case "GET", "/channels/{channel_id}/messages":
                return []
        raise NotImplementedError(f"{route.method} {route.path} is not among what benchmarks do")

    def _webhook(self, route: Route, payload: dict[str, Any]) -> Any:
        """Answer an interaction's own requests, which discord.py sends through its webhook adapter."""
        discord.utils._to_json(payload)
        asked = self._asked[route.webhook_token or ""]
        now = time.perf_counter()
        match route.method, route.path:
            case "POST", "/interactions/{webhook_id}/{webhook_token}/callback":
                asked.acknowledged.set_result(now)
                return {"interaction": {"id": str(route.webhook_id), "type": 2}}
            case "DELETE", "/webhooks/{webhook_id}/{webhook_token}/messages/@original":
                return None
            case (
                "POST" | "PATCH",
                "/webhooks/{webhook_id}/{webhook_token}" | "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
            ):
                if not asked.answered.done():
                    asked.answered.set_result(now)
                self.log.words.append(str(payload.get("content", "")))
                return self._message(payload)
        raise NotImplementedError(f"{route.method} {route.path} is not among what benchmarks do")

    def _message(self, payload: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(next(self._ids)),
            "channel_id": str(CHANNEL),
            "type": 0,
            "author": _BOT,
            "content": payload.get("content") or "",
            "timestamp": datetime.now(UTC).isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "pinned": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "components": [],
            "flags": payload.get("flags", 0),
        }


class _Adapter(AsyncWebhookAdapter):
    """discord.py's own, except for the sending."""

    def __init__(self, discord_side: InstantDiscord) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._discord = discord_side

    async def request(self, route: Route, *_: Any, payload: dict[str, Any] | None = None, **__: Any) -> Any:
        return self._discord._webhook(route, payload or {})


def _user(number: int) -> dict[str, Any]:
    return {"id": str(number), "username": f"member{number}", "discriminator": "0", "avatar": None}


def _member(user: dict[str, Any]) -> dict[str, Any]:
    joined = "2026-01-01T00:00:00+00:00"
    return {"user": user, "roles": [], "joined_at": joined, "deaf": False, "mute": False, "flags": 0}


def _channel() -> dict[str, Any]:
    return {
        "id": str(CHANNEL),
        "guild_id": str(GUILD),
        "type": 0,
        "name": "studio",
        "position": 0,
        "permission_overwrites": [],
    }


def _guild() -> dict[str, Any]:
    everyone = {"id": str(GUILD), "name": "@everyone", "permissions": _EVERYTHING, "position": 0}
    everyone |= {"color": 0, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
    return {
        "id": str(GUILD),
        "name": "Guild",
        "owner_id": str(FIRST_USER),
        "member_count": 100,
        "roles": [everyone],
        "channels": [_channel()],
        "members": [_member(_BOT)],
    }


def _application() -> dict[str, Any]:
    words = {"name": "Easel", "description": "", "icon": None, "verify_key": ""}
    return words | {
        "id": str(APPLICATION),
        "bot_public": True,
        "bot_require_code_grant": False,
        "owner": _user(1),
        "flags": 0,
    }
