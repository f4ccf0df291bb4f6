"""How well the model obeys what is not the prompt: negatives, guidance, sources, masks, seeds."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.builtin.architecture import PICTURE_SIZE
from generation.builtin.drawing.scenes import attributes
from generation.builtin.evaluation.adherence import Outcome, choose_tasks, draw_and_read
from generation.builtin.evaluation.generate import (
    Sampling,
    Wish,
    composite,
    generate,
    inpaint,
    load_pipeline,
    recode,
    redraw,
)
from generation.builtin.evaluation.probe import Probe
from generation.builtin.evaluation.tables import Figure, at_least, at_most, print_table, share
from generation.builtin.vocabulary import as_told

DROP_TARGET, AGREEMENT_TARGET, AFRESH_TARGET = 90.0, 80.0, 80.0
NO_GUIDANCE = 1.0
GUIDANCES = (NO_GUIDANCE, 2.0, 7.0)
"""Beside the default."""
PATCHES = 16
"""Layouts are compared between so many patches each way: one for each latent of a 256x256 picture."""
LAYOUT_TARGET = 0.8
STRENGTHS = (0.2, 0.4, 0.6, 0.8, 0.9)
SUBTLE = 0.45
"""The strength of the bot's Vary (Subtle)."""
VISIBLE = 2.0
"""The mean difference in levels (0..255) that can be seen."""
SEAM_TARGET = 2.0
"""The step across a mask's border, the source's own being 1.

Between rendered pictures it is 4.6 for a strange picture blended in, and in 95 of 100 the step along a line some pixels
further in or out is up to about twice as large: at 2 the border is no stronger than lines that are there anyway.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A prompt whose pictures show a value, and the negative prompt against it."""

    prompt: str
    attribute: str
    value: str


SAID = tuple(
    Case(prompt=prompt, attribute="thing", value=value)
    for prompt, value in (
        ("the sea at sunset with a boat", "boat"),
        ("a lake in the forest with a house", "house"),
        ("a meadow on a sunny day with a tree", "tree"),
        ("mountains at dawn with a balloon", "balloon"),
        ("the beach in the morning with a dog", "dog"),
        ("hills at night with a castle", "castle"),
    )
)
"""The thing is in the prompt, too; Easel leaves it out there."""
UNSAID = tuple(
    Case(prompt=prompt, attribute="luminary", value="sun")
    for prompt in (
        "a sunset over the sea",
        "sunrise over the hills",
        "the desert at dusk",
        "a meadow at dawn",
    )
)
"""What training mostly showed and seldom said: the sun at dawn and at sunset."""


def difference(one: Image.Image, other: Image.Image) -> NDArray[np.float64]:
    """The absolute difference of two pictures in levels (0..255), (rows, columns)."""
    both = (np.asarray(picture, np.float64) for picture in (one, other))
    apart: NDArray[np.float64] = np.abs(np.subtract(*both)).mean(axis=2)
    return apart


def mean_difference(ones: Sequence[Image.Image], others: Sequence[Image.Image]) -> float:
    """The mean difference over pairs of pictures, in levels (0..255)."""
    return float(np.mean([difference(*pair).mean() for pair in zip(ones, others, strict=True)]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The model, the probe, and how many pictures each measurement takes."""

    pipeline: Any
    probe: Probe
    sampling: Sampling
    seed: int
    count: int

    def seen(self, case: Case, negative: str) -> int:
        """In how many pictures of the case the probe sees the value; the model is told what Easel tells it."""
        prompt = as_told(case.prompt, negative)
        wishes = [Wish(prompt=prompt, negative=negative, seed=self.seed + index) for index in range(self.count)]
        readings = self.probe.read(generate(self.pipeline, wishes, self.sampling))
        return sum(reading[case.attribute] == case.value for reading in readings)


def measure_negatives(bench: Bench, _known: Outcome) -> list[Figure]:
    """How much rarer a thing becomes by naming it in the negative prompt."""
    figures = []
    rows: list[list[str]] = []
    for title, cases in (("said in the prompt", SAID), ("not said", UNSAID)):
        plain, negated = 0, 0
        for case in cases:
            before, after = bench.seen(case, ""), bench.seen(case, case.value)
            plain, negated = plain + before, negated + after
            shares = [f"{share(count, bench.count):.0f} %" for count in (before, after)]
            rows.append([case.prompt, case.value, *shares])
        drop = 100.0 * (1.0 - negated / plain) if plain else 0.0
        figures.append(at_least(f"negative prompt, drop where {title}", drop, DROP_TARGET))
    print_table(("prompt", "negative", "seen without", "seen with it"), rows)
    return figures


def measure_guidance(bench: Bench, known: Outcome) -> list[Figure]:
    """Adherence at several strengths of guidance; the default is to beat none at all, which is 1."""
    percents = {bench.sampling.guidance: known.tally().percent()}
    for guidance in GUIDANCES:
        sampling = replace(bench.sampling, guidance=guidance)
        outcome = draw_and_read(bench.pipeline, bench.probe, known.tasks, sampling)
        percents[guidance] = outcome.tally().percent()
    gain = percents[bench.sampling.guidance] - percents[NO_GUIDANCE]
    listed = ", ".join(f"{guidance:g}: {percent:.1f} %" for guidance, percent in sorted(percents.items()))
    return [
        Figure(what="adherence by guidance", measured=listed),
        Figure(
            what=f"guidance {bench.sampling.guidance:g} against {NO_GUIDANCE:g}, adherence",
            measured=f"{gain:+.1f} points",
            target="> 0 points",
            met=gain > 0.0,
        ),
    ]


def measure_strengths(bench: Bench, known: Outcome) -> list[Figure]:
    """Image-to-image: how far the output is from its source at growing strengths, and what another prompt does.

    With another picture's prompt a faint redrawing is still to show the source, and a strong one to be nearly as far
    from it as a picture drawn afresh.
    """

    def redrawn(wishes: Sequence[Wish], strength: float) -> list[Image.Image]:
        return redraw(bench.pipeline, wishes, known.pictures, strength, bench.sampling)

    own, others = _anew(known), _of_others(known)
    distances = [mean_difference(known.pictures, redrawn(own, strength)) for strength in STRENGTHS]
    faint, strong = redrawn(others, STRENGTHS[0]), redrawn(others, STRENGTHS[-1])
    fresh = generate(bench.pipeline, others, bench.sampling)
    changed = 100.0 * mean_difference(known.pictures, strong) / mean_difference(known.pictures, fresh)
    return [
        Figure(
            what=f"image-to-image, change in levels at {', '.join(map(str, STRENGTHS))}",
            measured=", ".join(f"{distance:.1f}" for distance in distances),
            target="rising",
            met=all(low < high for low, high in pairwise(distances)),
        ),
        at_least(
            f"another prompt at {STRENGTHS[0]}, attributes kept",
            attributes_kept(bench, known, faint),
            AGREEMENT_TARGET,
        ),
        at_least(f"another prompt at {STRENGTHS[-1]}, change against afresh", changed, AFRESH_TARGET),
        _layout_kept(known.pictures, faint, strong, fresh),
    ]


def _layout_kept(
    sources: Sequence[Image.Image],
    faint: Sequence[Image.Image],
    strong: Sequence[Image.Image],
    fresh: Sequence[Image.Image],
) -> Figure:
    kept, left, chance = (mean_likeness(sources, drawn) for drawn in (faint, strong, fresh))
    return Figure(
        what=f"another prompt, likeness of layout at {STRENGTHS[0]}, at {STRENGTHS[-1]}, afresh",
        measured=f"{kept:.2f}, {left:.2f}, {chance:.2f}",
        target=f"≥ {LAYOUT_TARGET} at {STRENGTHS[0]}",
        met=kept >= LAYOUT_TARGET,
    )


def mean_likeness(sources: Sequence[Image.Image], drawn: Sequence[Image.Image]) -> float:
    """How alike pictures are laid out, -1..1: the correlation of brightness over `PATCHES` × `PATCHES` patches."""

    def patches(picture: Image.Image) -> NDArray[np.float64]:
        small = picture.convert("L").resize((PATCHES, PATCHES), Image.Resampling.BOX)
        return np.asarray(small, np.float64).ravel()

    pairs = zip(sources, drawn, strict=True)
    return float(np.mean([np.corrcoef(patches(one), patches(other))[0, 1] for one, other in pairs]))


def attributes_kept(bench: Bench, known: Outcome, redrawn: Sequence[Image.Image]) -> float:
    """The share of the scenes' attributes, in per cent, that the probe reads off the redrawn as off their sources."""
    asked, same = 0, 0
    for task, before, after in zip(known.tasks, known.readings, bench.probe.read(redrawn), strict=True):
        names = attributes(task.scene)
        asked, same = asked + len(names), same + sum(before[name] == after[name] for name in names)
    return share(same, asked)


def border_step(pictures: Sequence[Image.Image], mask: NDArray[np.bool_]) -> float:
    """The mean step between neighbouring pixels on two sides of the mask's border, in levels (0..255)."""
    steps = []
    for picture in pictures:
        pixels = np.asarray(picture, np.float64)
        for axis in (0, 1):
            apart = np.abs(np.diff(pixels, axis=axis)).mean(axis=2)
            steps.append(apart[np.diff(mask, axis=axis)])
    return float(np.concatenate(steps).mean())


def measure_inpainting(bench: Bench, known: Outcome) -> list[Figure]:
    """What inpainting the middle changes inside and outside the mask, and how its border fits."""
    mask = np.zeros((PICTURE_SIZE, PICTURE_SIZE), np.bool_)
    mask[PICTURE_SIZE // 4 : -PICTURE_SIZE // 4, PICTURE_SIZE // 4 : -PICTURE_SIZE // 4] = True
    sources = known.pictures

    def changed(drawn: Sequence[Image.Image], where: NDArray[np.bool_]) -> float:
        pairs = zip(sources, drawn, strict=True)
        return float(np.mean([difference(*pair)[where].mean() for pair in pairs]))

    def seam(drawn: Sequence[Image.Image]) -> float:
        pasted = [composite(*pair, mask) for pair in zip(sources, drawn, strict=True)]
        return border_step(pasted, mask) / border_step(sources, mask)

    others = inpaint(bench.pipeline, _of_others(known), sources, mask, bench.sampling)
    own = inpaint(bench.pipeline, _anew(known), sources, mask, bench.sampling)
    only_coded = changed(recode(bench.pipeline, sources), ~mask)
    apart = changed(others, ~mask)
    strangers = [*sources[1:], sources[0]]
    return [
        at_least("inpainting, change inside the mask, another prompt", changed(others, mask), VISIBLE, "levels"),
        Figure(what="inpainting, change outside, before compositing", measured=f"{apart:.2f} levels"),
        at_most("of it more than the autoencoder's own", apart - only_coded, VISIBLE, "levels"),
        at_most("inpainting, step across the border, the source's being 1", seam(own), SEAM_TARGET, "times"),
        Figure(
            what="the same before compositing",
            measured=f"{border_step(own, mask) / border_step(sources, mask):.1f} times",
        ),
        Figure(what="the same with another prompt", measured=f"{seam(others):.1f} times"),
        Figure(what="the same with another picture in its place", measured=f"{seam(strangers):.1f} times"),
    ]


def measure_subtle(bench: Bench, known: Outcome) -> list[Figure]:
    """Whether a subtle variation shows the same and yet differs."""
    varied = redraw(bench.pipeline, _anew(known), known.pictures, SUBTLE, bench.sampling)
    kept = attributes_kept(bench, known, varied)
    change = mean_difference(known.pictures, varied)
    return [
        at_least("subtle variation, attributes kept", kept, AGREEMENT_TARGET),
        at_least("subtle variation, change", change, VISIBLE, "levels"),
    ]


def measure_repetition(bench: Bench, known: Outcome) -> list[Figure]:
    """Whether the same seeds give the same pictures, bit for bit."""
    again = generate(bench.pipeline, [task.wish for task in known.tasks], bench.sampling)
    equal = sum(not difference(*pair).any() for pair in zip(known.pictures, again, strict=True))
    measured = share(equal, len(again))
    return [at_least("the same seed twice, equal pictures", measured, 100.0)]


def _anew(known: Outcome) -> list[Wish]:
    """The same wishes with other seeds."""
    return [replace(task.wish, seed=task.wish.seed + 500_000) for task in known.tasks]


def _of_others(known: Outcome) -> list[Wish]:
    """For each picture the wish of the next one, with another seed."""
    wishes = _anew(known)
    return [*wishes[1:], wishes[0]]


MEASUREMENTS: dict[str, Callable[[Bench, Outcome], list[Figure]]] = {
    "the same seed twice": measure_repetition,
    "image-to-image": measure_strengths,
    "inpainting": measure_inpainting,
    "subtle variations": measure_subtle,
    "negative prompts": measure_negatives,
    "guidance": measure_guidance,
}


def run(options: Namespace) -> list[Figure]:
    """The command `control`."""
    bench = Bench(
        pipeline=load_pipeline(options.weights),
        probe=Probe.load(),
        sampling=Sampling(batch=options.batch),
        seed=options.seed,
        count=options.prompts,
    )
    print("pictures to start from", flush=True)
    known = draw_and_read(bench.pipeline, bench.probe, choose_tasks(bench.seed, bench.count), bench.sampling)
    figures = []
    for title in options.only or MEASUREMENTS:
        print(title, flush=True)
        figures += MEASUREMENTS[title](bench, known)
    return figures
