"""Trains the probe on the pool's pictures, and tests it on fresh ones.

Pictures are made a little brighter, softer and noisier at random, so that what an autoencoder does to them is forgiven.
"""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from generation.builtin.evaluation.probe import CLASSES, PROBE_PATH, SKIPPED, Probe, encode, halved, visible
from generation.builtin.evaluation.rendered import rendered
from generation.builtin.evaluation.tables import Figure, at_least
from generation.builtin.evaluation.tally import Tally
from generation.builtin.training.device import DEVICE, half_precision
from generation.builtin.training.pool import Part, draw_pool, picture_at
from generation.builtin.training.run import Run, make_optimisers, one_cycle

BATCH = 32
LEARNING_RATE = 3e-3
ENDS = ("trunk.0.", "heads")
"""What AdamW trains: the first convolution and the last layer."""
BRIGHTNESS, NOISE, SOFTEST = 0.06, 0.04, 0.8
"""At most: the change of brightness, the noise's spread on a scale of -1..1, the blur's in halved pixels."""
FOREIGN = 10.0
"""Mean difference in levels (0..255) from which on two pictures are not of one scene."""
HELD_OUT_SHARE = 0.15
"""How many of those scenes that the model never sees the probe learns beside the pool: it is to read anything."""
TARGET = 99.0
FRESH_PICTURES = 2000
CHUNK = 100
_SAME_SEED = "The probe must be tested on another seed than that of the pool."


def check_pool(pool: Sequence[Part]) -> None:
    """Raises ValueError where the seed does not give a part's pictures: its labels would be wrong."""
    for part in pool:
        fresh = picture_at(part.seed, part.size, 0, held_out=part.held_out)[1].astype(float)
        if np.abs(fresh - part.pictures[0]).mean() > FOREIGN:
            raise ValueError(f"The pictures of {part.name} were drawn with another seed than {part.seed}.")


def soften(pictures: Tensor, spread: float) -> Tensor:
    """A Gaussian blur of that spread in pixels."""
    taps = torch.exp(-0.5 * (torch.arange(-3, 4, device=pictures.device) / spread) ** 2)
    kernel = (taps / taps.sum()).expand(3, 1, 1, -1)
    across = functional.conv2d(functional.pad(pictures, (3, 3, 3, 3), mode="replicate"), kernel, groups=3)
    return functional.conv2d(across, kernel.transpose(2, 3), groups=3)


def augment(rng: np.random.Generator, pictures: Tensor, mirrorable: Tensor) -> Tensor:
    """Mirrored, brighter or darker, softer and noisier at random; halved pictures, (n, 3, rows, columns)."""
    mirrored = torch.from_numpy(rng.random(len(pictures)) < 0.5).to(pictures.device) & mirrorable
    pictures = torch.where(mirrored[:, None, None, None], pictures.flip(3), pictures)
    if rng.random() < 0.6:
        pictures = soften(pictures, float(rng.uniform(0.2, SOFTEST)))
    amounts = torch.rand(2, len(pictures), 1, 1, 1, device=pictures.device)
    noise = NOISE * amounts[0] ** 2 * torch.randn_like(pictures)
    lit = pictures * (1.0 + BRIGHTNESS * (2.0 * amounts[1] - 1.0))
    return (lit + noise).clamp(-1.0, 1.0).contiguous(memory_format=torch.channels_last)


def batches(rng: np.random.Generator, pool: Sequence[Part]) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches of augmented pictures of one size, and their classes (n, attributes)."""
    parts = [part for part in pool if len(part.pictures)]
    place = list(CLASSES).index("place")
    sides = torch.tensor([CLASSES["place"].index(side) for side in ("left", "right")], device=DEVICE)
    labels = [torch.tensor([encode(part.scene(index)) for index in range(len(part.pictures))]) for part in parts]
    odds = np.asarray([len(part.pictures) for part in parts], float)
    while True:
        which = int(rng.choice(len(parts), p=odds / odds.sum()))
        chosen = np.sort(rng.integers(0, len(parts[which].pictures), BATCH))
        known = labels[which][torch.from_numpy(chosen)].to(DEVICE)
        mirrorable = ~torch.isin(known[:, place], sides)
        yield augment(rng, halved(parts[which].pictures[chosen]), mirrorable), known


def probe_loss(probe: Probe, pictures: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy summed over the attributes that each picture shows, per picture."""
    with half_precision():
        scores = probe(pictures)
    losses = [
        functional.cross_entropy(scores[name], labels[:, index], ignore_index=SKIPPED, reduction="sum")
        for index, name in enumerate(CLASSES)
    ]
    return torch.stack(losses).sum() / len(pictures)


def train_probe(work: Path, pool: Sequence[Part], seed: int, steps: int, out: Path = PROBE_PATH) -> Probe:
    """Trains until `steps` are done, earlier runs counted in, saving as it goes, and writes `out`."""
    check_pool(pool)
    torch.manual_seed(seed)
    probe = Probe()
    optimisers = make_optimisers(probe, ENDS, LEARNING_RATE, LEARNING_RATE, 0.01)
    run = Run(work / "probe.pt", {"probe": probe.train()}, optimisers)
    torch.manual_seed(seed + run.step)
    drawn = batches(np.random.default_rng((seed, run.step)), pool)
    run.go_on(steps, lambda: probe_loss(probe, *next(drawn)), one_cycle)
    probe.save(out, {"steps": str(run.step), "seed": str(seed)})
    return Probe.load(out)


def examine(probe: Probe, seed: int, count: int, *, held_out: bool = False) -> Tally:
    """How often the probe reads freshly drawn pictures right, for each attribute that they show."""
    counted, fresh = Tally(), rendered(seed, count, held_out=held_out)
    for start in range(0, count, CHUNK):
        scenes, pictures = zip(*(next(fresh) for _ in range(min(CHUNK, count - start))), strict=True)
        for scene, reading in zip(scenes, probe.read(pictures), strict=True):
            counted.add(visible(scene), reading)
        print(f"read {start + len(scenes)} of {count}  {counted.percent():.2f} % right", flush=True)
    return counted


def probe_pool(work: Path, seed: int, count: int) -> Sequence[Part]:
    """The model's pool of `count` pictures, and beside it scenes that the model is never shown."""
    usual = draw_pool(work, seed, count)
    return [*usual, *draw_pool(work, seed, round(count * HELD_OUT_SHARE), held_out=True)]


def run(options: Namespace) -> list[Figure]:
    """The command `probe`."""
    if options.seed == options.pool_seed:
        raise ValueError(_SAME_SEED)
    pool = probe_pool(options.work, options.pool_seed, options.pictures)
    return measure(train_probe(options.work, pool, options.pool_seed, options.steps), options)


def measure(probe: Probe, options: Namespace) -> list[Figure]:
    """The figures of a trained probe on fresh pictures, usual ones and such as the model's training leaves out."""
    figures = []
    for title, held_out in (("probe", False), ("probe, held out", True)):
        counted = examine(probe, options.seed, options.fresh, held_out=held_out)
        counted.print(TARGET)
        name, percent = counted.lowest()
        figures += [
            at_least(f"{title}: all attributes", counted.percent(), TARGET),
            at_least(f"{title}: lowest, {name}", percent, TARGET),
        ]
    return figures


def run_reading(options: Namespace) -> list[Figure]:
    """The command `reading`: tests the probe as it is shipped, and trains nothing."""
    if options.seed == options.pool_seed:
        raise ValueError(_SAME_SEED)
    return measure(Probe.load(), options)
