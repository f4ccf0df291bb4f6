"""The command line: `run`, `imagine`, `doctor`, `calibrate`, `health`, and those of `backups.py`.

An error ends in one sentence on stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import itertools
import math
import os
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from bot import logs
from bot.cli import backups
from bot.health import heartbeat
from bot.jobs.flags import FLAGS, look, read_aspect
from bot.settings.settings import PROJECT, Settings, StartupError
from bot.texts.plain_text import is_visible, plain
from generation.builtin.nearest import knows_subject, nearest
from generation.builtin.vocabulary import unknown_words
from generation.catalogue import Catalogue, CatalogueError, ModelSpec
from generation.contract import (
    MAX_SEED,
    Event,
    Failed,
    FailureReason,
    Finished,
    Progressed,
    Sampling,
    Started,
    TextToImage,
)
from generation.local import LocalGenerator
from storage.errors import StorageError

STOPPED = 130
"""The exit status of a program that Ctrl-C ended: 128 + SIGINT."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit status. Raises SystemExit for a wrong command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a prompt or a sign that the terminal has no letters for
            stream.reconfigure(errors="backslashreplace")
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.command(arguments))
    except (StartupError, CatalogueError, StorageError) as error:
        print(f"easel: {_one_sentence(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return STOPPED


def load_settings() -> Settings:
    """The settings of this process: its environment, and `.env` beside the project. Raises SettingsError."""
    return Settings.load(os.environ, PROJECT / ".env")


def _one_sentence(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _run(_: argparse.Namespace) -> int:
    settings = load_settings()
    logs.configure(settings.log_level, settings.log_format, token=settings.discord_token)
    from bot import app  # a second's import, which a bad setting and the other commands need not wait for

    return asyncio.run(app.run(settings))


def _doctor(_: argparse.Namespace) -> int:
    logs.configure("critical")  # what goes wrong is a finding
    from bot.doctor import machine

    return machine.report(machine.examine(os.environ, PROJECT / ".env"))


def _health(_: argparse.Namespace) -> int:
    well, words = heartbeat.report(load_settings().heartbeat, now=time.time())
    print(words)
    return 0 if well else 1


def _calibrate(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    logs.configure("error", "console")
    from bot.cli import calibrate

    print(asyncio.run(calibrate.run(settings, seconds=arguments.seconds, write=arguments.write)))
    return 0


# One prompt without Discord.


def _imagine(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    logs.configure("debug" if settings.log_level == "debug" else "error", "console")
    catalogue = Catalogue.load(settings.models)
    spec = _find_model(arguments.model or settings.model_among(catalogue, catalogue.default.key), catalogue)
    request = _request(arguments, spec, settings.images)
    if spec.vocabulary and not knows_subject(request.sampling.prompt):
        closest = ", ".join(f'"{one}"' for one in nearest(request.sampling.prompt))
        raise StartupError(
            f"{spec.name} draws a small world of its own, and nothing in that prompt is part of it. These come closest: "
            f"{closest}. A larger model draws anything: {settings.models} says how to add one."
        )
    for sentence in _unheeded(arguments, spec):
        print(sentence, file=sys.stderr)
    generator = LocalGenerator(catalogue, device=settings.device, allow_downloads=True, safety=settings.safety)
    finished = asyncio.run(_draw(generator, request, spec))
    for path in _write(finished, request, arguments.out):
        print(path)
    if finished.unsafe:
        print(f"The safety check finds unsafe: {', '.join(map(str, sorted(finished.unsafe)))}.", file=sys.stderr)
    seeds = ", ".join(map(str, request.sampling.seeds))
    print(f"{spec.name}, {request.sampling.width}×{request.sampling.height}, seeds {seeds}, {finished.seconds:.1f} s")
    return 0


def _find_model(key: str, catalogue: Catalogue) -> ModelSpec:
    if key not in catalogue:
        raise StartupError(f'There is no model "{key}"; the models file has {", ".join(catalogue)}.')
    return catalogue[key]


def _request(arguments: argparse.Namespace, spec: ModelSpec, images: int) -> TextToImage:
    """What was asked for, the model's defaults for the rest. Raises StartupError for what can't be drawn."""
    prompt = plain(" ".join(arguments.prompt))
    if not is_visible(prompt):
        raise StartupError("The prompt is empty: say what to draw.")
    if misplaced := _misplaced(prompt.split()):
        raise StartupError(misplaced)
    width, height = spec.size_for(arguments.ar) if arguments.ar else (spec.width, spec.height)
    count = min(images, spec.max_images) if arguments.count is None else arguments.count
    first = random.randint(0, MAX_SEED) if arguments.seed is None else arguments.seed
    request = TextToImage(
        sampling=Sampling(
            model=spec.key,
            prompt=prompt,
            negative=plain(arguments.no),
            width=width,
            height=height,
            steps=spec.steps if arguments.steps is None else arguments.steps,
            guidance=spec.guidance if arguments.cfg is None else arguments.cfg,
            seeds=tuple((first + n) % (MAX_SEED + 1) for n in range(count)),
        )
    )
    if refusal := spec.refusal(request):
        raise StartupError(f"{spec.name} can't draw that: {refusal}.")
    return request


def _misplaced(words: Sequence[str]) -> str | None:
    """What to say of the first flag, or what is nearly one, among the words of a prompt."""
    for place, word in enumerate(words):
        if found := look(words, place):
            spelt = f" as --{found.name}" if found.name and not word.startswith("--") else ""
            hint = f" {found.problem.replace('`', '')}" if found.problem else ""
            return f"{word} stands inside the quotes of the prompt: put it behind them{spelt}.{hint}"
    return None


def _unheeded(arguments: argparse.Namespace, spec: ModelSpec) -> list[str]:
    given = {"negative": ("--no", arguments.no), "guidance": ("--cfg", arguments.cfg is not None)}
    sentences = [
        f"{spec.name} pays no attention to {flag}."
        for what, (flag, is_given) in given.items()
        if is_given and what in spec.ignores
    ]
    if spec.vocabulary and (unknown := unknown_words(" ".join(arguments.prompt))):
        listed = ", ".join(unknown)
        sentences.append(f"{spec.name} can't draw: {listed}.")
    return sentences


async def _draw(generator: LocalGenerator, request: TextToImage, spec: ModelSpec) -> Finished:
    await generator.start()
    try:
        generator.submit("imagine", request)
        last = await _show(generator.events("imagine"), spec)
    finally:
        await generator.close()
    if isinstance(last, Failed):
        raise StartupError(_why(last, spec))
    return last


async def _show(events: AsyncIterator[Event], spec: ModelSpec) -> Finished | Failed:
    """Draw a progress bar, or plain lines where stderr is not a terminal, until the last event."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    quarters = 0
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        shown = bar.add_task("Starting", total=None)
        async for event in events:
            match event:
                case Started():
                    bar.update(shown, description=f"Loading {spec.name}")
                    _say(console, f"Loading {spec.name}")
                case Progressed(step=step, steps=steps):
                    if step:
                        bar.update(shown, description="Drawing", completed=step, total=steps)
                    if step and step * 4 // steps > quarters:
                        quarters = step * 4 // steps
                        _say(console, f"Step {step} of {steps}")
                case Finished() | Failed():
                    return event
    raise StartupError("The generator said nothing more.")


def _say(console: Console, line: str) -> None:
    if not console.is_terminal:
        print(line, file=sys.stderr, flush=True)


def _why(failed: Failed, spec: ModelSpec) -> str:
    match failed.reason:
        case FailureReason.OUT_OF_MEMORY:
            why = "it needs more memory than there is: try --count 1, a smaller --ar or another model"
        case FailureReason.MODEL_UNUSABLE:
            why = "the model can't be loaded"
        case FailureReason.BROKEN_IMAGE:
            why = "the pictures came out broken: the weights may be damaged"
        case FailureReason.WORKER_DIED | FailureReason.WORKER_HUNG:
            why = "the process that drew ended or stood still; ./easel doctor may say why"
        case FailureReason.UNCHECKED:
            why = "the safety check of results doesn't work"
        case FailureReason.INTERNAL:
            why = "the process that draws met an error"
        case _:
            why = failed.reason.value.replace("_", " ")
    # Of a traceback, whose lines come joined like this, the last line is the reason.
    detail = failed.detail.rsplit(" | ", maxsplit=1)[-1].rstrip(".")
    return f"{spec.name} drew nothing: {why}" + (f" ({detail})." if detail else ".")


def _write(finished: Finished, request: TextToImage, folder: Path) -> list[Path]:
    """Write the pictures and, of several, the grid, over nothing that is there. Raises StartupError."""
    stem = re.sub(r"\W+", "-", request.sampling.prompt.lower())[:40].strip("-") or "picture"
    files = {f"-{number}.png": image for number, image in enumerate(finished.images, start=1)}
    if len(files) > 1:
        files["-grid.jpg"] = finished.grid
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stem = _free(folder, f"{stem}-{request.sampling.model}-{request.sampling.seeds[0]}", files)
        for ending, content in files.items():
            (folder / f"{stem}{ending}").write_bytes(content)
    except OSError as error:
        raise StartupError(f"The pictures can't be written to {folder}: {error.strerror}.") from error
    return [folder / f"{stem}{ending}" for ending in files]


def _free(folder: Path, stem: str, endings: Iterable[str]) -> str:
    """The stem, or the stem and a number, under which nothing lies in the folder yet."""
    tries = itertools.chain([stem], (f"{stem}-again{number}" for number in itertools.count(2)))
    return next(each for each in tries if not any((folder / f"{each}{end}").exists() for end in endings))


# What may be typed.


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="easel", allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    run = commands.add_parser("run", help="start the bot, or the playground where no DISCORD_TOKEN is set")
    run.set_defaults(command=_run)
    doctor = commands.add_parser("doctor", help="what is missing or broken here, and what to do about it")
    doctor.set_defaults(command=_doctor)
    health = commands.add_parser("health", help="whether the bot is well, for containers")
    health.set_defaults(command=_health)
    calibrate = commands.add_parser("calibrate", help="prices for the models from what drawing took here")
    calibrate.set_defaults(command=_calibrate)
    calibrate.add_argument("--write", action="store_true", help="write them into the models file")
    calibrate.add_argument("--seconds", type=_seconds, metavar="X", help="of drawing that one credit buys")
    backups.add(commands, load_settings)
    imagine = commands.add_parser("imagine", help="draw one prompt without Discord", allow_abbrev=False)
    imagine.set_defaults(command=_imagine)
    _add_flags(imagine)
    return parser


def _add_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="+", help="what to draw")
    parser.add_argument("--model", metavar="KEY", help="a model of the models file (default: its default)")
    parser.add_argument("--seed", type=_seed, metavar="N", help="of the first picture; the others count up")
    parser.add_argument("--ar", type=_aspect, metavar="W:H", help="aspect ratio, like 3:2")
    parser.add_argument("--steps", type=int, metavar="N", help="denoising steps")
    parser.add_argument("--cfg", type=float, metavar="X", help="guidance: how closely the prompt is followed")
    parser.add_argument("--no", default="", metavar="TEXT", help="what should not be in the picture")
    parser.add_argument("--count", type=int, metavar="N", help="how many pictures")
    parser.add_argument("--out", type=Path, default=Path(), metavar="DIR", help="where to (default: here)")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return seconds


def _seed(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", text, flags=re.ASCII) or int(text) > MAX_SEED:
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to {MAX_SEED}, not {text!r}")
    return int(text)


def _aspect(text: str) -> tuple[int, int]:
    try:
        return read_aspect(text)
    except ValueError:
        wanted = FLAGS["ar"].takes.replace("`", "")
        raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}") from None
