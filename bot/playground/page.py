"""What a person sees of the playground's world: SimCord's preview of the channel, fitted for people.

The preview is made for looking at tests, so a page that lives beside a working bot is more than its public interface
offers. Everything that is replaced in it is named in `open_page`; SimCord's release is pinned because of this file.
"""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aiohttp import web
from PIL import Image
from simcord.backend.errors import BackendError, SetupError
from simcord.preview import _messages
from simcord.preview._markdown import markdown_tokens
from simcord.preview._media import MediaError, MediaInfo
from simcord.results import ResponseMessage

from bot.playground.world import ICON, World, patience

PICTURE_BUDGET = 1 << 30
"""Bytes of pictures that open pages may show: 50 messages each, and the bytes are shared with the world's own."""

_LIST_END = re.compile(r"^( *[-*] .*)\n(?! *[-*] | |\n)", re.MULTILINE)
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_HERE = Path(__file__).parent
_ADDED = {"/preview.css": "page.css", "/app.js": "page.js"}
"""What is added to the end of SimCord's files."""
_CHANGED = {
    "/": {
        "<title>SimCord Preview</title>": '<title>Easel</title>\n    <link rel="icon" href="/easel.png">',
        "<strong>SimCord</strong><small>Preview</small>": "<strong>Easel</strong><small>Playground</small>",
        'aria-label="SimCord preview"': 'aria-label="Easel"',
        "<h1>Messages</h1>": "<h1>Easel playground</h1>",
        ">Messages</button>": ">Channels</button>",
        "No messages in this channel.": "Nothing here yet.",
        "End preview session": "End the playground",
    },
    # The commands for everybody before those of admins, which have several words; drawing first of all.
    "/commands.js": {
        "return ranked.sort((a, b) => a.rank - b.rank": """const place = ({ entry: { invocation } }) =>
    invocation === "imagine" ? 0 : invocation.includes(" ") ? 2 : 1;
  return ranked.sort((a, b) => a.rank - b.rank || place(a) - place(b)"""
    },
}
"""What is put in place of what in SimCord's files."""


@asynccontextmanager
async def open_page(world: World, port: int) -> AsyncIterator[Any]:
    """SimCord's preview of the channel, fitted for people: see the functions that replace parts of it."""
    page = world.env.preview(
        world.channel,
        viewers=world.viewers,
        layout="channel",
        timezone=_timezone(),
        assets={world.portrait: ("easel.png", ICON.read_bytes())},
        port=port,
    )
    page._MAX_MEDIA_BYTES = PICTURE_BUDGET
    page._media_worker = _Pictures()
    page._action = _taking_turns(world, page)
    page._page_payload = _remembered(world, page)
    page._server._state = _up_to_date(world, page)
    page._server._STATIC_FILES = {**page._server._STATIC_FILES, "/easel.png": "easel.png"}
    page._server._static = _fitted(page._server._static)
    _messages.markdown_tokens = _as_discord_reads
    async with page:
        page._pages.clear()  # A view for scripts, which costs as much to redraw as a browser's.
        yield page


def _timezone() -> str:
    """This machine's time zone by name where it can be told, for the hours that the page shows."""
    name = str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2]
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return "UTC"


def _taking_turns(world: World, page: Any) -> Callable[[Any, Any], Awaitable[Any]]:
    """The page's actions, each waiting for its turn.

    SimCord answers an action that meets another operation with an error after which the page is stuck, and rejects
    one made on a picture of the world that was redrawn in the half second before the browser asked again. Here an
    action waits, and counts as made on the present: Discord too takes a click by its message and button alone.
    """
    act = page._action

    async def take_turn(context: Any, body: Any) -> Any:
        async with world.turn:
            view = page._pages.get(context)
            if view is not None and isinstance(body, dict) and "published_revision" in body:
                wish = body.pop("easel", None)
                if body.get("kind") == "viewer":
                    _enter(world, view, wish)
                elif wish:
                    await _grant(world, view, wish)
                body["published_revision"] = view.revision
                page.channel = world.channels[view.channel_id]
            return await act(context, body)

    return take_turn


def _enter(world: World, view: Any, wish: Any) -> None:
    """Go to the channel that was asked for, or to the first; SimCord shows it with the viewer that it changes."""
    wanted = str(wish.get("channel", "")) if isinstance(wish, dict) else ""
    view.channel_id = next((number for number in world.channels if str(number) == wanted), world.channel.id)


async def _grant(world: World, view: Any, wish: Any) -> None:
    """Put a reaction on a message, or choose from its menu: the page can only repeat a reaction, and has no menu."""
    with suppress(BackendError, SetupError, LookupError, ValueError, TypeError, AttributeError):
        message = world.env.backend.get_message(view.channel_id, int(wish["message"]))
        target = ResponseMessage(world.env, message)
        if "react" in wish:
            await view.viewer.react(target, str(wish["react"]))
        elif "menu" in wish:
            await view.viewer.context_menu(world.channels[view.channel_id], str(wish["menu"]), target)


def _up_to_date(world: World, page: Any) -> Callable[[Any], Awaitable[Any]]:
    """The page's answer to a browser that asks what there is to see, which each does twice a second.

    SimCord answers with what it last published, less what has gone since: a preview that was replaced would leave
    a hole until the next redrawing. So the page is redrawn here, when it is asked for and something happened.
    """
    answer = page._server._state

    async def state(request: Any) -> Any:
        # A view is stale after an action that timed out, and takes no other until it is redrawn.
        async with world.turn:
            if world.changed or any(view.status == "stale" for view in page._pages.values()):
                with patience():
                    await page.refresh()
                    world.forget()
                    await _measure_pictures(page)
            return await answer(request)

    return state


def _remembered(world: World, page: Any) -> Callable[[Any], Any]:
    """What a view shows, worked out once while nothing happens: SimCord hashes each picture in it every time."""
    work_out = page._page_payload
    known: dict[str, tuple[Any, Any]] = {}

    def payload(view: Any) -> Any:
        state = (view.revision, view.status, view.last_action, world.changed)
        if known.get(view.id, (None, None))[0] != state or world.changed:
            for gone in known.keys() - page._pages.keys():
                del known[gone]
            known[view.id] = (state, {**work_out(view), "easel": _told(world, view)})
        return known[view.id][1]

    return payload


def _told(world: World, view: Any) -> dict[str, Any]:
    """What `page.js` shows around the messages: channels, people's roles, and what can be done with a message."""
    return {
        "channels": [
            {"id": str(number), "name": channel.name, "shown": number == view.channel_id, "unread": unread}
            for number, channel, unread in world.channels_of(view)
        ],
        "people": {str(person.id): role for person, role in world.roles},
        "reactions": world.reactions,
        "menus": world.menus,
    }


async def _measure_pictures(page: Any) -> None:
    """Tell browsers each picture's size before they ask for the picture, so that nothing jumps."""
    for view in tuple(page._pages.values()):
        lease = view.last_activity
        for name, picture in tuple(view.assets.items()):
            if picture.available and not picture.validated:
                with suppress(SetupError):
                    await page._prepare_asset(view.id, name)
        view.last_activity = lease


def _fitted(static: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
    """SimCord's files, with Easel's name and icon, and our style sheet and script behind its own."""

    async def serve_file(request: Any) -> Any:
        if request.path == "/easel.png":
            return web.Response(body=ICON.read_bytes(), content_type="image/png")
        response = await static(request)
        for theirs, ours in _CHANGED.get(request.path, {}).items():
            if theirs not in response.text:
                raise RuntimeError(f"SimCord's {request.path} has changed: it holds no {theirs!r}")
            response.text = response.text.replace(theirs, ours)
        if request.path in _ADDED:
            response.text += (_HERE / _ADDED[request.path]).read_text(encoding="utf-8")
        return response

    return serve_file


def _as_discord_reads(value: Any, *profile: Any, **more: Any) -> Any:
    """A text's markdown with lists that end where Discord ends them: SimCord takes the next line into the last item."""
    if isinstance(value, str) and "```" not in value:
        value = _LIST_END.sub(r"\1\n\n", value)
    return markdown_tokens(value, *profile, **more)


class _Pictures:
    """Hands still pictures to the page as they are.

    SimCord's own worker starts a process for each one and redraws it as a PNG, which takes half a second and, with
    fifteen grids, all the memory that it allows itself.
    """

    async def validate(self, _key: str, blob: bytes, *, media_time: float | None = None) -> Any:  # noqa: ARG002
        try:
            with Image.open(io.BytesIO(blob), formats=tuple(_FORMATS)) as image:
                (width, height), kind = image.size, image.format or ""
        except (OSError, ValueError, SyntaxError) as error:
            raise MediaError("not a picture that the page can show") from error
        # memory_limited: the browser decodes it, and the page warns where it believes that nobody limits that.
        return MediaInfo(kind, width, height, 1, width * height * 4, blob, _FORMATS[kind], memory_limited=True)

    def release(self, _key: str) -> None:
        """Nothing is kept."""

    async def close(self) -> None:
        """Nothing is open."""
