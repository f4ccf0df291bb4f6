"""The models that this installation offers: `models.toml`, read and checked. No torch, no network.

    catalogue = Catalogue.load(Path("models.toml"))
    catalogue["easel"].size_for((3, 2))   # (320, 208)

Every mistake in the file is one `CatalogueError` that names the file, the entry, the key and what is allowed.
"""

from __future__ import annotations

import contextlib
import math
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generation.contract import (
    Blend,
    Control,
    Edit,
    ImageToImage,
    Inpaint,
    Outpaint,
    Request,
    TextToImage,
    Tile,
    Upscale,
)
from generation.families import FAMILIES, Family, Way
from generation.text_files import NotUtf8, read_lines

BUILTIN_FOLDER = Path(__file__).resolve().parent / "builtin" / "weights"
"""Where the model that ships with Easel lies; `source = "builtin"` in `models.toml` means this folder."""

IGNORABLE = frozenset({"negative", "guidance"})
"""What a model may say that it pays no attention to."""

_LARGEST_SIDE = 4096
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_SHAPE_WEIGHT = 4.0
"""How much a wrong aspect ratio counts against a wrong area when a size is chosen."""


class CatalogueError(ValueError):
    """`models.toml` can't be used; the message is one sentence for the host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model: where it comes from, what it can be asked for, and what it costs.

    Sizes are pixels. `source` is a folder (`folder` is then its absolute path) or a Hugging Face id (`folder` is
    then None). `file` holds weights that take the place of the source's, in one file. `memory_gb` is what its weights and one batch need in half precision. `cost` is credits for each
    image, and `prices` are those of the actions for which it is another. `vocabulary` says that it was taught a small list of words only, and
    `adult` that it and its pictures belong into age-restricted channels only.
    """

    key: str
    name: str
    family: Family
    source: str
    folder: Path | None
    file: Path | None
    revision: str | None
    variant: str | None
    licence: str
    url: str | None
    description: str
    width: int
    height: int
    multiple: int
    min_side: int
    max_side: int
    max_pixels: int
    steps: int
    min_steps: int
    max_steps: int
    guidance: float
    min_guidance: float
    max_guidance: float
    ignores: frozenset[str]
    strength: float
    memory_gb: float
    cost: int
    prices: Mapping[str, int] = field(hash=False)
    max_images: int
    vocabulary: bool
    adult: bool

    def size_for(self, aspect: tuple[int, int]) -> tuple[int, int]:
        """The (width, height) nearest to the aspect ratio and the native area that this model can draw.

        Both sides are multiples of `multiple`, between `min_side` and `max_side`, and their product is at
        most `max_pixels`: a ratio beyond these comes out as the nearest one within. Raises ValueError for a
        ratio that isn't two positive numbers.
        """
        across, down = aspect
        if across <= 0 or down <= 0:
            raise ValueError(f"an aspect ratio is two positive numbers, not {across}:{down}")
        if across < down:
            height, width = self.size_for((down, across))
            return width, height
        ratio, area = across / down, self.width * self.height
        sizes = ((w, h) for w in self._sides() for h in self._heights(w / ratio) if w * h <= self.max_pixels)
        return min(sizes, key=lambda size: (_misfit(size, ratio, area), size))

    def price(self, action: str, images: int) -> int:
        """Credits for an action that draws so many images."""
        return self.prices.get(action, self.cost) * images

    def refusal(self, request: Request) -> str | None:
        """Why this model can't carry out the request, or None. The source picture isn't looked at."""
        way = way_of(request)
        if not self.family.can(way):
            return f"{self.name} {_LACKING[way]}"
        width, height, count = request.sampling.width, request.sampling.height, len(request.sampling.seeds)
        sides = (width, height)
        if way is Way.UPSCALE:
            if not all(self.min_side <= side <= _LARGEST_SIDE for side in sides):
                return f"{width}×{height}, and sides of a larger picture are {self.min_side} to {_LARGEST_SIDE}"
            sides = (self.width, self.height)
            width, height = sides
        if not all(self.min_side <= side <= self.max_side and side % self.multiple == 0 for side in sides):
            return (
                f"{width}×{height} isn't a size of {self.name}: sides are multiples of {self.multiple} "
                f"from {self.min_side} to {self.max_side}"
            )
        if width * height > self.max_pixels:
            return f"{width}×{height} is more than the {self.max_pixels} pixels of {self.name}"
        if not 1 <= count <= self.max_images:
            return f"{count} images at once, and {self.name} draws 1 to {self.max_images}"
        if not self.min_steps <= request.sampling.steps <= self.max_steps:
            return f"{request.sampling.steps} steps, and {self.name} takes {self.min_steps} to {self.max_steps}"
        if not math.isfinite(request.sampling.guidance):
            return f"a guidance of {request.sampling.guidance}"
        return None

    def _sides(self) -> range:
        return range(_up(self.min_side, self.multiple), self.max_side + 1, self.multiple)

    def _heights(self, ideal: float) -> Iterator[int]:
        """The allowed heights just below and above the ideal one."""
        sides = self._sides()
        below = int(ideal) // self.multiple * self.multiple
        yield from {min(max(side, sides[0]), sides[-1]) for side in (below, below + self.multiple)}
        yield sides[0]


_LACKING = {
    Way.TEXT: "needs a picture to start from",
    Way.IMAGE: "can't start from a picture",
    Way.INPAINT: "can't draw a part of a picture anew",
    Way.EDIT: "can't change a picture as words say",
    Way.CONTROL: "can't follow edges or depths",
    Way.OUTPAINT: "can't draw around a picture",
    Way.TILE: "can't draw a picture that continues itself",
    Way.BLEND: "can't blend pictures",
    Way.UPSCALE: "can't draw a picture larger",
}
_WAYS: Mapping[type[Request], Way] = {
    TextToImage: Way.TEXT,
    ImageToImage: Way.IMAGE,
    Inpaint: Way.INPAINT,
    Edit: Way.EDIT,
    Control: Way.CONTROL,
    Outpaint: Way.OUTPAINT,
    Tile: Way.TILE,
    Blend: Way.BLEND,
    Upscale: Way.UPSCALE,
}


def way_of(request: Request) -> Way:
    """The way in which a request is drawn."""
    return _WAYS[type(request)]


class Catalogue(Mapping[str, ModelSpec]):
    """Every model of the file by key, in the file's order."""

    def __init__(self, models: Mapping[str, ModelSpec], default: str) -> None:
        self._models = dict(models)
        self._default = default

    @classmethod
    def load(cls, path: Path, *, actions: Collection[str] | None = None) -> Catalogue:
        """Read and check the file. `actions` are those that may have a price; None for any. Raises CatalogueError."""
        try:
            data = tomllib.loads(read_lines(path))
        except FileNotFoundError:
            raise CatalogueError(f"{path}: there is no such file") from None
        except (OSError, NotUtf8, tomllib.TOMLDecodeError) as error:
            raise CatalogueError(f"{path}: {error}") from error
        return _catalogue(path, data, actions)

    @property
    def default(self) -> ModelSpec:
        """The model that is used where nobody chose one."""
        return self._models[self._default]

    def named(self, *, among_adults: bool) -> Mapping[str, ModelSpec]:
        """The models to tell people of: all of them among adults, and elsewhere those that are for everybody."""
        return {key: spec for key, spec in self.items() if among_adults or not spec.adult}

    def __getitem__(self, key: str) -> ModelSpec:
        return self._models[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)


def _catalogue(path: Path, data: dict[str, Any], actions: Collection[str] | None) -> Catalogue:
    if unknown := sorted(set(data) - {"default", "model"}):
        raise CatalogueError(f"{path}: `{unknown[0]}` means nothing here; allowed are `default` and [[model]]")
    entries = data.get("model")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise CatalogueError(f"{path}: there is no model; each one begins with a line [[model]]")
    models: dict[str, ModelSpec] = {}
    for number, entry in enumerate(entries, start=1):
        spec = _Entry(path, number, entry, actions).spec()
        if spec.key in models:
            raise CatalogueError(f"{path}: two models have the key '{spec.key}'; each needs one of its own")
        models[spec.key] = spec
    default = data.get("default", next(iter(models)))
    if not isinstance(default, str) or default not in models:
        raise CatalogueError(f"{path}: `default` is {default!r}; allowed are {', '.join(models)}")
    return Catalogue(models, default)


class _Entry:
    """One [[model]] table: takes its keys one at a time, and refuses what is left over."""

    def __init__(self, path: Path, number: int, table: dict[str, Any], actions: Collection[str] | None) -> None:
        self._path = path
        self._actions = actions
        self._left = dict(table)
        key = table.get("key")
        self._place = f"{path}, model {key!r}" if isinstance(key, str) else f"{path}, model number {number}"

    def spec(self) -> ModelSpec:
        source = self._text("source")
        sides = self._pair("native"), self._pair("sides")
        (width, height), (min_side, max_side) = sides
        multiple = self._whole("multiple", 1, 256)
        steps, (min_steps, max_steps) = self._whole("steps", 1, 150), self._pair("steps_range", most=150)
        guidance = self._number("guidance", 0, 100)
        min_guidance, max_guidance = self._range("guidance_range", 0, 100)
        family = self._family()
        spec = ModelSpec(
            key=self._matching("key", _KEY, "lower-case letters, digits, '.', '_' and '-', 32 at most"),
            name=self._text("name"),
            family=family,
            source=source,
            folder=self._folder(source),
            file=self._file(),
            revision=self._text("revision", None),
            variant=self._text("variant", None),
            licence=self._text("licence"),
            url=self._text("url", None),
            description=self._text("description", ""),
            width=width,
            height=height,
            multiple=multiple,
            min_side=min_side,
            max_side=max_side,
            max_pixels=self._whole("max_pixels", 1, _LARGEST_SIDE**2, default=width * height * 5 // 4),
            steps=steps,
            min_steps=min_steps,
            max_steps=max_steps,
            guidance=guidance,
            min_guidance=min_guidance,
            max_guidance=max_guidance,
            ignores=self._ignores() | family.ignores,
            strength=self._number("strength", 0.05, 1, default=0.7),
            memory_gb=self._number("memory_gb", 0.01, 1000),
            cost=self._whole("cost", 1, 1_000_000, default=1),
            prices=self._prices(),
            max_images=self._whole("max_images", 1, 4, default=4),
            vocabulary=self._flag("vocabulary"),
            adult=self._flag("adult"),
        )
        if self._left:
            self._refuse(next(iter(self._left)), "isn't a key of a model; remove it, or look for a spelling mistake")
        self._agree(spec)
        return spec

    def _agree(self, spec: ModelSpec) -> None:
        """Refuse values that are fine alone and impossible together."""
        if not spec.min_steps <= spec.steps <= spec.max_steps:
            self._refuse("steps", f"must lie in steps_range, {spec.min_steps} to {spec.max_steps}")
        if not spec.min_guidance <= spec.guidance <= spec.max_guidance:
            self._refuse("guidance", f"must lie in guidance_range, {spec.min_guidance} to {spec.max_guidance}")
        for side in (spec.width, spec.height):
            if side % spec.multiple or not spec.min_side <= side <= spec.max_side:
                allowed = f"multiples of {spec.multiple} from {spec.min_side} to {spec.max_side} (`sides`)"
                self._refuse("native", f"must be two {allowed}, not {spec.width} and {spec.height}")
        if spec.max_pixels < spec.width * spec.height:
            self._refuse("max_pixels", f"must be at least the native {spec.width * spec.height}")

    def _refuse(self, key: str, what: str) -> None:
        raise CatalogueError(f"{self._place}: `{key}` {what}")

    def _take(self, key: str, kind: Callable[[Any], bool], what: str, default: Any = ...) -> Any:
        value = self._left.pop(key, default)
        if value is ...:
            self._refuse(key, f"is missing; it must be {what}")
        if value is not default and not kind(value):
            self._refuse(key, f"must be {what}, not {value!r}")
        return value

    def _text(self, key: str, default: Any = ...) -> Any:
        return self._take(key, lambda value: isinstance(value, str) and value.strip() != "", "text", default)

    def _matching(self, key: str, pattern: re.Pattern[str], what: str) -> str:
        text: str = self._take(key, lambda v: isinstance(v, str) and pattern.fullmatch(v) is not None, what)
        return text

    def _flag(self, key: str) -> bool:
        return bool(self._take(key, lambda value: isinstance(value, bool), "true or false", False))

    def _whole(self, key: str, least: int, most: int, default: Any = ...) -> int:
        what = f"a whole number from {least} to {most}"
        return int(self._take(key, lambda value: _is_whole(value, least, most), what, default))

    def _number(self, key: str, least: float, most: float, default: Any = ...) -> float:
        what = f"a number from {least} to {most}"
        return float(self._take(key, lambda value: _is_number(value, least, most), what, default))

    def _pair(self, key: str, most: int = _LARGEST_SIDE) -> tuple[int, int]:
        what = f"two whole numbers from 1 to {most}" + ("" if key == "native" else ", the smaller first")
        ordered = key != "native"
        low, high = self._take(key, lambda v: _is_pair(v, lambda n: _is_whole(n, 1, most), ordered), what)
        return low, high

    def _range(self, key: str, least: float, most: float) -> tuple[float, float]:
        what = f"two numbers from {least} to {most}, the smaller first"
        low, high = self._take(key, lambda v: _is_pair(v, lambda n: _is_number(n, least, most), True), what)
        return float(low), float(high)

    def _family(self) -> Family:
        return FAMILIES[self._take("family", lambda value: value in FAMILIES, f"one of {', '.join(FAMILIES)}")]

    def _ignores(self) -> frozenset[str]:
        def fits(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(item, str) and item in IGNORABLE for item in value)

        return frozenset(self._take("ignores", fits, f"a list of {', '.join(sorted(IGNORABLE))}", ()))

    def _prices(self) -> dict[str, int]:
        def fits(value: Any) -> bool:
            return isinstance(value, dict) and all(
                (self._actions is None or key in self._actions) and _is_whole(price, 0, 1_000_000)
                for key, price in value.items()
            )

        what = f"credits for {', '.join(self._actions or ('actions',))}, whole numbers from 0 to 1000000"
        return dict(self._take("prices", fits, what, {}))

    def _file(self) -> Path | None:
        """The file that has the weights, or None if the source has them."""
        text = self._take(
            "file", lambda v: isinstance(v, str) and v.endswith(".safetensors"), "a .safetensors file", None
        )
        with contextlib.suppress(RuntimeError, ValueError):
            return text and (self._path.resolve().parent / Path(text).expanduser()).resolve()
        self._refuse("file", f"can't be found as {text!r}")
        return None

    def _folder(self, source: str) -> Path | None:
        """The folder that a source names, or None for a Hugging Face id."""
        if source == "builtin":
            return BUILTIN_FOLDER
        is_path = source.startswith(("/", ".", "~")) or Path(source).is_absolute()
        with contextlib.suppress(RuntimeError, ValueError):  # a "~" of nobody, or a null character
            folder = (self._path.resolve().parent / Path(source).expanduser()).resolve()
            if is_path or folder.is_dir():
                return folder
        if not _HUB_ID.fullmatch(source):
            self._refuse("source", f"must be 'builtin', a folder, or a Hugging Face id (owner/name), not {source!r}")
        return None


def _misfit(size: tuple[int, int], ratio: float, area: int) -> float:
    width, height = size
    return _SHAPE_WEIGHT * abs(math.log(width / height / ratio)) + abs(math.log(width * height / area))


def _up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def _is_whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_number(value: Any, least: float, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _is_pair(value: Any, fits: Callable[[Any], bool], ordered: bool) -> bool:
    if not isinstance(value, list) or len(value) != 2 or not all(fits(item) for item in value):
        return False
    return not ordered or value[0] <= value[1]
