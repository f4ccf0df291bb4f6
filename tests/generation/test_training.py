"""Training the built-in model: every stage on a handful of pictures, stopped and gone on with."""

from copy import deepcopy
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline

from generation.builtin.captions import misses_the_sun
from generation.builtin.companions import base
from generation.builtin.drawing.canvas import Canvas
from generation.builtin.drawing.choice import choose_scene
from generation.builtin.drawing.scenes import attributes, is_mirrorable
from generation.builtin.drawing.things import Standing, place_thing
from generation.builtin.training import autoencoder, denoiser, encode, pool
from generation.builtin.training.__main__ import STAGES, parse_arguments, run_stage
from generation.builtin.training.denoiser import TrainingPart, TrainingSet, batches
from generation.builtin.training.muon import orthogonalise


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sizes, few pictures, small batches."""
    monkeypatch.setattr(pool, "CHUNK", 2)
    monkeypatch.setattr(pool, "SHARES", {(256, 256): 0.5, (384, 192): 0.5})
    monkeypatch.setattr(denoiser, "BATCH", 2)
    monkeypatch.setattr(base, "BATCH", 2)
    monkeypatch.setattr(encode, "SAMPLE", 4)


@pytest.mark.usefixtures("small")
def test_the_script_makes_a_folder_that_draws_and_goes_on_where_it_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def options(unet_steps: int) -> list[str]:
        steps = ["--vae-steps", "2", "--unet-steps", str(unet_steps), "--decoder-steps", "1"]
        steps += ["--companion-steps", "1"]
        return ["train", "--work", str(tmp_path), "--out", str(tmp_path / "out"), "--pictures", "8", *steps]

    for unet_steps in (1, 2):
        monkeypatch.setattr("sys.argv", options(unet_steps))
        arguments = parse_arguments()
        parts = pool.draw_pool(arguments.work, arguments.seed, arguments.pictures)
        for stage in STAGES[1:-1]:
            run_stage(stage, arguments, parts)
        assert torch.load(tmp_path / "unet.pt", weights_only=True)["step"] == unet_steps
    run_stage(STAGES[-1], arguments, parts)

    pipeline = StableDiffusionPipeline.from_pretrained(tmp_path / "out", safety_checker=None)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline("a red circle", num_inference_steps=2, width=384, height=192).images[0]
    assert picture.size == (384, 192)
    pipeline.load_lora_weights(tmp_path / "companions" / "weights" / "stained_glass.safetensors")
    assert pipeline("a red circle", num_inference_steps=1).images[0].size == (256, 256)


def test_a_picture_that_has_a_side_is_never_mirrored(small: None) -> None:
    slope = np.tile(np.arange(16, dtype=np.float16), (4, 1, 16, 1))
    part = TrainingPart(
        latents=slope,
        tokens=np.zeros((4, denoiser.CAPTIONS_EACH, 32), np.int16),
        mirrorable=np.asarray([True, True, False, False]),
        round=np.arange(4),
    )
    feed = batches(np.random.default_rng(1), TrainingSet(parts=[part], empty=np.zeros(32, np.int16)))
    part.latents[2:] += 100
    seen = torch.cat([next(feed)[0] for _ in range(40)])
    rising = seen[:, 0, 0, -1] > seen[:, 0, 0, 0]
    kept = seen[:, 0, 0, 0] > 50
    assert rising[kept].all()
    assert 0 < rising[~kept].sum() < len(rising[~kept])


def test_only_shapes_without_a_side_may_be_mirrored() -> None:
    """What faces one way in the pictures must not face both in training: the model would draw a head at either end."""
    rng = np.random.default_rng(5)
    scenes = [choose_scene(rng) for _ in range(300)]
    mirrorable = [scene for scene in scenes if is_mirrorable(scene)]
    assert {getattr(scene, "place", "no shape") for scene in mirrorable} == {"", "above", "below"}


@pytest.mark.parametrize("thing", ["dog", "bird", "car"])
def test_a_thing_faces_the_same_way_in_every_picture(thing: str) -> None:
    """Its outline fits that of another picture of it better than that one's mirror image."""
    outlines = []
    for seed in range(6):
        canvas = Canvas(256, 256)
        standing = Standing(x=0.5, foot=0.7, tone=lambda colour: colour)
        place_thing(np.random.default_rng(seed), canvas, thing, "red", standing)
        outlines.append(canvas.pixels.max(axis=2) > 0)
    for one, other in combinations(outlines, 2):
        assert (one ^ other).sum() < (one ^ other[:, ::-1]).sum()


def test_a_pool_smaller_than_a_batch_is_gone_through_evenly() -> None:
    count = denoiser.BATCH // 4 + 1
    part = TrainingPart(
        latents=np.arange(count, dtype=np.float16).reshape(count, 1, 1, 1),
        tokens=np.zeros((count, denoiser.CAPTIONS_EACH, 32), np.int16),
        mirrorable=np.ones(count, bool),
        round=np.arange(count),
    )
    feed = batches(np.random.default_rng(1), TrainingSet(parts=[part], empty=np.zeros(32, np.int16)))
    seen = torch.cat([next(feed)[0].flatten() for _ in range(count)])
    assert torch.equal(seen.long().bincount(), torch.full((count,), denoiser.BATCH))


def test_hard_pictures_come_more_often() -> None:
    rng = np.random.default_rng(1)
    scenes = [choose_scene(rng) for _ in range(100)]
    hard = [
        misses_the_sun(scene) or any(value in denoiser.HARD for value in attributes(scene).values()) for scene in scenes
    ]
    assert [denoiser.times_in_a_round(scene) > 1 for scene in scenes] == hard
    part = TrainingPart(
        latents=np.arange(2, dtype=np.float16).reshape(2, 1, 1, 1),
        tokens=np.zeros((2, denoiser.CAPTIONS_EACH, 32), np.int16),
        mirrorable=np.ones(2, bool),
        round=np.asarray([0, 1, 1, 1]),
    )
    feed = batches(np.random.default_rng(1), TrainingSet(parts=[part], empty=np.zeros(32, np.int16)))
    seen = next(feed)[0].flatten().long().bincount()
    assert seen.tolist() == [denoiser.BATCH // 4, denoiser.BATCH * 3 // 4]


@pytest.mark.parametrize("shape", [(3, 8, 40), (2, 40, 8), (1, 16, 16)])
def test_orthogonalised_matrices_stretch_nothing_and_lose_nothing(shape: tuple[int, int, int]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    stretched = torch.linalg.svdvals(orthogonalise(matrices))
    assert stretched.max() < 1.3
    assert stretched.median() > 0.6


def test_a_word_keeps_its_meaning_when_its_id_changes() -> None:
    weights = Path(denoiser.__file__).parents[1] / "weights"
    model = denoiser.Denoiser()
    denoiser.take_over(model, weights)
    shipped = StableDiffusionPipeline.from_pretrained(weights, safety_checker=None)
    old, new = shipped.tokenizer.get_vocab(), denoiser.make_tokenizer().get_vocab()
    theirs = shipped.text_encoder.get_input_embeddings().weight
    ours = model.text_encoder.get_input_embeddings().weight
    for word in ("red", "lake", "sunset"):
        assert torch.allclose(ours[new[f"{word}</w>"]], theirs[old[f"{word}</w>"]].float(), atol=1e-6)


def test_crops_are_rather_those_with_detail(monkeypatch: pytest.MonkeyPatch) -> None:
    flat, striped = np.zeros((2, 64, 64, 3), np.uint8)
    striped[:, ::2] = 255
    batch = autoencoder.crops(np.random.default_rng(1), np.stack([flat, striped]), 40, 32)
    assert batch.shape == (40, 3, 32, 32)
    assert 0.6 < float((batch.std((1, 2, 3)) > 0).float().mean()) < 0.95


def test_an_autoencoder_that_goes_on_learning_keeps_its_latents_near() -> None:
    torch.manual_seed(1)
    known, batch = autoencoder.new_vae(), torch.rand(1, 3, 32, 32)
    other = deepcopy(known)
    with torch.no_grad():
        other.quant_conv.bias[:12] += 1.0
    torch.manual_seed(2)
    free = autoencoder.vae_loss(other, batch, False)
    torch.manual_seed(2)
    held = autoencoder.vae_loss(other, batch, False, known)
    assert float((held - free).detach()) == pytest.approx(autoencoder.HOLD_WEIGHT, rel=0.1)
