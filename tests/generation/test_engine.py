"""One request after the other in this process, on small random models: the same pictures as diffusers' own pipelines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from generation.catalogue import Catalogue
from generation.contract import Failed, FailureReason, Finished, ModelState, Progressed, Request, Started
from generation.engine import Engine
from tests.generation.requests import decoded, encoded, image_to_image, levels, picture, text_to_image

OWN = {
    "sd": (diffusers.StableDiffusionPipeline, diffusers.StableDiffusionImg2ImgPipeline),
    "sdxl": (diffusers.StableDiffusionXLPipeline, diffusers.StableDiffusionXLImg2ImgPipeline),
    "flux": (diffusers.FluxPipeline, diffusers.FluxImg2ImgPipeline),
}
FAMILIES = list(OWN)


@pytest.fixture(scope="module")
def engine(catalogue: Catalogue) -> Engine:
    return Engine(tuple(catalogue.values()), torch.device("cpu"))


def finished(engine: Engine, request: Request) -> Finished:
    *_, last = engine.run(request)
    assert isinstance(last, Finished), last
    return last


def failure(engine: Engine, request: Request) -> Failed:
    *_, last = engine.run(request)
    assert isinstance(last, Failed), last
    return last


def by_diffusers(folder: Path, request: Any) -> np.ndarray:
    """The same pictures by diffusers' own call."""
    sampling = request.sampling
    kind = OWN[sampling.model][hasattr(request, "source")]
    extra = {} if sampling.model == "flux" else {"negative_prompt": sampling.negative or None}
    pipe = kind.from_pretrained(folder / sampling.model, **({} if sampling.model != "sd" else {"safety_checker": None}))
    pipe.set_progress_bar_config(disable=True)
    if sampling.model == "flux":
        extra["max_sequence_length"] = 256
    if sampling.model != "sd":
        pipe.vae.enable_slicing()
    count = len(sampling.seeds)
    if hasattr(request, "source"):
        extra |= {"image": decoded(request.source), "strength": request.strength}
    if sampling.model == "flux" or not hasattr(request, "source"):
        extra |= {"width": sampling.width, "height": sampling.height}
    images = pipe(
        sampling.prompt,
        num_inference_steps=sampling.steps,
        guidance_scale=sampling.guidance,
        num_images_per_prompt=count,
        generator=[torch.Generator("cpu").manual_seed(seed) for seed in sampling.seeds],
        **extra,
    ).images
    return np.stack([np.asarray(image) for image in images]).astype(int)


@pytest.mark.parametrize("model", FAMILIES)
@pytest.mark.parametrize("make", [text_to_image, image_to_image])
def test_draws_what_diffusers_draws(engine: Engine, tiny_models: Path, model: str, make: Any) -> None:
    changes: dict[str, Any] = {"negative": "fog", "width": 48}
    if make is image_to_image:
        changes["source"] = encoded(picture(48, 32))
        if model == "flux":  # diffusers encodes the source once, with the first generator; we do for each image
            changes["seeds"] = (11,)
    request = make(model, **changes)
    ours = np.stack([levels(image) for image in finished(engine, request).images])
    rounding = 0 if make is text_to_image else 1
    assert abs(ours - by_diffusers(tiny_models, request)).max() <= rounding


@pytest.mark.parametrize(
    "scheduler",
    [
        "DDIMScheduler",
        "DDPMScheduler",
        "DPMSolverMultistepScheduler",
        "EulerAncestralDiscreteScheduler",
        "HeunDiscreteScheduler",
    ],
)
def test_draws_with_every_kind_of_scheduler(
    catalogue: Catalogue, tiny_models: Path, tmp_path: Path, scheduler: str
) -> None:
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(tiny_models / "sd", safety_checker=None)
    pipe.scheduler = getattr(diffusers, scheduler).from_config(pipe.scheduler.config)
    pipe.save_pretrained(tmp_path / "sd")
    (tmp_path / "models.toml").write_text((tiny_models / "models.toml").read_text())
    other = Engine(tuple(Catalogue.load(tmp_path / "models.toml").values()), torch.device("cpu"))
    for request in (text_to_image(), image_to_image()):
        events = list(other.run(request))
        assert isinstance(events[-1], Finished), events[-1]
        ours = np.stack([levels(image) for image in events[-1].images])
        assert abs(ours - by_diffusers(tmp_path, request)).max() <= 1
        assert any(isinstance(event, Progressed) and event.preview for event in events)


@pytest.mark.parametrize("model", FAMILIES)
def test_events_come_in_order_with_a_preview_of_the_first_step(catalogue: Catalogue, model: str) -> None:
    cold = Engine(tuple(catalogue.values()), torch.device("cpu"))
    first, *progress, last = cold.run(text_to_image(model))
    assert isinstance(first, Started)
    assert isinstance(last, Finished)
    assert [event.step for event in progress] == list(range(len(progress)))
    assert progress[-1].step == progress[-1].steps
    assert progress[1].preview is not None
    assert max(decoded(progress[1].preview).size) == 256
    assert cold.states()[model].state is ModelState.WARM


def test_requests_advanced_in_turns_draw_what_each_draws_alone(engine: Engine) -> None:
    asked = [text_to_image("sd"), text_to_image("flux", seeds=(5,)), image_to_image("sdxl")]
    alone = [finished(engine, request).images for request in asked]
    running = {number: engine.run(request) for number, request in enumerate(asked)}
    last: dict[int, Any] = {}
    while running:
        for number in list(running):
            event = next(running[number], None)
            if event is None:
                del running[number]
            else:
                last[number] = event
    assert torch.is_grad_enabled(), "each keeps its own mode"
    assert [last[number].images for number in range(len(asked))] == alone


def test_a_cancelled_request_stops_and_another_goes_on(engine: Engine) -> None:
    stopped: list[bool] = []
    one, other = engine.run(text_to_image(), lambda: bool(stopped)), engine.run(text_to_image("flux"))
    for _ in range(3):
        next(one)
        next(other)
    stopped.append(True)
    *_, last = one
    assert isinstance(last, Failed)
    assert last.reason is FailureReason.CANCELLED
    *_, last = other
    assert isinstance(last, Finished)


def test_the_same_request_gives_the_same_bytes(engine: Engine) -> None:
    assert finished(engine, text_to_image()).images == finished(engine, text_to_image()).images


@pytest.mark.parametrize("model", FAMILIES)
def test_an_image_made_alone_looks_like_that_of_its_batch(engine: Engine, model: str) -> None:
    batch = finished(engine, text_to_image(model)).images
    alone = finished(engine, text_to_image(model, seeds=(13,))).images
    assert abs(levels(batch[2]) - levels(alone[0])).max() <= 2


def test_pictures_carry_what_they_were_made_from(engine: Engine) -> None:
    image = decoded(finished(engine, image_to_image(prompt="ein Füchslein 🦊", negative="fog")).images[1])
    lines = image.text["parameters"].splitlines()
    assert lines[:2] == ["ein Füchslein 🦊", "Negative prompt: fog"]
    for fact in (
        "Steps: 6",
        "CFG scale: 4",
        "Seed: 12",
        "Size: 32x32",
        "Model: sd",
        "Denoising strength: 0.6",
    ):
        assert fact in lines[2]


def test_cancelling_takes_effect_inside_a_step(engine: Engine) -> None:
    asked = iter([False] * 40 + [True])
    events = list(engine.run(text_to_image(steps=100), lambda: next(asked, True)))
    assert events[-1] == Failed(reason=FailureReason.CANCELLED)
    assert len(events) < 10
    assert isinstance(list(engine.run(text_to_image()))[-1], Finished)


def test_images_that_do_not_fit_together_are_drawn_one_at_a_time(catalogue: Catalogue) -> None:
    """A device with room for one image (two passes, for guidance) and no more."""
    small = Engine(tuple(catalogue.values()), torch.device("cpu"))
    expected = finished(small, text_to_image())

    def refuse(_unet: torch.nn.Module, arguments: tuple[torch.Tensor, ...]) -> None:
        if len(arguments[0]) > 2:
            raise torch.OutOfMemoryError("out of memory")

    small._residency.model("sd").pipe.unet.register_forward_pre_hook(refuse)
    events = list(small.run(text_to_image()))
    assert isinstance(events[-1], Finished), events[-1]
    assert isinstance(events[-2], Progressed)
    assert events[-2].step == events[-2].steps == 4 * 5  # PNDM runs one more than the 4 asked for
    for one, other in zip(events[-1].images, expected.images, strict=True):
        assert abs(levels(one) - levels(other)).max() <= 2


def test_a_lost_device_ends_the_worker_and_the_request_may_be_tried_by_another(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After such an error every call to the device raises it again."""

    def lose(*_: object) -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    lost = Engine(tuple(catalogue.values()), torch.device("cpu"))
    lost._residency.model("sd").pipe.unet.register_forward_pre_hook(lose)
    monkeypatch.setattr("generation.engine.free_caches", lose)
    failed = failure(lost, text_to_image())
    assert failed.reason is FailureReason.WORKER_DIED
    assert "illegal memory access" in failed.detail
    assert lost.broken


@pytest.mark.parametrize("key", ["nan", "blank"])
def test_broken_pictures_fail(engine: Engine, key: str) -> None:
    assert failure(engine, text_to_image(key)).reason is FailureReason.BROKEN_IMAGE


@pytest.mark.parametrize("key", ["broken", "absent"])
def test_a_model_that_cannot_be_loaded_is_marked_and_the_others_go_on(engine: Engine, key: str) -> None:
    failed = failure(engine, text_to_image(key))
    assert failed.reason is FailureReason.MODEL_UNUSABLE
    assert failed.detail
    assert engine.states()[key].state is ModelState.UNUSABLE
    assert finished(engine, text_to_image("sd"))


def test_weights_that_can_run_code_are_refused(tiny_models: Path, tmp_path: Path) -> None:
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(tiny_models / "sd", safety_checker=None)
    pipe.save_pretrained(tmp_path / "sd", safe_serialization=False)
    (tmp_path / "models.toml").write_text((tiny_models / "models.toml").read_text())
    other = Engine(tuple(Catalogue.load(tmp_path / "models.toml").values()), torch.device("cpu"))
    assert failure(other, text_to_image("sd")).reason is FailureReason.MODEL_UNUSABLE


@pytest.mark.parametrize(
    "request_",
    [
        text_to_image(width=33),
        text_to_image(width=8),
        text_to_image(width=512),
        text_to_image(steps=0),
        text_to_image(steps=1000),
        text_to_image(seeds=()),
        text_to_image(seeds=(1, 2, 3, 4, 5)),
        text_to_image(seeds=(-1,)),
        text_to_image(guidance=float("nan")),
        image_to_image(strength=0.0),
        image_to_image(strength=1.5),
        image_to_image(source=b""),
        image_to_image(source=b"not a picture"),
    ],
)
def test_impossible_requests_are_refused(engine: Engine, request_: Request) -> None:
    failed = failure(engine, request_)
    assert failed.reason is FailureReason.BAD_REQUEST
    assert failed.detail


def test_the_weakest_strength_still_draws(engine: Engine) -> None:
    for model in FAMILIES:
        assert finished(engine, image_to_image(model, strength=0.05))


def test_the_builtin_model_draws() -> None:
    catalogue = Catalogue.load(Path(__file__).parents[2] / "models.toml")
    spec = catalogue["easel"]
    if not (spec.folder and (spec.folder / "model_index.json").is_file()):
        pytest.skip("its weights aren't here")
    own = Engine((spec,), torch.device("cpu"))
    result = finished(own, text_to_image("easel", width=256, height=256, steps=4, guidance=spec.guidance))
    assert {decoded(image).size for image in result.images} == {(256, 256)}
    assert decoded(result.grid).size == (512, 512)


@pytest.fixture(scope="module")
def builtin() -> Engine:
    spec = Catalogue.load(Path(__file__).parents[2] / "models.toml")["easel"]
    return Engine((spec,), torch.device("cpu"))


def drawn(engine: Engine, **words: str) -> np.ndarray:
    """The pixels of one small picture by the built-in model."""
    wanted = text_to_image("easel", width=128, height=128, steps=4, guidance=4.0, seeds=(1,), **words)
    return np.asarray(decoded(finished(engine, wanted).images[0]))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"prompt": "cats by the seashore"}, {"prompt": "cat by the shore"}),
        (
            {"prompt": "the sea at night", "negative": "sailboats"},
            {"prompt": "the sea at night", "negative": "sailboat"},
        ),
        (
            {
                "prompt": "hyperrealistic photorealistic, cinematic lighting, unreal engine, a castle by the sea at night"
            },
            {"prompt": "a castle by the sea at night"},
        ),
        (
            {"prompt": "a castle in the moonlight", "negative": "boat"},
            {"prompt": "a castle in the moonlight at night", "negative": "boat"},
        ),
    ],
)
def test_the_builtin_model_is_told_what_was_meant_in_words_that_it_knows(
    builtin: Engine, said: dict[str, str], meant: dict[str, str]
) -> None:
    assert np.array_equal(drawn(builtin, **said), drawn(builtin, **meant))
