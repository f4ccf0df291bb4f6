"""How faithfully the model draws what it is told: scenes are worded, drawn, and read with the probe."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from generation.builtin.architecture import PICTURE_SIZE
from generation.builtin.captions import caption
from generation.builtin.drawing.choice import HELD_OUT, choose_scene
from generation.builtin.drawing.scenes import Scene, attributes
from generation.builtin.evaluation.generate import Sampling, Wish, generate, load_pipeline
from generation.builtin.evaluation.layout import lay_out
from generation.builtin.evaluation.probe import Probe
from generation.builtin.evaluation.rendered import choose_size
from generation.builtin.evaluation.tables import Figure, at_least, share
from generation.builtin.evaluation.tally import Tally, tally

TARGET, HELD_OUT_TARGET, LOWEST_TARGET = 97.0, 93.0, 85.0
ALWAYS = ("size", "place", "style")
"""Attributes whose ordinary value "" is judged too: what goes unsaid means it."""
ADDABLE = ("thing", "weather", "luminary")
"""Attributes whose value "" is a place left empty, where a picture may show what nobody asked for."""
WRONG_SHOWN, WRONG_COLUMNS = 64, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A scene and the wish that asks for it."""

    scene: Scene
    wish: Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The tasks, their pictures, and what the probe read off those."""

    tasks: Sequence[Task]
    pictures: Sequence[Image.Image]
    readings: Sequence[Mapping[str, str]]

    def tally(self) -> Tally:
        """The count of all that was asked for."""
        return tally([judged(task.scene) for task in self.tasks], self.readings)


def choose_tasks(seed: int, count: int, *, held_out: bool = False, all_sizes: bool = False) -> list[Task]:
    """Scenes at random with a wording and a seed each."""
    tasks = []
    for index in range(count):
        rng = np.random.default_rng((seed, index))
        scene = choose_scene(rng, held_out=held_out)
        wish = Wish(
            prompt=caption(Random(f"{seed} {index}"), scene),
            seed=seed + index,
            size=choose_size(rng) if all_sizes else (PICTURE_SIZE, PICTURE_SIZE),
        )
        tasks.append(Task(scene=scene, wish=wish))
    return tasks


def judged(scene: Scene) -> dict[str, str]:
    """What the scene's caption asks for, said or ordinary. At dawn and at sunset the sun goes mostly unsaid."""
    shown = attributes(scene)
    if shown.get("luminary") == "sun" and shown["time"] != "day":
        del shown["luminary"]
    return {name: value for name, value in shown.items() if value or name in ALWAYS}


def unasked(scene: Scene) -> dict[str, str]:
    """What a landscape can show and its caption doesn't ask for; at dawn and at sunset the sun goes mostly unsaid."""
    shown = attributes(scene)
    sun_goes_unsaid = shown.get("time") in ("dawn", "sunset")
    return {name: "" for name in ADDABLE if shown.get(name) == "" and not (name == "luminary" and sun_goes_unsaid)}


def held_out_pair(scene: Scene) -> dict[str, str]:
    """The judged attributes that make the scene one which training leaves out."""
    asked = judged(scene)
    values = {str(getattr(scene, name)) for name in type(scene).__slots__}
    named = {value for pair in HELD_OUT if values.issuperset(pair) for value in pair}
    return {name: value for name, value in asked.items() if value in named}


def wrong(asked: Mapping[str, str], reading: Mapping[str, str]) -> dict[str, str]:
    """The attributes asked for that were read otherwise, and how."""
    return {name: reading[name] for name, value in asked.items() if reading[name] != value}


def draw_and_read(pipeline: Any, probe: Probe, tasks: Sequence[Task], sampling: Sampling) -> Outcome:
    """Draws the tasks' pictures and reads them."""
    pictures = generate(pipeline, [task.wish for task in tasks], sampling)
    return Outcome(tasks=tasks, pictures=pictures, readings=probe.read(pictures))


def save_wrong(
    asked: Sequence[Mapping[str, str]],
    prompts: Sequence[str],
    pictures: Sequence[Image.Image],
    readings: Sequence[Mapping[str, str]],
    path: Path,
) -> None:
    """A sheet of the first pictures with anything wrong: the prompt, and what was asked and read."""
    faulty, texts = [], []
    for wanted, prompt, picture, reading in zip(asked, prompts, pictures, readings, strict=True):
        if found := wrong(wanted, reading):
            faults = (f"{wanted[name] or 'no ' + name}>{value or 'none'}" for name, value in found.items())
            faulty.append(picture)
            texts.append(f"[{', '.join(faults)}] {prompt}")
    if faulty:
        lay_out(faulty[:WRONG_SHOWN], texts[:WRONG_SHOWN], WRONG_COLUMNS).save(path)
        print(f"{len(faulty)} pictures with a fault; the first {min(len(faulty), WRONG_SHOWN)}: {path}\n")


def summarise(outcome: Outcome, held_out: bool) -> list[Figure]:
    """The overall figures with their targets."""
    counted = outcome.tally()
    name, lowest = counted.lowest()
    scenes = [task.scene for task in outcome.tasks]
    judgements = zip(map(judged, scenes), outcome.readings, strict=True)
    perfect = sum(not wrong(*pair) for pair in judgements)
    empty = tally([unasked(scene) for scene in scenes], outcome.readings)
    figures = [
        at_least(
            "adherence, held out" if held_out else "adherence",
            counted.percent(),
            HELD_OUT_TARGET if held_out else TARGET,
        ),
        at_least(f"lowest attribute: {name}", lowest, LOWEST_TARGET),
        Figure(what="pictures without a fault", measured=f"{share(perfect, len(scenes)):.1f} %"),
        Figure(what="nothing added: thing, weather, sun, moon", measured=f"{empty.percent():.1f} %"),
    ]
    if held_out:
        pairs = tally([held_out_pair(scene) for scene in scenes], outcome.readings)
        figures.append(Figure(what="attributes of held-out pairs", measured=f"{pairs.percent():.1f} %"))
    return figures


def run(options: Namespace) -> list[Figure]:
    """The command `adherence`."""
    pipeline, probe = load_pipeline(options.weights), Probe.load()
    tasks = choose_tasks(options.seed, options.prompts, held_out=options.held_out, all_sizes=options.all_sizes)
    sampling = Sampling(steps=options.steps, guidance=options.guidance, batch=options.batch)
    outcome = draw_and_read(pipeline, probe, tasks, sampling)
    outcome.tally().print(LOWEST_TARGET)
    kind = "held-out" if options.held_out else "usual"
    save_wrong(
        [judged(task.scene) for task in tasks],
        [task.wish.prompt for task in tasks],
        outcome.pictures,
        outcome.readings,
        options.work / f"adherence-wrong-{kind}.png",
    )
    return summarise(outcome, options.held_out)
