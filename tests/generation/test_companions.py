"""The built-in model's companions: what diffusers' own loaders make of what is exported, and their training."""

from __future__ import annotations

import tomllib
from argparse import Namespace
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import ControlNetModel, StableDiffusionControlNetPipeline, StableDiffusionPipeline
from PIL import Image, ImageDraw
from torch import nn

from generation.builtin.companions import __main__ as command
from generation.builtin.companions import base, controlnet, image_prompt, loop, lora
from generation.builtin.companions.edges import edges
from generation.builtin.companions.stained_glass import stained_glass
from generation.builtin.drawing.choice import choose_scene
from generation.builtin.training import pool
from generation.builtin.training.pool import Part, picture_at
from generation.builtin.vocabulary import unknown_words

WEIGHTS = Path(__file__).parents[2] / "generation" / "builtin" / "weights"
PROMPT = "a red circle on a blue background"
COUNT = 4

Pixels = np.ndarray[Any, np.dtype[np.float64]]
Maker = Callable[[], loop.Companion]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def part() -> Part:
    """A pool of four small pictures."""
    pictures = [picture_at(7, (64, 64), index)[1] for index in range(COUNT)]
    return Part(size=(64, 64), seed=7, pictures=np.stack(pictures))


@pytest.fixture(scope="module")
def makers(part: Part, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Maker]]:
    """For each companion's name how a new one is made, over four pictures, two in a batch."""
    folder, denoiser = tmp_path_factory.mktemp("work"), base.load_base(WEIGHTS)
    options = Namespace(weights=WEIGHTS, work=folder, seed=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "BATCH", 2)
        patch.setattr(command, "load_base", lambda _: deepcopy(denoiser))
        yield {name: partial(command.make_companion, name, options, folder, [part]) for name in command.NAMES}


@pytest.fixture
def pipeline() -> StableDiffusionPipeline:
    """The built-in model as a user loads it."""
    loaded = StableDiffusionPipeline.from_pretrained(WEIGHTS, use_safetensors=True, safety_checker=None)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def drawn(pipeline: Any, **options: Any) -> Pixels:
    """One picture of 64x64 at two steps."""
    seed = torch.Generator().manual_seed(1)
    size = {"height": 64, "width": 64}
    made = pipeline(PROMPT, num_inference_steps=2, generator=seed, output_type="np", **(size | options))
    pixels = np.asarray(made.images[0], np.float64)
    assert pixels.shape == (64, 64, 3)
    assert np.isfinite(pixels).all()
    return pixels


def difference(first: Pixels, second: Pixels) -> float:
    return float(np.abs(first - second).max())


@torch.no_grad()
def shake(model: nn.Module) -> None:
    """Moves what is trained away from its start, as training would."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter += 0.2 * torch.randn_like(parameter)


def test_a_lora_loads_and_changes_the_denoiser_once_it_is_trained(
    makers: dict[str, Maker], pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    companion, before = makers["lora"](), drawn(pipeline)
    (file,) = companion.export(tmp_path / "new")
    assert file.stat().st_size < 400_000
    pipeline.load_lora_weights(file)
    assert difference(drawn(pipeline), before) < 1e-5

    pipeline.unload_lora_weights()
    weight = pipeline.unet.up_blocks[1].resnets[0].conv1.weight
    known = weight.detach().clone()
    shake(companion.model)
    (file,) = companion.export(tmp_path / "shaken")
    pipeline.load_lora_weights(file)
    assert difference(drawn(pipeline), before) > 0.01
    pipeline.fuse_lora()
    assert not torch.equal(pipeline.unet.up_blocks[1].resnets[0].conv1.weight, known)


def test_a_controlnet_loads_and_adds_nothing_before_it_is_trained(
    makers: dict[str, Maker], pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    companion, before = makers["controlnet"](), drawn(pipeline)
    lines = edges(Image.fromarray(np.tri(64, dtype=np.uint8) * 255))
    for shaken in (False, True):
        if shaken:
            shake(companion.model)
        (file,) = companion.export(tmp_path)
        assert file.stat().st_size < 6_000_000
        loaded = ControlNetModel.from_pretrained(tmp_path / controlnet.FOLDER_NAME, use_safetensors=True)
        assert loaded.add_embedding.pool.num_heads == pipeline.unet.add_embedding.pool.num_heads
        controlled = StableDiffusionControlNetPipeline.from_pipe(pipeline, controlnet=loaded)
        changed = difference(drawn(controlled, image=lines), before)
        assert changed > 0.01 if shaken else changed < 1e-5


def test_a_controlnet_begins_with_all_that_the_unet_has_in_common_with_it(makers: dict[str, Maker]) -> None:
    model = makers["controlnet"]().model
    assert isinstance(model, controlnet.Controlled)
    unet, own = model.base.unet.state_dict(), model.controlnet.state_dict()
    strange = {name.split(".")[0] for name in own if name not in unet or not torch.equal(own[name], unet[name])}
    assert strange == {"controlnet_cond_embedding", "controlnet_down_blocks", "controlnet_mid_block"}


def test_a_controlnet_sees_lines_from_the_first_step_on(makers: dict[str, Maker], part: Part) -> None:
    model = makers["controlnet"]().model
    assert isinstance(model, controlnet.Controlled)
    lines = torch.from_numpy(np.array(edges(Image.fromarray(part.pictures[0])))).float() / 255.0
    with torch.no_grad():
        seen = model.controlnet.controlnet_cond_embedding(lines.expand(1, 3, -1, -1))
    assert 0.1 < seen.std() < 20.0  # noise's features have a spread of about 1


def test_an_image_prompt_adapter_loads_and_its_picture_matters(
    makers: dict[str, Maker], pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    companion, before = makers["image-prompt"](), drawn(pipeline)
    files = companion.export(tmp_path)
    assert sum(file.stat().st_size for file in files) < 2_000_000
    pipeline.load_ip_adapter(tmp_path, image_prompt.FOLDER_NAME, image_prompt.FILE_NAME)
    red, blue = (drawn(pipeline, ip_adapter_image=Image.new("RGB", (96, 64), name)) for name in ("red", "blue"))
    assert difference(red, blue) > 1e-4
    pipeline.set_ip_adapter_scale(0.0)
    unseen = drawn(pipeline, ip_adapter_image=Image.new("RGB", (96, 64), "red"))
    assert difference(unseen, before) < 1e-5


def test_an_image_prompt_adapter_is_the_same_before_and_after_loading(
    makers: dict[str, Maker], part: Part, pipeline: StableDiffusionPipeline, tmp_path: Path
) -> None:
    companion = makers["image-prompt"]()
    model = companion.model
    assert isinstance(model, image_prompt.Sighted)
    companion.export(tmp_path)
    pipeline.load_ip_adapter(tmp_path, image_prompt.FOLDER_NAME, image_prompt.FILE_NAME)
    picture = Image.fromarray(part.pictures[0])
    noise, times = torch.randn(1, 12, 4, 4, generator=torch.Generator().manual_seed(2)), torch.tensor([500])
    tokens = pipeline.tokenizer([PROMPT], padding="max_length", return_tensors="pt").input_ids
    with torch.no_grad():
        expected = model(noise, times, tokens, model.embeds(part.pictures[:1], np.ones(1, bool)))
        embeds, _ = pipeline.encode_image(picture, "cpu", 1)
        context = model.base.text_encoder(tokens)[0]
        hints = {"image_embeds": [embeds[:, None]]}
        loaded = pipeline.unet(noise, times, context, added_cond_kwargs=hints).sample
    assert torch.allclose(loaded, expected, atol=0.02)


@pytest.mark.parametrize("name", command.NAMES)
def test_training_moves_only_the_companion_and_goes_on_where_it_stopped(
    makers: dict[str, Maker], name: str, tmp_path: Path
) -> None:
    first = makers[name]()
    before = {key: value.clone() for key, value in first.model.state_dict().items()}
    wanted = {key for key, value in first.model.named_parameters() if value.requires_grad}
    loop.train(tmp_path, first, 7, 2)
    after = first.model.state_dict()
    moved = {key for key, value in after.items() if not torch.equal(value, before[key])}
    assert moved
    assert moved <= wanted
    assert all(torch.isfinite(after[key]).all() for key in moved)

    second = makers[name]()
    loop.train(tmp_path, second, 7, 2)
    assert all(torch.equal(value, after[key]) for key, value in second.model.state_dict().items())
    loop.train(tmp_path, second, 7, 3)
    assert torch.load(tmp_path / f"{name}.pt", weights_only=True)["step"] == 3


def test_the_command_trains_and_writes_all_of_them(
    makers: dict[str, Maker],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(pool, "CHUNK", 2)
    monkeypatch.setattr(pool, "SHARES", {(64, 64): 1.0})
    words = ["companions", "all", "--work", str(tmp_path), "--out", str(tmp_path / "out"), "--threads", "1"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit):
        command.main()
    assert "no pictures in" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", [*words, "--pictures", "4", "--steps", "1"])
    command.main()
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written == {
        "stained_glass.safetensors", "ip_adapter.safetensors", "model.safetensors",
        "diffusion_pytorch_model.safetensors", "config.json",
    }  # fmt: skip
    assert len(list(tmp_path.glob("companions-*/*.pt"))) == len(command.NAMES)


def test_latents_are_taken_from_the_autoencoder_that_made_them(
    part: Part, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    vae, theirs, ours = base.load_vae(WEIGHTS), tmp_path / "theirs.npy", tmp_path / "ours.npy"
    made = base.encode_once(vae, part.pictures, [theirs])
    assert np.array_equal(base.encode_once(vae, part.pictures, [theirs, ours]), made)
    assert not ours.exists()
    np.save(theirs, made + 1)
    assert np.array_equal(base.encode_once(vae, part.pictures, [theirs, ours]), made)
    assert np.array_equal(np.load(theirs), made + 1)
    assert "encoding 4 pictures" in capsys.readouterr().out


def test_the_style_is_called_for_first_by_words_that_the_model_does_not_know() -> None:
    assert unknown_words(lora.TRIGGER) == ["stained", "glass"]
    rng = np.random.default_rng(0)
    for seed in range(20):
        words = lora.glass_caption(Random(seed), choose_scene(rng))
        assert words.removeprefix("a ").startswith(lora.TRIGGER)


def test_edges_are_white_lines_where_colours_meet() -> None:
    picture = Image.new("RGB", (40, 30), "navy")
    ImageDraw.Draw(picture).rectangle((10, 10, 29, 19), fill="orange")
    lines = edges(picture)
    pixels = np.asarray(lines)
    assert (lines.mode, lines.size) == ("L", (40, 30))
    assert set(np.unique(pixels)) == {0, 255}
    assert (pixels[15, [9, 10, 29, 30]] == 255).all()
    assert (pixels[15, [0, 7, 12, 20, 27, 32, 39]] == 0).all()
    assert not np.asarray(edges(Image.new("RGB", (40, 30), "navy"))).any()


def test_stained_glass_has_dark_lines_between_flat_vivid_pieces() -> None:
    picture = Image.new("RGB", (128, 96), (90, 140, 200))
    ImageDraw.Draw(picture).ellipse((40, 20, 90, 70), fill=(200, 60, 50))
    glass = stained_glass(np.random.default_rng(1), picture)
    again = stained_glass(np.random.default_rng(1), picture)
    pixels = np.asarray(glass, np.int16)
    assert glass.size == picture.size
    assert np.array_equal(pixels, np.asarray(again, np.int16))
    dark = pixels.max(axis=2) < 40
    assert 0.15 < dark.mean() < 0.5
    assert dark[[0, -1]].all()
    assert dark[:, [0, -1]].all()
    middle, corner = pixels[30:60, 50:80][~dark[30:60, 50:80]], pixels[5:25, 5:25][~dark[5:25, 5:25]]
    assert np.median(middle[:, 0]) > np.median(middle[:, 2]) + 100
    assert np.median(corner[:, 2]) > np.median(corner[:, 0]) + 100


def test_an_installed_easel_holds_all_weights() -> None:
    root = WEIGHTS.parents[2]
    globs = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packed = {
        path
        for package, patterns in globs.items()
        for pattern in patterns
        for path in root.joinpath(*package.split(".")).glob(pattern)
    }
    assert globs["generation.builtin.companions"] == ["weights/**/*"]
    assert set((root / "generation").rglob("*.safetensors")) <= packed
