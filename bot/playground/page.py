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

from PIL import Image
from simcord.backend.errors import BackendError, SetupError
from simcord.preview import _messages
from simcord.preview._markdown import markdown_tokens
from simcord.preview._media import MediaError, MediaInfo
from simcord.results import ResponseMessage

from bot.playground.world import World, patience

PICTURE_BUDGET = 1 << 30
"""Bytes of pictures that open pages may show: 50 messages each, and the bytes are shared with the world's own."""

_REACTION = re.compile(r"\+\s*([^\x00-\x7f\w\s]+)")
_MENU = re.compile(r"\+\s*(\w[\w ]*)")
_LIST_END = re.compile(r"^( *[-*] .*)\n(?! *[-*] | |\n)", re.MULTILINE)
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_STYLE = """
#refresh, #capture-open, #inspector-toggle, #view-action-output { display: none; }
.channel-message { display: flex; flex-direction: column; }
.channel-message > .message-attachments { order: 1; }
.attachment-image:not([src]) {
  display: block; width: attr(width px); height: auto; overflow: hidden;
  aspect-ratio: attr(width type(<number>)) / attr(height type(<number>));
}
.channel-message > .message-components, .channel-message > .message-reactions { order: 2; }
"""

_SCRIPT = """
{
  const timeline = document.querySelector("#channel-timeline");
  let away = false;
  const look = () => setTimeout(() => {
    away = timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight > 40;
  }, 150);
  for (const moved of ["touchmove", "pointerup", "keydown"])
    timeline.addEventListener(moved, look, { passive: true });
  timeline.addEventListener("wheel", (event) => {
    if (event.deltaY < 0) away = timeline.scrollHeight > timeline.clientHeight;
    else look();
  }, { passive: true });
  document.querySelector("#messages-sidebar").addEventListener("click", () => { away = true; });
  const follow = () => { if (!away) timeline.scrollTop = timeline.scrollHeight; };
  const back = () => { away = false; follow(); };
  document.querySelector("#viewer-picker").addEventListener("change", back);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#send-message, #new-messages")) back();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.closest("#channel-composer-input, .command-row")) back();
  }, true);
  new ResizeObserver(follow).observe(document.querySelector("#channel-message-list"));

  let asked = 0;
  document.addEventListener("focusin", (event) => {
    const field = event.target;
    const heading = document.querySelector(".command-popup-heading")?.textContent ?? "";
    if (!field.matches(".command-option-input") || field.value || !heading.startsWith("OPTIONS MATCHING")) return;
    if (document.querySelector(".command-popup .command-suggestion") || Date.now() - asked < 1000) return;
    asked = Date.now();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
"""
"""What a person expects of Discord's own page: it follows what is new unless one scrolled away, it goes to the end
when one sends something, and a completed option offers its choices before anything is typed."""


@asynccontextmanager
async def open_page(world: World, port: int) -> AsyncIterator[Any]:
    """SimCord's preview of the channel, fitted for people: see the functions that replace parts of it."""
    page = world.env.preview(
        world.channel,
        viewers=world.people,
        layout="channel",
        timezone=_timezone(),
        port=port,
    )
    page._MAX_MEDIA_BYTES = PICTURE_BUDGET
    page._media_worker = _Pictures()
    page._action = _taking_turns(world, page)
    page._page_payload = _remembered(world, page)
    page._server._state = _up_to_date(world, page)
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
                body = await _reaction(world, view, {**body, "published_revision": view.revision})
            return await act(context, body)

    return take_turn


async def _reaction(world: World, view: Any, body: dict[str, Any]) -> dict[str, Any]:
    """Turn the message `+⭐` into a reaction, and `+Report picture` into a choice from a message's menu.

    Discord's own client has both; the page can only repeat a reaction, and has no menu.
    """
    said = str(body.get("content", "")).strip()
    emoji, menu = _REACTION.fullmatch(said), _MENU.fullmatch(said)
    if body.get("kind") != "send_message" or not (emoji or menu):
        return body
    public = {m.id: m for m in world.env.backend.messages[world.channel.id].values() if not m.is_ephemeral}
    with suppress(BackendError, SetupError, ValueError):
        message = public.get(int(body.get("reply_to_id") or max(public, default=0)))
        if message is not None:
            target = ResponseMessage(world.env, message)
            if emoji:
                await view.viewer.react(target, emoji[1])
            elif menu:
                await view.viewer.context_menu(world.channel, menu[1], target)
            return {**body, "kind": "refresh"}
    return body


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
            known[view.id] = (state, work_out(view))
        return known[view.id][1]

    return payload


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
    """The page's files, with a style sheet that puts a message's pictures above its buttons, and with `_SCRIPT`."""
    added = {"/preview.css": _STYLE, "/app.js": _SCRIPT}

    async def serve_file(request: Any) -> Any:
        response = await static(request)
        if request.path in added:
            response.text += added[request.path]
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
