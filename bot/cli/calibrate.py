"""`./easel calibrate`: prices for the models from the seconds that drawing with them took on this machine.

One credit buys the same time with every model. Pure but for `run`, which reads the database and `models.toml`.
"""

from __future__ import annotations

import codecs
import math
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.settings.settings import Settings, StartupError
from generation.catalogue import Catalogue, ModelSpec
from generation.contract import ImageToImage, Request, Sampling, TextToImage
from generation.text_files import read_lines
from storage.database import Database, Transaction
from storage.jobs import timings


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Seconds that one picture takes: of a prompt, and of a variation where one was drawn. `jobs` were measured."""

    seconds: float
    vary: float | None
    jobs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Credits for a picture, and for one of a variation if that costs something else."""

    cost: int
    vary: int | None


async def run(settings: Settings, *, seconds: float | None, write: bool) -> str:
    """Measure, propose and, if so wished, write prices; what to tell the host.

    `seconds` are those that one credit buys: those of the quickest model's picture if left out. Raises StartupError
    where nothing was measured, CatalogueError, and StorageError while the bot is running.
    """
    catalogue = Catalogue.load(settings.models)
    measured = await _measure(settings.data, catalogue)
    if not measured:
        raise StartupError("Nothing was drawn here yet, so there is nothing to calibrate with: draw a few pictures.")
    unit = seconds or min(one.seconds for one in measured.values())
    prices = {key: price(one, unit) for key, one in measured.items()}
    table = _table(catalogue, measured, prices, unit)
    if not write:
        return f"{table}\n`./easel calibrate --write` writes these prices into {settings.models}."
    write_prices(settings.models, catalogue, prices)
    return f"{table}\nWritten into {settings.models}. They hold from the next start on."


async def _measure(data: Path, catalogue: Catalogue) -> dict[str, Measured]:
    if not (data / "easel.db").exists():
        return {}
    database = await Database.open(data)
    try:
        async with database.reading() as tx:
            jobs = await timings.measured_jobs(tx)
            return {key: await _measured(tx, spec, jobs[key]) for key, spec in catalogue.items() if key in jobs}
    finally:
        await database.close()


async def _measured(tx: Transaction, spec: ModelSpec, jobs: Mapping[str, int]) -> Measured:
    usual: dict[str, Any] = {
        "model": spec.key,
        "prompt": "",
        "negative": "",
        "width": spec.width,
        "height": spec.height,
        "steps": spec.steps,
        "guidance": spec.guidance,
        "seeds": tuple(range(spec.max_images)),
    }

    async def seconds(request: Request) -> float:
        return await timings.expect(tx, timings.shape_of(request)) / spec.max_images

    varied = ImageToImage(sampling=Sampling(**usual), strength=spec.strength)
    return Measured(
        seconds=await seconds(TextToImage(sampling=Sampling(**usual))),
        vary=await seconds(varied) if ImageToImage.__name__ in jobs else None,
        jobs=sum(jobs.values()),
    )


def price(measured: Measured, unit: float) -> Price:
    """What a picture costs where `unit` seconds are one credit: at least 1."""
    cost = _credits(measured.seconds / unit)
    vary = None if measured.vary is None else _credits(measured.vary / unit)
    return Price(cost=cost, vary=None if vary == cost else vary)


def _credits(share: float) -> int:
    return min(1_000_000, max(1, math.floor(share + 0.5)))


def _table(catalogue: Catalogue, measured: Mapping[str, Measured], prices: Mapping[str, Price], unit: float) -> str:
    rows = [("Model", "jobs", "seconds a picture", "cost now", "proposed")]
    for key, one in measured.items():
        spec, new = catalogue[key], prices[key]
        vary = f" (vary {new.vary})" if new.vary is not None else ""
        rows.append((spec.name, str(one.jobs), f"{one.seconds:.2f}", str(spec.cost), f"{new.cost}{vary}"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join([*(line.rstrip() for line in lines), f"One credit is {unit:.2f} s of drawing."])


def write_prices(models: Path, catalogue: Catalogue, prices: Mapping[str, Price]) -> None:
    """Write prices into the models file, with its byte order mark and its line ends as they are. Raises StartupError."""
    old = models.read_bytes()
    new = rewritten(read_lines(models), catalogue, prices)
    if b"\r\n" in old:
        new = new.replace("\n", "\r\n")
    mark = codecs.BOM_UTF8 if old.startswith(codecs.BOM_UTF8) else b""
    _replace(models, mark + new.encode())


def rewritten(text: str, catalogue: Catalogue, prices: Mapping[str, Price]) -> str:
    """The models file with these prices, and all else as it was. Raises StartupError for a file that is too unusual."""
    wanted = tomllib.loads(text)
    new = text
    for entry in wanted["model"]:
        if (chosen := prices.get(entry["key"])) is None:
            continue
        others = {**catalogue[entry["key"]].prices}
        if chosen.vary is not None:
            others["vary"] = chosen.vary
        elif others.get("vary"):  # of 0 it stays, as the host made it free
            del others["vary"]
        entry.pop("prices", None)
        entry.update({"cost": chosen.cost, **({"prices": others} if others else {})})
        inline = ", ".join(f"{action} = {credits}" for action, credits in others.items())
        new = _with_line(new, entry["key"], "prices", f"{{ {inline} }}" if others else None)
        new = _with_line(new, entry["key"], "cost", str(chosen.cost))
    try:
        done = tomllib.loads(new) == wanted
    except tomllib.TOMLDecodeError:
        done = False
    if not done:
        raise StartupError("The models file is laid out in a way that this can't edit: write the prices by hand.")
    return new


def _with_line(text: str, model: str, name: str, value: str | None) -> str:
    """The text with one line of a model's entry set, or taken out."""
    blocks = re.split(r"(?m)^(?=[ \t]*\[\[model\]\])", text)
    mine = re.compile(rf"""(?m)^([ \t]*)key[ \t]*=[ \t]*["']{re.escape(model)}["'][^\n]*\n""")
    line = re.compile(rf"(?m)^[ \t]*{name}[ \t]*=[^\n]*\n?")
    for number, block in enumerate(blocks):
        if not (found := mine.search(block)):
            continue
        new = "" if value is None else f"{name} = {value}\n"
        if line.search(block):
            blocks[number] = line.sub(lambda _: new, block, count=1)  # noqa: B023 - called at once
        else:
            blocks[number] = block[: found.end()] + new + block[found.end() :]
    return "".join(blocks)


def _replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all. Raises StartupError."""
    path = path.resolve()
    try:
        descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            shutil.copymode(path, beside)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise StartupError(f"{path} can't be written ({error.strerror}).") from error
