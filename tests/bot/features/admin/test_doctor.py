"""`/admin doctor`: what it finds in a channel and on the host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import discord
import pytest

from bot.features.admin.doctor import Patient, examine
from bot.interactions.checks import PERMISSIONS
from bot.texts.findings import GB, Level
from generation.catalogue import Catalogue
from generation.contract import FailureReason, ModelState, ModelStatus
from tests.world import World

CATALOGUE = Catalogue.load(Path(__file__).parents[4] / "models.toml")

HEALTHY = Patient(
    permissions=PERMISSIONS,
    in_thread=False,
    upload_limit=25 * 2**20,
    models={"easel": ModelStatus(state=ModelState.WARM)},
    capacity=1,
    running=1,
    waiting=2,
    failed={},
    stops=(),
    free=100 * GB,
)


def test_a_healthy_bot_has_no_faults() -> None:
    findings = list(examine(HEALTHY, CATALOGUE))
    assert {one.level for one in findings} == {Level.OK}
    words = "\n".join(one.what for one in findings)
    for part in (
        "all permissions",
        "25 MiB",
        "1 being drawn, 2 waiting",
        "loaded: `easel`",
        "100.0 GB free",
        "Easel ",
    ):
        assert part in words


@pytest.mark.parametrize(
    ("change", "level", "words"),
    [
        ({"permissions": PERMISSIONS & ~discord.Permissions(attach_files=True)}, Level.BROKEN, "lack **Attach Files**"),
        ({"permissions": discord.Permissions.none()}, Level.BROKEN, "**View Channel**"),
        ({"upload_limit": 5 * 2**20}, Level.NOTE, "5 MiB"),
        ({"capacity": 0}, Level.BROKEN, "Nothing can draw"),
        ({"models": {"easel": ModelStatus(state=ModelState.UNUSABLE)}}, Level.BROKEN, "none can be used"),
        ({"failed": {FailureReason.WORKER_DIED.value: 3}}, Level.NOTE, "3 of this server's jobs failed"),
        ({"free": GB // 2}, Level.BROKEN, "0.5 GB free"),
        ({"free": 5 * GB}, Level.NOTE, "5.0 GB free"),
        ({"public_desk": True}, Level.NOTE, "everyone can read it"),
    ],
)  # fmt: skip
def test_each_fault_is_found(change: dict[str, object], level: Level, words: str) -> None:
    (fault,) = [one for one in examine(replace(HEALTHY, **change), CATALOGUE) if one.level is not Level.OK]  # type: ignore[arg-type]
    assert fault.level is level
    assert words in fault.what
    assert fault.advice


def test_a_thread_needs_the_permission_of_threads() -> None:
    only_channels = PERMISSIONS & ~discord.Permissions(send_messages_in_threads=True)
    (fault,) = [
        one
        for one in examine(replace(HEALTHY, permissions=only_channels, in_thread=True), CATALOGUE)
        if one.level is not Level.OK
    ]
    assert "Send Messages In Threads" in fault.what


async def test_an_admin_reads_the_findings(easel: World) -> None:
    await easel.told(easel.admin, "admin queue pause", reason="a game")
    quiet = easel.guild.create_text_channel(
        "quiet", overwrites={easel.guild.default_role: discord.PermissionOverwrite(attach_files=False)}
    )
    page = await easel.told(easel.admin, "admin doctor")
    assert "✅ This channel: all permissions are there" in page
    assert "⚠️ Drawing is paused: jobs wait in this server (a game)" in page
    assert "✅ Uploads: up to 25 MiB" in page
    answer = await easel.admin.slash(quiet, "admin doctor")
    assert "❌ This channel: I lack **Attach Files**" in (answer.response.content or "")
