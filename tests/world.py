"""A simulated Discord with the real bot in it: a server, a channel, an admin and two members."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import discord
from simcord import Env

from bot.app import opened
from bot.client import EaselClient
from bot.errors import Refusal
from bot.interactions.checks import policy_of
from bot.interactions.feature import Feature
from bot.jobs import orders
from bot.jobs.orders import Draft
from bot.jobs.requester import Accepted, Requester
from bot.settings.settings import PROJECT, Settings
from storage.privacy import clock_check
from tests.fakes import FakeGenerator

T = TypeVar("T")


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


class World:
    """What a test touches: people to act as, the channel, the generator, and the bot's parts."""

    def __init__(
        self,
        env: Any,
        client: EaselClient,
        generator: FakeGenerator,
        clock: Clock,
        start: Callable[[FakeGenerator], Awaitable[EaselClient]],
    ) -> None:
        self.env, self.client, self.generator, self.clock = env, client, generator, clock
        self._start = start
        self._forgiven = 0
        guild = env.create_guild("Guild")
        admins = guild.create_role("Admin", permissions=discord.Permissions(manage_guild=True))
        self.guild = guild
        self.vip = guild.create_role("VIP")
        self.admin = guild.add_member(env.create_user("ada"), roles=[admins])
        self.ben = guild.add_member(env.create_user("ben"))
        self.cleo = guild.add_member(env.create_user("cleo"))
        self.channel = guild.create_text_channel("studio")

    @property
    def services(self) -> Any:
        return self.client.services

    def messages(self) -> list[discord.Message]:
        """The bot's messages that stand in the channel for everyone, oldest first."""
        return [m for m in self.channel.history() if not m.flags.ephemeral]

    def results(self) -> list[discord.Message]:
        """Those that carry a grid."""
        return [
            m
            for m in self.messages()
            if any(a.filename.endswith(".jpg") and "preview" not in a.filename for a in m.attachments)
        ]

    def pings(self, message: discord.Message) -> list[int]:
        """The people whom a message notifies."""
        return list(self.env.backend.get_message(message.channel.id, message.id).ping_user_ids)

    async def imagine(self, who: Any, prompt: str = "a fox", **options: Any) -> str:
        """Type the command and return what that person is told."""
        return await self.told(who, "imagine", prompt=prompt, **options)

    async def accept(self, draft: Draft, who: Requester) -> Accepted:
        """Put a draft of `/imagine` into the queue, as the command does once it has read the server's policy."""
        policy = await policy_of(self.services, who.guild_id, who.user_id)
        order = orders.order("imagine", draft, free=policy.free)
        return await self.client.services.dispatcher.accept(order, who, policy)

    def requester(self, who: Any, *, interaction_id: int | None) -> Requester:
        """The person in the channel, as the dispatcher wants to know who asks."""
        return Requester(
            user_id=who.id,
            guild_id=self.guild.id,
            channel_id=self.channel.id,
            role_ids=(),
            joined_at=None,
            interaction_id=interaction_id,
        )

    async def press(self, who: Any, message: discord.Message, label: str) -> Any:
        """Click the button with this label or emoji."""
        for row in message.components:
            for button in row.children:  # type: ignore[union-attr]
                if label in (button.label, str(button.emoji)):
                    return await who.click(message, custom_id=button.custom_id)
        raise AssertionError(f"no button {label}")

    async def flag(self, who: Any, message: discord.Message, reason: str = "") -> str:
        """Report a picture by its button and the form behind it; what the person is told at last."""
        pressed = await self.press(who, message, "🚩")
        return said(await who.submit_modal(pressed, {"reason": reason}) if pressed.modal else pressed)

    def no_surprises(self) -> None:
        """Raise what the bot met that it has no sentence for."""
        for error in self.env.errors[self._forgiven :]:
            if not isinstance(getattr(error, "original", error), Refusal):
                raise error

    def forgive(self) -> None:
        """What has gone wrong so far was meant to."""
        self._forgiven = len(self.env.errors)

    async def told(self, actor: Any, command: str, /, **options: Any) -> str:
        """Type a command and return what that person is told."""
        return said(await actor.slash(self.channel, command, **options))

    async def restart(self, generator: FakeGenerator | None = None) -> None:
        """Stop the bot and start it again on the same data folder; Discord stays as it is."""
        self.generator = generator or FakeGenerator()
        self.client = await self._start(self.generator)
        await self.env.restart_bot(self.client)
        await self.rest()

    def live(self, **by: float) -> None:
        """Let time pass that the bot lives through, so that it believes the clock afterwards."""
        self.clock.move(**by)
        clock_check.write(self.services.database.folder, self.clock())

    async def rest(self) -> None:
        await self.env.settle()


def said(result: Any) -> str:
    """Everything that an interaction told its person; a receipt that was taken back since, too."""
    parts = [result.response, *result.followups]
    words = [part.content for part in parts if part is not None and part.content]
    return "\n".join(words) or next(_taken_back(result), "")


def _taken_back(result: Any) -> Iterator[str]:
    for request in result._env.http_requests:
        if request.path.endswith(f"{result._interaction.token}/messages/@original") and request.json:
            yield request.json.get("content") or ""


def settings(folder: Path, **changes: Any) -> Settings:
    """The defaults, with a data folder of the test's own, and models that know every word, as the fake generator does."""
    return Settings(data=folder, **{"models": models_of_all_words(), **changes})


@cache
def models_of_all_words() -> Path:
    """The shipped models, of which none says that it knows few words."""
    path = Path(tempfile.mkdtemp(prefix="easel-")) / "models.toml"
    path.write_text((PROJECT / "models.toml").read_text().replace("vocabulary = true", "vocabulary = false"))
    return path


@asynccontextmanager
async def world(
    folder: Path,
    *,
    generator: FakeGenerator | None = None,
    clock: Clock | None = None,
    features: Sequence[Feature] | None = None,
    **changes: Any,
) -> AsyncIterator[World]:
    """The real bot with real SQLite in a simulated Discord; a fake generator draws."""
    generator = generator or FakeGenerator()
    clock = clock or Clock()
    env: Any = None

    async def wait(awaitable: Awaitable[T], *, reason: str) -> T:
        result: T = await env.external_wait(awaitable, reason=reason)
        return result

    async with AsyncExitStack() as stack:

        async def start(bot: FakeGenerator) -> EaselClient:
            await stack.aclose()
            chosen = settings(folder, **changes)
            return await stack.enter_async_context(
                opened(chosen, make_generator=lambda *_: bot, wait=wait, clock=clock, features=features)
            )

        client = await start(generator)
        env = Env(client, check_errors=False, settle_timeout=60)
        made = World(env, client, generator, clock, start)
        await env.start()
        try:
            yield made
            made.no_surprises()
        finally:
            await env.shutdown()
