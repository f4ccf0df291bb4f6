"""The yardsticks of the built-in model: what the probe learns, what is counted, and what is printed."""

from math import inf, isclose, log10
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from generation.builtin.architecture import PROMPT_TOKENS
from generation.builtin.drawing.choice import HELD_OUT, choose_scene, is_held_out
from generation.builtin.drawing.scenes import Landscape, Scene, Shape, Still
from generation.builtin.evaluation import adherence, cost, probe_training, wordings
from generation.builtin.evaluation.__main__ import WEIGHTS, parse_arguments
from generation.builtin.evaluation.adherence import Outcome, Task, choose_tasks, held_out_pair, judged
from generation.builtin.evaluation.autoencoder import psnr
from generation.builtin.evaluation.control import difference
from generation.builtin.evaluation.generate import Sampling, Wish, composite
from generation.builtin.evaluation.layout import lay_out
from generation.builtin.evaluation.probe import CLASSES, PROBE_PATH, SKIPPED, Probe, encode, visible
from generation.builtin.evaluation.sheet import PROMPTS
from generation.builtin.evaluation.tables import at_most
from generation.builtin.evaluation.tally import tally
from generation.builtin.tokens import make_tokenizer
from generation.builtin.training import pool, run
from generation.builtin.training.pool import Part, picture_at
from generation.builtin.vocabulary import unknown_words
from generation.catalogue import Catalogue

SQUARE, WIDE = (256, 256), (320, 192)


def landscape(**changes: str) -> Landscape:
    ordinary = {
        "time": "day", "weather": "", "ground": "hills", "water": "", "season": "", "luminary": "",
        "thing": "", "colour": "", "style": "",
    }  # fmt: skip
    return Landscape(**{**ordinary, **changes})


def shape(style: str = "", place: str = "") -> Shape:
    return Shape(shape="star", colour="red", background="blue", size="", count=3, place=place, style=style)


def labels(scene: Scene) -> dict[str, int]:
    return dict(zip(CLASSES, encode(scene), strict=True))


def small_pool(seed: int = 3, count: int = 8) -> list[Part]:
    return [
        Part(size=size, seed=seed, pictures=np.stack([picture_at(seed, size, i)[1] for i in range(count)]))
        for size in (SQUARE, WIDE)
    ]


def test_labels_say_what_the_scene_shows() -> None:
    for seed in range(300):
        scene = choose_scene(np.random.default_rng(seed))
        named = {name: CLASSES[name][label] for name, label in labels(scene).items() if label != SKIPPED}
        assert named == visible(scene)
        assert named["style"] == scene.style


def test_what_a_scene_does_not_have_is_skipped() -> None:
    assert labels(shape())["time"] == labels(landscape())["shape"] == SKIPPED
    assert labels(landscape(thing="boat"))["colour"] == SKIPPED
    assert labels(landscape())["thing"] == labels(shape())["size"] == 0
    assert labels(shape())["count"] == 2


@pytest.mark.parametrize("style", ["sketch", "neon"])
def test_what_a_style_hides_is_skipped(style: str) -> None:
    still = Still(thing="cat", colour="black", wall="red", style=style)
    assert labels(shape(style))["background"] == labels(still)["wall"] == SKIPPED
    assert labels(landscape(style=style, season="winter"))["season"] == SKIPPED
    assert labels(still)["thing"] != SKIPPED


def test_the_probe_reads_mixed_sizes_and_survives_saving(tmp_path: Path) -> None:
    torch.manual_seed(0)
    probe = Probe()
    assert 400_000 < sum(parameter.numel() for parameter in probe.parameters()) < 600_000
    pictures = [Image.fromarray(picture_at(3, size, 0)[1]) for size in (SQUARE, WIDE, SQUARE)]
    readings = probe.read(pictures)
    assert readings[0] == probe.read(np.asarray(pictures[0])[None])[0]
    assert all(reading[name] in known for reading in readings for name, known in CLASSES.items())
    probe.half().float().save(tmp_path / "probe.safetensors", {"steps": "0"})
    assert Probe.load(tmp_path / "probe.safetensors").read(pictures) == probe.read(pictures)
    with pytest.raises(FileNotFoundError, match=r"evaluation probe"):
        Probe.load(tmp_path / "missing.safetensors")


def test_the_shipped_probe_reads_what_is_drawn_and_sees_nothing_in_grey() -> None:
    probe = Probe.load()
    assert probe_training.examine(probe, 11, 60).percent() > 97
    assert probe_training.examine(probe, 11, 60, held_out=True).percent() > 97
    grey = probe.read([Image.new("RGB", SQUARE, "grey")])[0]
    assert grey["thing"] == ""


def test_the_loss_passes_over_skipped_labels() -> None:
    probe, pictures = Probe(), torch.zeros(2, 3, 128, 128)
    nothing = torch.full((2, len(CLASSES)), SKIPPED)
    assert not probe_training.probe_loss(probe, pictures, nothing).any()
    assert (probe_training.probe_loss(probe, pictures, torch.zeros_like(nothing)) > 1.0).all()


def test_training_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe_training, "BATCH", 4)
    monkeypatch.setattr(run, "REPORT_EVERY", 1)
    out = tmp_path / "probe.safetensors"
    for steps in (1, 2):
        probe = probe_training.train_probe(tmp_path, small_pool(), 3, steps, out)
        assert capsys.readouterr().out.startswith(f"probe step {steps} of {steps}")
    assert out.stat().st_size < 1_400_000
    assert sum(probe_training.examine(probe, 5, 3).counts()) > 0


def test_a_pool_of_another_seed_is_refused() -> None:
    (part, _) = small_pool(count=1)
    probe_training.check_pool([part])
    with pytest.raises(ValueError, match="another seed"):
        probe_training.check_pool([Part(size=part.size, seed=4, pictures=part.pictures)])


def test_the_probe_learns_what_the_model_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "CHUNK", 2)
    monkeypatch.setattr(pool, "SHARES", {SQUARE: 1.0})
    usual, held_out = probe_training.probe_pool(tmp_path, 3, 4)
    assert (len(usual.pictures), len(held_out.pictures)) == (4, 2), "of a small pool, too"
    assert not any(is_held_out(usual.scene(index)) for index in range(4))
    assert all(is_held_out(held_out.scene(index)) for index in range(2))
    probe_training.check_pool([usual, held_out])


def test_softening_keeps_a_flat_picture() -> None:
    flat = torch.full((1, 3, 8, 8), 0.25)
    assert torch.allclose(probe_training.soften(flat, 1.0), flat, atol=1e-6)


def test_only_what_is_asked_for_is_judged() -> None:
    assert judged(landscape()) == {"time": "day", "ground": "hills", "style": ""}
    assert judged(shape())["size"] == judged(shape())["place"] == ""
    assert judged(landscape(luminary="sun"))["luminary"] == "sun"
    assert judged(landscape(time="night", luminary="moon"))["luminary"] == "moon"
    assert "luminary" not in judged(landscape(time="sunset", luminary="sun"))
    assert "time" not in judged(landscape(style="sketch"))


def test_what_nobody_asked_for_is_counted_beside_adherence() -> None:
    nothing = {"thing": "", "weather": "", "luminary": ""}
    assert adherence.unasked(landscape()) == nothing
    assert adherence.unasked(landscape(thing="boat", weather="fog")) == {"luminary": ""}
    assert adherence.unasked(landscape(time="sunset")) == {"thing": "", "weather": ""}
    assert adherence.unasked(landscape(style="sketch")) == {"thing": "", "weather": ""}
    assert adherence.unasked(shape()) == {}
    seen = {"time": "day", "ground": "hills", "style": "", **nothing}
    outcome = Outcome(
        tasks=[Task(scene=landscape(), wish=Wish(prompt="hills", seed=1))] * 2,
        pictures=[Image.new("RGB", SQUARE)] * 2,
        readings=[seen, {**seen, "thing": "house"}],
    )
    overall, _, _, added = adherence.summarise(outcome, held_out=False)
    assert overall.measured == "100.0 %"
    assert (added.measured, added.met) == ("83.3 %", None)


def test_wordings_by_hand_ask_in_known_words_for_what_the_probe_can_read() -> None:
    chosen = wordings.choose_wishes(5, each=1, each_example=3)
    assert len({asked.typed for asked in chosen}) == len(wordings.EXAMPLES) + len(wordings.WORDINGS) >= 60
    assert len({asked.wish.seed for asked in chosen}) == len(chosen)
    assert sum(asked.typed in wordings.EXAMPLES for asked in chosen) == 12
    tokenizer = make_tokenizer()
    for asked in chosen:
        assert unknown_words(asked.typed) == []
        assert all(value in CLASSES[name] for name, value in asked.attributes.items())
        assert not any({*asked.attributes.values()}.issuperset(pair) for pair in HELD_OUT)
        assert len(tokenizer(asked.wish.prompt).input_ids) <= PROMPT_TOKENS
    assert "sailboat on a lake at dusk" in {asked.wish.prompt for asked in chosen}


def test_wordings_by_hand_are_judged_by_what_they_ask_for() -> None:
    chosen = wordings.choose_wishes(5, each=1, each_example=2)
    right = [dict(asked.attributes) for asked in chosen]
    figures = wordings.summarise(chosen, right)
    assert all(figure.met is not False for figure in figures)
    assert [figure.what.strip('"') for figure in figures[3:]] == list(wordings.EXAMPLES)
    cat = next(index for index, asked in enumerate(chosen) if asked.attributes.get("thing") == "cat")
    right[cat] = {**right[cat], "thing": "dog", "water": "lake"}
    missed = [figure.what for figure in wordings.summarise(chosen, right) if figure.met is False]
    assert missed == ['"a cat standing by the seaside at sunset"']


def test_a_held_out_scene_names_its_pair() -> None:
    assert held_out_pair(landscape(thing="dog", time="sunset")) == {"thing": "dog", "time": "sunset"}
    for task in choose_tasks(1, 20, held_out=True):
        assert held_out_pair(task.scene)


def test_tasks_repeat_for_a_seed_and_come_in_all_sizes() -> None:
    assert choose_tasks(5, 10) == choose_tasks(5, 10)
    assert {task.wish.size for task in choose_tasks(5, 10)} == {SQUARE}
    assert len({task.wish.size for task in choose_tasks(5, 60, all_sizes=True)}) == 5


def test_scores_count_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    scenes = [landscape(thing="boat"), landscape(thing="boat"), landscape(thing="cat", time="night")]
    right = {"time": "day", "ground": "hills", "style": "", "thing": "boat", "weather": "fog"}
    readings = [right, {**right, "thing": "house"}, {**right, "thing": "cat", "time": "night"}]
    counted = tally([judged(scene) for scene in scenes], readings)
    assert counted.counts() == (12, 11)
    assert counted.counts("thing") == (3, 2)
    assert counted.lowest()[0] == "thing"
    assert isclose(counted.lowest()[1], 200 / 3)
    counted.print(85.0)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("thing  "))
    assert line.split() == ["thing", "3", "2", "66.7", "low"]


def test_the_summary_holds_the_targets(tmp_path: Path) -> None:
    scenes = [landscape(thing="boat"), landscape(thing="cat")]
    wish = Wish(prompt="a boat", seed=1)
    seen = {"time": "day", "ground": "hills", "style": "", "thing": "boat", "weather": "", "luminary": ""}
    readings = [seen] * 2
    outcome = Outcome(
        tasks=[Task(scene=scene, wish=wish) for scene in scenes],
        pictures=[Image.new("RGB", SQUARE)] * 2,
        readings=readings,
    )
    overall, lowest, perfect, _ = adherence.summarise(outcome, held_out=False)
    assert (overall.measured, overall.met) == ("87.5 %", False)
    assert (lowest.measured, lowest.met) == ("50.0 %", False)
    assert perfect.measured == "50.0 %"
    asked = [judged(scene) for scene in scenes]
    adherence.save_wrong(asked, ["a boat"] * 2, outcome.pictures, readings, tmp_path / "wrong.png")
    assert Image.open(tmp_path / "wrong.png").mode == "RGB"


def test_psnr_is_infinite_for_equals_and_nothing_for_inverses() -> None:
    black, white = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)
    assert psnr(black, black) == inf
    assert psnr(black, white) == 0.0
    assert isclose(psnr(black, black + 1), 20 * log10(255))


def test_compositing_blends_inside_the_mask_and_keeps_what_is_outside() -> None:
    black, white = Image.new("RGB", (32, 32)), Image.new("RGB", (32, 32), "white")
    mask = np.zeros((32, 32), np.bool_)
    mask[8:24, 8:24] = True
    changed = difference(black, composite(black, white, mask))
    assert changed[16, 7:13].tolist() == [0.0, 51.0, 102.0, 153.0, 204.0, 255.0]
    assert changed[mask].min() == 51.0
    assert changed[~mask].max() == 0.0


def test_the_sheet_has_64_prompts_of_known_words() -> None:
    assert len(set(PROMPTS)) == len(PROMPTS) == 64
    assert [prompt for prompt in PROMPTS if unknown_words(prompt)] == []


def test_a_sheet_holds_every_picture() -> None:
    one = lay_out([Image.new("RGB", SQUARE, "red")], ["a long prompt " * 20], 8)
    nine = lay_out([Image.new("RGB", WIDE, "red")] * 9, ["red"] * 9, 8)
    assert one.width == nine.width
    assert nine.height > 1.9 * (one.height - 12)
    assert one.getpixel((80, 80)) == (255, 0, 0)


@pytest.mark.parametrize(
    "command",
    ["probe", "reading", "cost", "adherence", "wordings", "control", "companions", "autoencoder", "sheet"],
)
def test_every_command_runs_something(command: str) -> None:
    options = parse_arguments([command, "--seed", "5"])
    assert callable(options.run)
    assert options.seed == 5


def test_what_is_measured_is_what_people_get_by_default() -> None:
    spec = Catalogue.load(Path(__file__).parents[2] / "models.toml")["easel"]
    options = parse_arguments(["adherence"])
    assert (options.steps, options.guidance) == (Sampling().steps, Sampling().guidance)
    assert (Sampling().steps, Sampling().guidance) == (spec.steps, spec.guidance)


def test_one_measurement_of_control_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    options = parse_arguments(["control", "--only", "negative prompts", "guidance"])
    assert options.only == ["negative prompts", "guidance"]
    assert parse_arguments(["control"]).only is None
    with pytest.raises(SystemExit):
        parse_arguments(["control", "--only", "looks"])
    assert "'guidance'" in capsys.readouterr().err


def test_the_shipped_probe_can_be_tested_without_training_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = PROBE_PATH.read_bytes()
    options = parse_arguments(["reading", "--fresh", "8", "--seed", "5", "--work", str(tmp_path)])
    usual, _, held_out, _ = options.run(options)
    assert (usual.what, held_out.what) == ("probe: all attributes", "probe, held out: all attributes")
    assert PROBE_PATH.read_bytes() == shipped
    assert list(tmp_path.iterdir()) == []
    same = parse_arguments(["reading", "--seed", "7"])
    with pytest.raises(ValueError, match="another seed"):
        same.run(same)


def test_the_cost_of_the_model_has_its_targets() -> None:
    assert 20 < cost.megabytes(WEIGHTS) <= cost.MEGABYTES_TARGET
    assert at_most("loading", 3.0, 3.0, "s").met
    assert at_most("loading", 3.1, 3.0, "s").met is False
    assert parse_arguments(["cost", "--seed", "1"]).run is cost.run
