"""Every declared family in each of its ways, on small random models that were saved and are loaded as the real ones are."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file
from transformers import GlmImageProcessor

from generation import families
from generation.calls import Call, plan
from generation.catalogue import Catalogue, ModelSpec
from generation.contract import (
    Blend,
    Control,
    Edit,
    ImageToImage,
    Inpaint,
    Outpaint,
    Request,
    Sampling,
    TextToImage,
    Tile,
    Upscale,
    with_seeds,
)
from generation.families import FAMILIES, Family, Way
from generation.pipelines.base import to_picture
from generation.pipelines.loading import Loaded, load
from tests.generation import original_names as names
from tests.generation import tiny
from tests.generation.requests import encoded, picture
from tests.generation.tiny_families import BUILDERS, save

SIZE = (64, 64)
STEPS = 3
BOX = (16, 16, 47, 47)
_ENTRY = tiny.ENTRY.replace("[32, 32]", "[64, 64]").replace("multiple = 8", "multiple = 32")
PAIRS = [(name, way) for name, family in FAMILIES.items() for way in Way if family.can(way)]


@pytest.fixture(autouse=True, scope="module")
def _small_references() -> Iterator[None]:
    """Qwen-Image-Edit brings each reference to a million pixels, and GLM-Image writes a sketch of 256 tokens first, which
    take half a minute even on a small model.
    """
    from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as plus

    with pytest.MonkeyPatch.context() as patch:
        for name in ("VAE_IMAGE_SIZE", "CONDITION_IMAGE_SIZE"):
            patch.setattr(plus, name, 64 * 64)
        patch.setattr(
            GlmImageProcessor, "_get_target_shape", lambda _, height, width: (height // 32, width // 32, 1, 1)
        )
        yield


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    """The small model of a family, built once, saved, and loaded by the code that loads the real ones."""
    folder, models = tmp_path_factory.mktemp("families"), dict[str, Loaded]()

    def get(name: str) -> Loaded:
        if name not in models:
            models[name] = load(saved(folder, name), torch.device("cpu"), offload=False, allow_downloads=False)
        return models[name]

    return get


def saved(folder: Path, name: str) -> ModelSpec:
    save(name, folder / name)
    (folder / "models.toml").write_text(_ENTRY.format(key=name, family=name, folder=name), encoding="utf-8")
    return Catalogue.load(folder / "models.toml")[name]


def sampling(model: str, **changes: Any) -> Sampling:
    values: dict[str, Any] = {"prompt": "a fox", "steps": STEPS, "guidance": 3.0, "seeds": (1, 2)}
    return Sampling(model=model, width=SIZE[0], height=SIZE[1], **values | changes)


def request(model: str, way: Way, **changes: Any) -> Request:
    strength = changes.pop("strength", 0.7)
    said, source, other = sampling(model, **changes), encoded(picture(*SIZE)), encoded(picture(*SIZE, seed=1))
    match way:
        case Way.TEXT:
            return TextToImage(sampling=said)
        case Way.IMAGE:
            return ImageToImage(sampling=said, strength=strength, source=source)
        case Way.INPAINT:
            return Inpaint(sampling=said, strength=strength, source=source, mask=encoded(mask()))
        case Way.EDIT:
            return Edit(sampling=said, sources=(source,))
        case Way.CONTROL:
            return Control(sampling=said, source=source)
        case Way.OUTPAINT:
            return Outpaint(sampling=said, place=(32, 0, 32, 64), source=source)
        case Way.TILE:
            return Tile(sampling=said)
        case Way.BLEND:
            return Blend(sampling=said, strength=strength, sources=(source, other))
        case Way.UPSCALE:
            larger = replace(said, width=96, height=96, seeds=said.seeds[:1])
            return Upscale(sampling=larger, strength=strength, source=source)


def mask() -> Image.Image:
    shown = Image.new("L", SIZE, 0)
    ImageDraw.Draw(shown).rectangle(BOX, fill=255)
    return shown


def draw(model: Loaded, asked: Request) -> np.ndarray:
    """The finished pictures as levels, (images, rows, columns, 3). Every call ends with its last step."""
    calls = plan(asked, model.spec).calls(asked.sampling)
    try:
        call = next(calls)
        while True:
            drawn, steps = values(model, call)
            assert steps
            assert steps[-1] == len(steps)
            call = calls.send([to_picture(one) for one in drawn])
    except StopIteration as end:
        return np.stack([np.asarray(one) for one in end.value]).astype(int)


def values(model: Loaded, call: Call) -> tuple[torch.Tensor, list[int]]:
    """What one call draws, (images, 3, rows, columns) in 0..1, and its steps as the last of them counts."""
    drawn: list[torch.Tensor] = []
    steps = [step.of for step in model.draw(call, drawn.append)]
    return torch.stack(drawn), steps


def not_yet(_picture: torch.Tensor) -> None:
    raise AssertionError("a picture came before the last step")


@pytest.mark.parametrize(("name", "way"), PAIRS, ids=[f"{name}-{way}" for name, way in PAIRS])
def test_a_family_draws_in_each_of_its_ways(loaded: Callable[[str], Loaded], name: str, way: Way) -> None:
    model, asked = loaded(name), request(name, way)
    first = draw(model, asked)
    assert first.shape == (len(asked.sampling.seeds), asked.sampling.height, asked.sampling.width, 3)

    begun = plan(asked, model.spec).calls(asked.sampling)
    cut_short = model.draw(next(begun), lambda _: None)
    step = next(cut_short)
    shown = model.preview(step, SIZE)
    if Way.UPSCALE in model.spec.family.ways:
        assert shown is None
    else:
        assert shown
        assert len(shown) >= len(asked.sampling.seeds)
    cut_short.close()
    assert np.array_equal(draw(model, asked), first)

    if len(asked.sampling.seeds) > 1:
        assert not np.array_equal(first[0], first[1])
        alone = draw(model, with_seeds(asked, (asked.sampling.seeds[1],)))
        rounded_between_calls = way not in FAMILIES[name].ways
        assert abs(alone[0] - first[1]).max() <= (4 if rounded_between_calls else 1)


NATIVE = [(name, way) for name, way in PAIRS if way in FAMILIES[name].ways and way is not Way.UPSCALE]


@pytest.mark.parametrize(("name", "way"), NATIVE, ids=[f"{name}-{way}" for name, way in NATIVE])
def test_pictures_are_those_of_the_pipeline_and_in_a_batch_those_of_each_seed_alone(
    loaded: Callable[[str], Loaded], name: str, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, asked = loaded(name), request(name, way)
    call = next(plan(asked, model.spec).calls(asked.sampling))
    pipeline, returned = getattr(diffusers, FAMILIES[name].ways[way]), []

    @functools.wraps(original := pipeline.__call__)
    def recorded(*told: Any, **options: Any) -> Any:
        returned.append(original(*told, **options))
        return returned[-1]

    monkeypatch.setattr(pipeline, "__call__", recorded)
    both, _ = values(model, call)
    assert torch.equal(both, torch.stack(list(getattr(returned[0], "images", returned[0][0]))))
    alone, _ = values(model, replace(call, sampling=replace(call.sampling, seeds=(2,))))
    assert float((both[1] - alone[0]).abs().max()) <= 1e-5


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if Way.UPSCALE not in family.ways])
def test_every_option_changes_the_picture_or_the_model_says_that_it_ignores_it(
    loaded: Callable[[str], Loaded], name: str
) -> None:
    model = loaded(name)
    way = next(iter(FAMILIES[name].ways))
    usual = draw(model, request(name, way))
    for changes in ({"prompt": "zzz qqq"}, {"steps": 5}, {"seeds": (3, 4)}):
        assert not np.array_equal(draw(model, request(name, way, **changes)), usual), changes
    for option, change in (("negative", {"negative": "zzz"}), ("guidance", {"guidance": 9.0})):
        heeded = not np.array_equal(draw(model, request(name, way, **change)), usual)
        assert heeded or option in model.spec.ignores or is_distilled(model, option), option
    if Way.IMAGE in FAMILIES[name].ways:
        some, most = (draw(model, request(name, Way.IMAGE, strength=strength, steps=6)) for strength in (0.3, 0.9))
        assert not np.array_equal(some, most)


def is_distilled(model: Loaded, option: str) -> bool:
    """Whether it was taught a guidance scale, and takes none at all, as FLUX.1-schnell. An entry says so in `ignores`."""
    config = getattr(model.pipe, "transformer", model.pipe).config
    return option == "guidance" and not model.spec.family.negative and config.get("guidance_embeds") is False


@pytest.mark.parametrize("name", [name for name, family in FAMILIES.items() if family.can(Way.OUTPAINT)])
def test_old_pixels_stay_to_the_bit(loaded: Callable[[str], Loaded], name: str) -> None:
    model, old = loaded(name), np.asarray(picture(*SIZE)).astype(int)
    inpainted = draw(model, request(name, Way.INPAINT))
    outside = np.asarray(mask()) == 0
    assert np.array_equal(inpainted[0][outside], old[outside])
    assert not np.array_equal(inpainted[0][~outside], old[~outside])
    outpainted = draw(model, request(name, Way.OUTPAINT))
    placed = np.asarray(picture(*SIZE).resize((32, 64), Image.Resampling.LANCZOS)).astype(int)
    assert outpainted[0][:, 32:].shape == placed.shape
    assert np.array_equal(outpainted[0][:, 32:], outpainted[1][:, 32:])


def test_calls_advanced_in_turns_draw_what_each_draws_alone(loaded: Callable[[str], Loaded]) -> None:
    names = ("stable-diffusion", "sdxl", "flux", "z-image")
    calls = {name: Call(way=Way.TEXT, sampling=sampling(name)) for name in names}
    alone = {name: values(loaded(name), call)[0] for name, call in calls.items()}
    drawn: dict[str, list[torch.Tensor]] = {name: [] for name in names}
    running = {name: loaded(name).draw(call, drawn[name].append) for name, call in calls.items()}
    while running:
        for name in list(running):
            if next(running[name], None) is None:
                del running[name]
            assert torch.is_grad_enabled(), "each keeps its own mode"
    assert all(torch.equal(torch.stack(drawn[name]), alone[name]) for name in names)


def test_a_call_that_is_left_while_it_decodes_does_not_spoil_the_next(tmp_path: Path) -> None:
    """SDXL's VAE is brought to single precision for decoding, and has to come back."""
    model = load(saved(tmp_path, "sdxl"), torch.device("cpu"), offload=False, allow_downloads=False)
    model.pipe.to(torch.float16)
    model.pipe.vae.register_to_config(force_upcast=True)
    asked = request("sdxl", Way.TEXT)
    usual = draw(model, asked)

    def leave(*_: Any) -> None:
        raise KeyboardInterrupt

    hook = model.pipe.vae.decoder.register_forward_pre_hook(leave)
    with pytest.raises(KeyboardInterrupt):
        draw(model, asked)
    hook.remove()
    assert model.pipe.vae.dtype == torch.float16
    assert np.array_equal(draw(model, asked), usual)


def test_a_preview_that_can_not_be_had_is_left_out(loaded: Callable[[str], Loaded], tmp_path: Path) -> None:
    model = load(saved(tmp_path, "z-image"), torch.device("cpu"), offload=False, allow_downloads=False)
    drawing = model.draw(Call(way=Way.TEXT, sampling=sampling("z-image")), not_yet)
    step = next(drawing)
    wrong = replace(step, guess=lambda: torch.zeros(1, 2, 3))
    assert model.preview(wrong, SIZE) is None
    assert model.preview(step, SIZE) is None
    drawing.close()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("stable-diffusion", {"unet": names.unet, "vae": names.vae, "text_encoder": names.text_encoder}),
        ("sdxl", {"unet": names.unet, "vae": names.vae}),
        ("sdxl", {"unet": lambda unet: unet.state_dict()}),
        ("flux", {"transformer": lambda transformer: transformer.state_dict()}),
    ],
    ids=["whole", "without text encoders", "a UNet", "a transformer"],
)
def test_weights_in_one_file_take_the_place_of_the_sources(
    tmp_path: Path, name: str, parts: dict[str, Callable[[Any], names.State]]
) -> None:
    spec = saved(tmp_path, name)
    usual = draw(load(spec, torch.device("cpu"), offload=False, allow_downloads=False), request(name, Way.TEXT))
    torch.manual_seed(1)
    other = BUILDERS[name]()
    weights = {key: value for part, named in parts.items() for key, value in named(getattr(other, part)).items()}
    save_file({key: value.contiguous() for key, value in weights.items()}, tmp_path / "tuned.safetensors")
    models = tmp_path / "models.toml"
    models.write_text(models.read_text(encoding="utf-8") + 'file = "tuned.safetensors"\n', encoding="utf-8")
    tuned = load(Catalogue.load(models)[spec.key], torch.device("cpu"), offload=False, allow_downloads=False)
    for part in parts:
        own, given = getattr(tuned.pipe, part).state_dict(), getattr(other, part).state_dict()
        assert all(torch.equal(own[key], given[key]) for key in given), part
    assert not np.array_equal(draw(tuned, request(name, Way.TEXT)), usual)


def test_files_of_another_family_are_refused_with_its_name(tmp_path: Path) -> None:
    spec = saved(tmp_path, "flux-kontext")
    text = (tmp_path / "models.toml").read_text(encoding="utf-8")
    (tmp_path / "models.toml").write_text(text.replace('family = "flux-kontext"', 'family = "sdxl"'), encoding="utf-8")
    wrong = Catalogue.load(tmp_path / "models.toml")[spec.key]
    with pytest.raises(ValueError, match="FluxKontextPipeline, and not of sdxl: its family is flux-kontext"):
        load(wrong, torch.device("cpu"), offload=False, allow_downloads=False)


def test_a_family_is_added_by_its_declaration_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added = Family(
        name="pixart-alpha", title="PixArt-α", ways={Way.TEXT: "PixArtAlphaPipeline"}, multiple=8,
        fixed={"use_resolution_binning": False},
    )  # fmt: skip
    monkeypatch.setitem(families.FAMILIES, "pixart-alpha", added)  # type: ignore[arg-type]

    def build() -> Any:
        import diffusers

        return diffusers.PixArtAlphaPipeline(**BUILDERS["pixart-sigma"]().components)

    monkeypatch.setitem(BUILDERS, "pixart-alpha", build)
    model = load(saved(tmp_path, "pixart-alpha"), torch.device("cpu"), offload=False, allow_downloads=False)
    assert draw(model, request("pixart-alpha", Way.TEXT)).shape == (2, 64, 64, 3)


def test_there_are_as_many_families_and_pairs_as_promised() -> None:
    assert set(BUILDERS) == set(FAMILIES)
    assert len(FAMILIES) >= 21
    assert len(PAIRS) >= 60
