"""The safety check of results: a real worker process and real small classifiers, whose bias says what they find."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import ViTConfig, ViTForImageClassification

from generation.catalogue import Catalogue
from generation.contract import Event, Failed, FailureReason, Finished, ModelState, Progressed, Request
from generation.local import LocalGenerator
from generation.safety_check import Guard, Unchecked
from generation.safety_settings import SafetyCheck, read_source
from tests.generation.requests import image_to_image, picture, text_to_image

LABELS = ("nsfw", "porn")
PATIENCE = 300.0
DEVICE = torch.device("cpu")


def classifier(folder: Path, found: Mapping[str, float], *, several: bool = False) -> Path:
    """A classifier that finds each label with this logit in every picture."""
    labels = dict(enumerate(found))
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=16,
        id2label=labels,
        label2id={label: index for index, label in labels.items()},
        problem_type="multi_label_classification" if several else None,
    )
    model = ViTForImageClassification(config)
    with torch.no_grad():
        model.classifier.weight.fill_(0)
        model.classifier.bias.copy_(torch.tensor(list(found.values())))
    model.save_pretrained(folder)
    processor = {
        "image_processor_type": "ViTImageProcessor",
        "size": {"height": 32, "width": 32},
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    return folder


def spotter(folder: Path, processor: Mapping[str, Any]) -> Path:
    """A classifier that finds red unsafe and grey not, with this preparation of pictures."""
    torch.manual_seed(0)
    classifier(folder, {"normal": 0, "nsfw": 0})
    model = ViTForImageClassification.from_pretrained(folder)
    colours = torch.stack([torch.zeros(3, 32, 32), torch.ones(3, 32, 32)])
    colours[1, 1:] = -1
    with torch.no_grad():
        grey, red = model.vit(colours).last_hidden_state[:, 0]
        ways = (red - grey) * 20 / (red - grey).square().sum()
        model.classifier.weight[1] = ways
        model.classifier.bias[1] = -ways @ (grey + red) / 2
    model.save_pretrained(folder)
    common = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps({**common, **processor}), encoding="utf-8")
    return folder


def check(source: Path | str, **changes: Any) -> SafetyCheck:
    return SafetyCheck(**{"source": source, "labels": LABELS, "threshold": 0.5} | changes)


def guard(source: Path | str, **changes: Any) -> Guard:
    return Guard(check(source, **changes), DEVICE, allow_downloads=False)


def unsafe(source: Path, **changes: Any) -> bool:
    found = guard(source, **changes).unsafe([picture(64, 48), picture(48, 64, seed=1)], lambda: None)
    assert found in (frozenset(), frozenset({1, 2}))
    return bool(found)


@pytest.mark.parametrize(
    ("found", "is_unsafe"),
    [
        ({"normal": 9, "nsfw": 0}, False),
        ({"normal": 0, "nsfw": 9}, True),
        ({"Normal": 0, "NSFW": 9}, True),
        ({"neutral": 1, "porn": 0.7, "nsfw": 0.7}, True),
    ],
)
def test_the_probability_of_all_unsafe_labels_together_counts(
    tmp_path: Path, found: dict[str, float], is_unsafe: bool
) -> None:
    assert unsafe(classifier(tmp_path, found)) is is_unsafe


def test_labels_that_do_not_exclude_each_other_count_each_alone(tmp_path: Path) -> None:
    folder = classifier(tmp_path, {"safe": 9, "porn": -0.5, "nsfw": -0.5}, several=True)
    assert not unsafe(folder)
    assert unsafe(folder, threshold=0.3)


def test_the_host_chooses_labels_and_threshold(tmp_path: Path) -> None:
    folder = classifier(tmp_path, {"normal": 0, "sexy": 0})
    assert unsafe(folder, labels=("sexy",))
    assert not unsafe(folder, labels=("sexy",), threshold=0.6)


CROPPING = (
    {
        "image_processor_type": "CLIPImageProcessor",
        "size": {"shortest_edge": 32},
        "crop_size": {"height": 32, "width": 32},
    },
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 32}, "crop_pct": 0.875},
)


@pytest.mark.parametrize("processor", CROPPING)
def test_what_a_classifier_would_cut_off_is_looked_at_too(tmp_path: Path, processor: Mapping[str, Any]) -> None:
    looking = guard(spotter(tmp_path, processor))
    wide, tall = Image.new("RGB", (144, 48), "grey"), Image.new("RGB", (48, 144), "grey")
    plain = [wide.copy(), tall.copy(), Image.new("RGB", (48, 48), "grey")]
    assert looking.unsafe(plain, lambda: None) == frozenset()
    wide.paste("red", (96, 0, 144, 48))
    tall.paste("red", (0, 0, 48, 48))
    between = Image.new("RGB", (96, 48), "grey")
    between.paste("red", (24, 0, 72, 48))
    found = looking.unsafe([wide, tall, between, Image.new("RGB", (48, 48), "red")], lambda: None)
    assert found == {1, 2, 3, 4}


def with_broken(folder: Path, what: str) -> Path:
    """A classifier with a fault."""
    classifier(folder, {"normal": 0, "nsfw": 0})
    weights = folder / "model.safetensors"
    tensors = load_file(weights)
    match what:
        case "absent":
            return folder / "elsewhere"
        case "cut off":
            weights.write_bytes(weights.read_bytes()[:1000])
        case "pickled":
            torch.save(tensors, folder / "pytorch_model.bin")
            weights.unlink()
        case "no head":
            save_file({k: v for k, v in tensors.items() if "classifier" not in k}, weights, {"format": "pt"})
        case "no processor":
            (folder / "preprocessor_config.json").unlink()
        case "nan":
            tensors["classifier.bias"].fill_(float("nan"))
            save_file(tensors, weights, {"format": "pt"})
        case "other labels":
            classifier(folder, {"cat": 0, "dog": 0})
    return folder


FAULTS = ("absent", "cut off", "pickled", "no head", "no processor", "nan", "other labels")


@pytest.mark.parametrize("fault", FAULTS)
def test_with_a_fault_nothing_passes(tmp_path: Path, fault: str) -> None:
    broken = guard(with_broken(tmp_path, fault))
    for _ in range(2):
        with pytest.raises(Unchecked):
            broken.unsafe([picture(64, 64)], lambda: None)
        assert broken.status.state is ModelState.UNUSABLE
        assert broken.status.reason
    if fault == "other labels":
        assert "none of EASEL_SAFETY_LABELS" in broken.status.reason
        assert "cat, dog" in broken.status.reason


def test_what_is_mended_works_again(tmp_path: Path) -> None:
    mended = guard(tmp_path / "later")
    with pytest.raises(Unchecked):
        mended.prepare()
    classifier(tmp_path / "later", {"normal": 0, "nsfw": 9})
    assert mended.unsafe([picture(32, 32)], lambda: None) == {1}
    assert mended.status.state is ModelState.WARM


def test_a_crash_while_it_looks_lets_nothing_pass(tmp_path: Path) -> None:
    good = guard(classifier(tmp_path, {"normal": 9, "nsfw": 0}))
    with pytest.raises(Unchecked):
        good.unsafe([picture(32, 32), Image.new("1", (0, 0))], lambda: None)
    assert good.status.state is ModelState.UNUSABLE
    assert good.unsafe([picture(32, 32)], lambda: None) == frozenset()


@pytest.mark.parametrize(
    ("text", "repository", "revision"),
    [
        ("Falconsai/nsfw_image_detection", "Falconsai/nsfw_image_detection", None),
        ("some/one@0a1b2c", "some/one", "0a1b2c"),
        ("./folder", "folder", None),
        ("/models/a@b", "/models/a@b", None),
    ],
)
def test_a_repository_may_be_pinned(text: str, repository: str, revision: str | None) -> None:
    found = check(read_source(text))
    assert (Path(found.repository), found.revision) == (Path(repository), revision)


@pytest.mark.parametrize("text", ["nsfw", "a/b/c", "some/one@", "https://example.com/model"])
def test_other_sources_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - settings say what is wrong
        read_source(text)


# The worker process.


async def drawn(catalogue: Catalogue, source: Path, *requests: Request) -> tuple[list[list[Event]], Any]:
    """The events of these requests, and the state of the check."""
    generator = LocalGenerator(catalogue, device="cpu", step_timeout=60, safety=check(source))
    async with asyncio.timeout(PATIENCE):
        await generator.start()
        try:
            ready = await generator.wait_ready()
            assert ready.safety == generator.safety()
            found = []
            for number, request in enumerate(requests):
                generator.submit(str(number), request)
                found.append([event async for event in generator.events(str(number))])
            return found, generator.safety()
        finally:
            await generator.close()


async def test_the_worker_checks_every_picture_and_shows_none_before(catalogue: Catalogue, tmp_path: Path) -> None:
    folder = classifier(tmp_path, {"normal": 0, "nsfw": 9})
    found, state = await drawn(catalogue, folder, text_to_image(), image_to_image())
    assert state.state is ModelState.WARM
    for events, count in zip(found, (4, 2), strict=True):
        assert isinstance(events[-1], Finished)
        assert events[-1].unsafe == frozenset(range(1, count + 1))
        steps = [event for event in events if isinstance(event, Progressed)]
        assert steps
        assert all(event.preview is None for event in steps)


async def test_a_worker_whose_check_is_broken_draws_nothing(catalogue: Catalogue, tmp_path: Path) -> None:
    found, state = await drawn(catalogue, with_broken(tmp_path, "nan"), text_to_image(), image_to_image())
    assert state.state is ModelState.UNUSABLE
    assert "aren't numbers" in state.reason
    for events in found:
        assert isinstance(events[-1], Failed)
        assert events[-1].reason is FailureReason.UNCHECKED
        assert not [event for event in events if isinstance(event, Progressed)]


async def test_a_broken_check_may_take_its_time_and_is_told_of_once_until_it_is_mended(
    catalogue: Catalogue, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "generation.supervisor")
    request, folder = text_to_image(), with_broken(tmp_path / "nsfw", "nan")
    generator = LocalGenerator(
        catalogue, default_model=request.sampling.model, device="cpu", step_timeout=0.01, safety=check(folder)
    )
    async with asyncio.timeout(PATIENCE):
        await generator.start()
        try:
            for ticket in ("1", "2"):  # loading it takes far longer than a step may
                generator.submit(ticket, request)
                *_, last = [event async for event in generator.events(ticket)]
                assert isinstance(last, Failed)
                assert last.reason is FailureReason.UNCHECKED
            assert sum("no result is shown" in record.message for record in caplog.records) == 1
            classifier(folder, {"normal": 9, "nsfw": 0})
            generator.submit("3", request)
            async for event in generator.events("3"):
                if isinstance(event, Progressed):
                    break
        finally:
            await generator.close()


async def test_a_classifier_that_may_be_downloaded_has_longer_than_one_that_is_here(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So it fails, but only after the worker's start, which takes far longer than it may.
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    generator = LocalGenerator(
        catalogue, device="cpu", allow_downloads=True, load_timeout=0.1, safety=check("nobody/nothing")
    )
    async with asyncio.timeout(PATIENCE):
        await generator.start()
        try:
            ready = await generator.wait_ready()
        finally:
            await generator.close()
    assert ready.safety is not None
    assert ready.safety.state is ModelState.UNUSABLE
