"""`/admin doctor`: whether Easel can do its work in this channel and on its host."""

from __future__ import annotations

import asyncio
import importlib.metadata
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import discord

from bot.features.admin._group import Desk, admin, opened
from bot.interactions.checks import PERMISSIONS, is_public
from bot.interactions.feature import Feature
from bot.pictures.age_restriction import age_restricted
from bot.texts import admin as texts
from bot.texts.findings import GB, Finding, broken, disk_room, note, ok
from generation.catalogue import Catalogue
from generation.contract import FailureReason, ModelState, ModelStatus
from storage.guilds import pauses, settings
from storage.guilds.pauses import Pause
from storage.jobs import queries
from storage.jobs.job import JobState
from storage.jobs.statistics import failures

_A_DAY = timedelta(days=1)
_OF_THE_WORKER = (FailureReason.WORKER_DIED, FailureReason.WORKER_HUNG, FailureReason.OUT_OF_MEMORY)
_MIB = 2**20
_SMALL_LIMIT = 10 * _MIB
_LINE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """The safety check: its classifier's state, None before it is known, and the moderators' channel."""

    state: ModelState | None
    moderated: bool
    among_adults: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What `examine` looks at."""

    permissions: discord.Permissions
    in_thread: bool
    #: In bytes.
    upload_limit: int
    models: Mapping[str, ModelStatus]
    #: How many jobs the worker takes at a time.
    capacity: int
    running: int
    waiting: int
    #: This server's jobs of the last day, by reason.
    failed: Mapping[str, int]
    stops: Sequence[Pause]
    #: Bytes on the disk of the data folder.
    free: int
    safety: Safety | None = None
    #: Whether everyone can read the moderators' channel.
    public_desk: bool = False


@admin.command(name="doctor", description="Whether Easel can do its work in this channel and on its host")
async def doctor(interaction: discord.Interaction[Any]) -> None:
    desk = await opened(interaction)
    findings = examine(await _patient(desk), desk.services.catalogue)
    await desk.tell(texts.doctor(list(findings)))


async def _patient(desk: Desk) -> Patient:
    services, interaction = desk.services, desk.interaction
    async with services.database.reading() as tx:
        line = await queries.active(tx, limit=_LINE)
        failed = await failures(tx, guild_id=desk.guild_id, since=services.clock() - _A_DAY)
        stops = await pauses.pauses(tx, desk.guild_id)
        server = await settings.settings(tx, desk.guild_id)
    running = sum(job.state is JobState.RUNNING for job in line)
    disk = await asyncio.to_thread(shutil.disk_usage, services.database.folder)
    return Patient(
        permissions=interaction.app_permissions,
        in_thread=isinstance(interaction.channel, discord.Thread),
        upload_limit=interaction.filesize_limit,
        models=services.generator.models(),
        capacity=services.generator.capacity,
        running=running,
        waiting=len(line) - running,
        failed=failed,
        stops=stops,
        safety=_safety_of(desk, server.moderators_channel_id),
        free=disk.free,
        public_desk=_public_desk(desk, server.moderators_channel_id),
    )


def _public_desk(desk: Desk, moderators_id: int | None) -> bool:
    channel = desk.interaction.guild and desk.interaction.guild.get_channel(moderators_id or 0)
    return isinstance(channel, discord.TextChannel) and is_public(channel)


def _safety_of(desk: Desk, moderators_id: int | None) -> Safety | None:
    if desk.services.settings.safety is None or desk.interaction.guild is None:
        return None
    status = desk.services.generator.safety()
    channel = desk.interaction.guild.get_channel(moderators_id or 0)
    return Safety(
        state=status.state if status else None,
        moderated=channel is not None,
        among_adults=age_restricted(channel),
    )


def examine(patient: Patient, catalogue: Catalogue) -> Iterator[Finding]:
    """Every finding, those of the channel first."""
    yield _permissions(patient)
    yield _upload(patient.upload_limit)
    for stop in patient.stops:
        yield note(texts.stop(stop), "`/admin queue resume` ends it, where you may.")
    yield from _worker(patient)
    yield from _models(patient, catalogue)
    if patient.safety is not None:
        yield _safety(patient.safety)
    if patient.public_desk:
        yield note(
            "Moderators' channel: everyone can read it",
            "They see which pictures were reported. Close it, or choose another with `/admin moderators`.",
        )
    yield disk_room(f"Disk: {patient.free / GB:.1f} GB free", patient.free)
    versions = f"Easel {importlib.metadata.version('easel')}, discord.py {discord.__version__}"
    yield ok(versions)


def _permissions(patient: Patient) -> Finding:
    unneeded = "send_messages" if patient.in_thread else "send_messages_in_threads"
    missing = [
        "View Channel" if name == "read_messages" else name.replace("_", " ").title()
        for name, wanted in PERMISSIONS
        if wanted and name != unneeded and not getattr(patient.permissions, name)
    ]
    if not missing:
        return ok("This channel: all permissions are there")
    return broken(
        f"This channel: I lack {', '.join(f'**{name}**' for name in missing)}",
        "Grant it in the channel's or in my role's permissions.",
    )


def _upload(limit: int) -> Finding:
    what = f"Uploads: up to {limit // _MIB} MiB a file here"
    if limit < _SMALL_LIMIT:
        return note(what, "Larger pictures are posted as smaller JPEGs.")
    return ok(what)


def _worker(patient: Patient) -> Iterator[Finding]:
    busy = f"{patient.running} being drawn, {patient.waiting} waiting"
    if patient.capacity < 1:
        yield broken(f"Nothing can draw at present: {busy}", "The host's log says why.")
    else:
        yield ok(f"The worker takes {patient.capacity} at a time: {busy}")
    stopped = sum(patient.failed.get(reason, 0) for reason in _OF_THE_WORKER)
    if stopped:
        yield note(
            f"Within a day {stopped} of this server's jobs failed because the worker stopped or lacked memory",
            "The host's log says why; a smaller model or fewer pictures may help.",
        )


def _models(patient: Patient, catalogue: Catalogue) -> Iterator[Finding]:
    usable = [key for key, one in patient.models.items() if one.state is not ModelState.UNUSABLE]
    warm = [key for key, one in patient.models.items() if one.state is ModelState.WARM]
    if not usable:
        yield broken("Models: none can be used", "The host finds out with ./easel doctor.")
        return
    loaded = f", loaded: {', '.join(f'`{key}`' for key in warm)}" if warm else ", none loaded yet"
    yield ok(f"Models: {len(usable)} of {len(catalogue)} can be used{loaded}")


def _safety(safety: Safety) -> Finding:
    if safety.state is ModelState.UNUSABLE:
        return broken("Safety check: it doesn't work, so no result is shown", "The host finds out with ./easel doctor.")
    if safety.state is None:
        return note("Safety check: it is not ready yet")
    what = "Safety check: results are looked at before they are shown"
    if not safety.moderated:
        advice = "There is no moderators' channel, so what it withholds is deleted; `/admin moderators` chooses one."
        return note(what, advice)
    if not safety.among_adults:
        advice = "The moderators' channel is not age-restricted, so what it withholds can't be looked at there."
        return note(what, advice)
    return ok(what)


FEATURE = Feature()
