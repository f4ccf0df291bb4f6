"""What is missing or broken on this machine, and what to do about it. Never shows the token.

It looks and changes nothing, except that an older database is brought up to date, as a start would do.
Each check yields findings as it goes; `report` prints them.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import socket
import sys
import tomllib
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console

from bot.doctor import database
from bot.doctor.files import looks
from bot.features import action_names, load
from bot.jobs.word_check import host_rules
from bot.pictures import signing, verification
from bot.settings.settings import PROJECT, Settings, SettingsError, StartupError
from bot.texts.findings import GB, Finding, Level, disk_room
from bot.texts.findings import broken as _broken
from bot.texts.findings import note as _note
from bot.texts.findings import ok as _ok
from generation.catalogue import Catalogue, CatalogueError, ModelSpec
from generation.contract import ModelState
from generation.installed import installed
from generation.local import LocalGenerator, WorkerUnavailable
from generation.wire import Ready

_WORKER_SECONDS = 120.0
"""How long the worker may take to import its libraries from a cold disk."""


Probe = Callable[[Settings, Catalogue], Coroutine[None, None, Ready]]
"""Asks the worker process what it draws on. Raises WorkerUnavailable or TimeoutError."""


async def ask_worker(settings: Settings, catalogue: Catalogue) -> Ready:
    """Start the real worker, without loading a model, and end it again. Only there is torch imported.

    A classifier that checks results is loaded and tried, as at every start.
    """
    generator = LocalGenerator(catalogue, device=settings.device, safety=settings.safety)
    await generator.start()
    try:
        return await asyncio.wait_for(generator.wait_ready(), _WORKER_SECONDS)
    finally:
        await generator.close()


def examine(env: Mapping[str, str], env_file: Path, *, probe: Probe = ask_worker) -> Iterator[Finding]:
    """Every finding, the quick checks first. Where the settings are bad, their defaults are examined."""
    yield _ok(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
    yield from _packages(PROJECT)
    try:
        settings = Settings.load(env, env_file)
    except SettingsError as error:
        yield _broken(str(error), f"Correct it in {env_file} or the environment; see .env.example.")
        settings = Settings()
    else:
        yield from _token(settings, env_file)
    yield from _disk(settings)
    yield from database.look(settings)
    yield from looks(settings, env_file, now=datetime.now(UTC))
    yield from _words(settings)
    yield from _playground(settings)
    yield from _signing(settings)
    yield from _drawing(settings, probe)


def report(findings: Iterable[Finding], console: Console | None = None) -> int:
    """Print findings as they come; the exit status is 1 when something is broken."""
    console = console or Console(highlight=False)
    signs = {Level.OK: "[green]✓[/]", Level.NOTE: "[yellow]·[/]", Level.BROKEN: "[red]✗[/]"}
    broken = 0
    for finding in findings:
        broken += finding.level is Level.BROKEN
        console.print(signs[finding.level], end=" ")
        console.print(finding.what, markup=False, soft_wrap=True)
        if finding.advice:
            console.print(f"  → {finding.advice}", markup=False, soft_wrap=True)
    console.print("\nNothing is broken." if not broken else f"\n{broken} broken.")
    return int(broken > 0)


def _packages(project: Path) -> Iterator[Finding]:
    """The packages that the project asks for, and whether they are the versions that it is tested with."""
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    asked = map(Requirement, declared["project"]["dependencies"])
    names = [_name(each.name) for each in asked if each.marker is None or each.marker.evaluate()]
    tested = dict(_pins((project / "constraints.txt").read_text(encoding="utf-8")))
    missing, other = [], []
    for name in names:
        try:
            version = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if version != tested.get(name, version):
            other.append(f"{name} {version} instead of {tested[name]}")
    if missing:
        yield _broken(f"Packages: missing are {', '.join(missing)}", _reinstall())
    if other:
        yield _note(f"Packages: not the tested versions: {', '.join(other)}", _reinstall())
    if not missing and not other:
        yield _ok(f"Packages: all {len(names)} are installed")


def _name(package: str) -> str:
    """A package's name, spelt as in the constraints."""
    return re.sub(r"[-_.]+", "-", package).lower()


def _pins(constraints: str) -> Iterator[tuple[str, str]]:
    """Names and versions of the lines without a condition; no direct dependency has one."""
    for found in re.finditer(r"^([\w.-]+)==(\S+)$", constraints, flags=re.MULTILINE):
        yield _name(found[1]), found[2]


def _reinstall() -> str:
    if Path(sys.prefix) == PROJECT / ".venv":
        return f"To install them anew, delete {sys.prefix} and run ./easel doctor."
    return "To install them anew: pip install --force-reinstall -c constraints.txt -e ."


def _token(settings: Settings, env_file: Path) -> Iterator[Finding]:
    if settings.discord_token is None:
        advice = f"For Discord, write DISCORD_TOKEN=… into {env_file}."
        yield _note("No DISCORD_TOKEN: ./easel run opens the playground in a browser", advice)
    else:
        yield _ok("DISCORD_TOKEN is set and looks like a bot token (Discord was not asked)")


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = settings.data
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield _broken(
            f"Data folder {folder}: {there} can't be written to",
            "Give this user the right to write there, or set EASEL_DATA to another folder.",
        )
        return
    free = shutil.disk_usage(there).free
    what = f"Data folder {folder}: {free / GB:.1f} GB free"
    yield disk_room(what, free)


def _words(settings: Settings) -> Iterator[Finding]:
    """The lists of words that are refused in every server, which may be files."""
    try:
        host_rules(settings)
    except StartupError as error:
        yield _broken(str(error), "Correct EASEL_BLOCKED_WORDS or EASEL_ALLOWED_WORDS, or the file that they name.")


def _playground(settings: Settings) -> Iterator[Finding]:
    """The playground's packages and port matter only where the playground is what would start."""
    if settings.discord_token is None and importlib.util.find_spec("simcord") is None:
        yield _note("The playground's packages are not installed", "./easel run installs them.")
    if settings.discord_token is not None or settings.playground_port == 0:
        return
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.playground_port))
        except OSError:
            advice = "If that is not an Easel of yours, set EASEL_PLAYGROUND_PORT to another port, or to 0."
            yield _note(f"Port {settings.playground_port}, the playground's, is in use", advice)
        else:
            yield _ok(f"Port {settings.playground_port}, the playground's, is free")


def _signing(settings: Settings) -> Iterator[Finding]:
    """Whether pictures can be signed and stamped, where the host wants that, and whose signatures are trusted."""
    certificate, key, authority = settings.c2pa_certificate, settings.c2pa_key, settings.c2pa_timestamp_url
    try:
        signing.seal(certificate, key, authority)
        issuers = verification.trusted(settings.c2pa_trust)
    except StartupError as error:
        yield _broken(f"Signing: {error}", "Correct it, or unset it to go without.")
        return
    if certificate is not None:
        yield _ok(f"Signing: pictures get Content Credentials with {certificate}")
    if authority is not None:
        yield _stamps(settings, authority)
    if settings.c2pa_trust is not None:
        yield _ok(f"Signatures of others: {issuers} issuers are trusted, from {settings.c2pa_trust}")


def _stamps(settings: Settings, authority: str) -> Finding:
    try:
        signing.try_time_stamp(settings.c2pa_certificate, settings.c2pa_key, authority)
    except StartupError as error:
        advice = "Pictures are signed without one meanwhile. Look at EASEL_C2PA_TIMESTAMP_URL and the network."
        return _note(f"Time stamps: {error}", advice)
    return _ok(f"Time stamps: {authority} gives them")


def _drawing(settings: Settings, probe: Probe) -> Iterator[Finding]:
    """The models, and what draws them."""
    try:
        catalogue = Catalogue.load(settings.models, actions=action_names(load()))
        default = settings.model_among(catalogue, catalogue.default.key)
    except (CatalogueError, SettingsError) as error:
        yield _broken(f"Models: {error}", "Correct it; the file's first lines explain its keys.")
        return
    for spec in catalogue.values():
        yield _model(spec, settings, is_default=spec.key == default)
    try:
        ready = asyncio.run(probe(settings, catalogue))
    except (WorkerUnavailable, TimeoutError) as error:
        # Of a traceback, whose lines come joined like this, the last line is the reason.
        why = str(error).rsplit(" | ", maxsplit=1)[-1] or f"no answer in {_WORKER_SECONDS:.0f} s"
        advice = f"Check EASEL_DEVICE; else packages may be damaged. {_reinstall()}"
        yield _broken(f"The process that draws does not start: {why}", advice)
        return
    yield from _device(ready, settings)
    yield from _memory(ready, catalogue)
    yield from _safety(ready, settings)


def _model(spec: ModelSpec, settings: Settings, *, is_default: bool) -> Finding:
    what = f"Model {spec.key}" + (" (the default)" if is_default else "")
    if installed(spec):
        return _ok(f"{what}: its files are here")
    if spec.file is not None and not spec.file.is_file():
        advice = f"Put the file there, or take the entry out of {settings.models}."
        level = Level.BROKEN if is_default else Level.NOTE
        return Finding(level=level, what=f"{what}: {spec.file} is missing", advice=advice)
    if spec.folder is None and settings.allow_downloads:
        return _note(f"{what}: not here yet; {spec.source} is downloaded when it is first used")
    if spec.folder is None:
        advice = f'Download it, and see how it draws, with: ./easel imagine "a fox" --model {spec.key}'
    else:
        advice = f"Put a model in diffusers' layout into {spec.folder}, or take it out of {settings.models}."
    level = Level.BROKEN if is_default else Level.NOTE
    return Finding(level=level, what=f"{what}: its files are missing", advice=advice)


def _device(ready: Ready, settings: Settings) -> Iterator[Finding]:
    torch = ready.versions.get("torch", "unknown")
    if settings.device == "cpu":
        yield _ok(f"Draws on the CPU, as EASEL_DEVICE says (torch {torch})")
    elif ready.device != "cpu":
        yield _ok(f"Draws on {ready.device}: {ready.device_name} (torch {torch})")
    elif shutil.which("nvidia-smi") and "+cpu" in torch:
        advice = "Install PyPI's torch of the same version into .venv: this one was built without CUDA."
        yield _broken(f"There is an NVIDIA GPU, and torch {torch} can't use it", advice)
    elif shutil.which("nvidia-smi"):
        advice = "Update NVIDIA's driver, look at nvidia-smi, and check EASEL_DEVICE."
        yield _note(f"Draws on the CPU, though this machine has NVIDIA's tools (torch {torch})", advice)
    else:
        advice = "The built-in model takes seconds so; larger ones take minutes."
        yield _note(f"Draws on the CPU: there is no GPU that torch {torch} can use", advice)


def _memory(ready: Ready, catalogue: Catalogue) -> Iterator[Finding]:
    """The device's memory, or the machine's where the CPU draws, and the models that need more.

    A CPU draws in single precision, which takes twice the memory.
    """
    total = ready.memory.device_total or _machine_memory()
    if not total:
        return
    where = "GPU memory" if ready.memory.device_total else "Memory"
    yield _ok(f"{where}: {total / GB:.1f} GB")
    for spec in catalogue.values():
        needed = spec.memory_gb * (2 if ready.device == "cpu" else 1)
        if needed * GB > total:
            yield _note(f"Model {spec.key} needs about {needed:g} GB: it may not fit, or be slow")


def _safety(ready: Ready, settings: Settings) -> Iterator[Finding]:
    """Whether results can be checked, where the host wants that."""
    if settings.safety_model is None or ready.safety is None:
        return
    if ready.safety.state is ModelState.WARM:
        yield _ok(f"Safety check: {settings.safety_model} looks at every result")
        return
    advice = "Correct EASEL_SAFETY_MODEL or EASEL_SAFETY_LABELS, or unset them to show results unchecked."
    if not isinstance(settings.safety_model, Path):
        advice = f'If it is not here yet, ./easel imagine "a boat" downloads it. Else: {advice}'
    yield _broken(f"Safety check: it doesn't work, so no result is shown: {ready.safety.reason}", advice)


def _machine_memory() -> int:
    """Bytes of RAM, or 0 if the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0
