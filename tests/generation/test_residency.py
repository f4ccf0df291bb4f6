"""Which models stay loaded: real small ones, on a machine whose memory is said to be little."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from generation.catalogue import Catalogue
from generation.contract import Finished, ModelState
from generation.engine import Engine
from tests.generation.requests import text_to_image
from tests.generation.test_safety import check, classifier

ROOM = 2 * 2 * 0.1 * 2**30 + 4096
"""Bytes for two of the small models in single precision, with little to spare."""


def machine(monkeypatch: pytest.MonkeyPatch, room: float) -> None:
    """A machine on which models may fill so many bytes: nine tenths of it."""
    total = SimpleNamespace(total=room / 0.9)
    monkeypatch.setattr("generation.residency.psutil.virtual_memory", lambda: total)


def draw(engine: Engine, *models: str) -> None:
    for model in models:
        *_, last = engine.run(text_to_image(model))
        assert isinstance(last, Finished), last


def warm(engine: Engine) -> set[str]:
    return {key for key, status in engine.states().items() if status.state is ModelState.WARM}


def test_the_model_that_was_not_used_for_longest_goes_first(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, ROOM)
    engine = Engine(tuple(catalogue.values()), torch.device("cpu"))
    draw(engine, "sd", "sdxl")
    assert warm(engine) == {"sd", "sdxl"}
    draw(engine, "sd", "flux")
    assert warm(engine) == {"sd", "flux"}


def test_the_safety_checks_classifier_takes_its_part_of_the_memory(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(monkeypatch, ROOM)
    safety = check(classifier(tmp_path / "nsfw", {"normal": 9, "nsfw": 0}))
    engine = Engine(tuple(catalogue.values()), torch.device("cpu"), safety=safety)
    engine.prepare_safety()
    draw(engine, "sd", "sdxl")
    assert warm(engine) == {"sdxl"}


def test_a_classifier_that_comes_late_sends_models_away_too(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says so at once: a member who asks for the model that went is told that it must be loaded."""
    machine(monkeypatch, ROOM)
    told: list[set[str]] = []
    engine = Engine(
        tuple(catalogue.values()),
        torch.device("cpu"),
        safety=check(tmp_path / "nsfw"),  # not there yet
        changed=lambda: told.append(warm(engine)),
    )
    engine.preload("sd")
    engine.preload("sdxl")
    assert warm(engine) == {"sd", "sdxl"}
    classifier(tmp_path / "nsfw", {"normal": 9, "nsfw": 0})
    draw(engine, "sdxl")
    assert told[-1] == warm(engine) == {"sdxl"}


def test_a_model_that_is_at_work_stays(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is paused half-way goes on with the same weights, whatever is loaded meanwhile."""
    machine(monkeypatch, ROOM)
    engine = Engine(tuple(catalogue.values()), torch.device("cpu"))
    draw(engine, "sdxl")
    paused = engine.run(text_to_image("sd"))
    for _ in range(3):
        next(paused)
    draw(engine, "flux", "sdxl")
    assert warm(engine) == {"sd", "sdxl"}
    *_, last = paused
    assert isinstance(last, Finished)
    draw(engine, "flux", "sdxl")
    assert warm(engine) == {"flux", "sdxl"}
