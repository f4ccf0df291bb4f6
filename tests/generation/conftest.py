from __future__ import annotations

import os
from pathlib import Path

import pytest

from generation.catalogue import Catalogue

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small random models of every family, and their models.toml."""
    from tests.generation import tiny

    folder = tmp_path_factory.mktemp("models")
    tiny.build(folder)
    tiny.break_weights(folder / "sd", folder / "broken")
    tiny.spoil(folder / "sd", folder / "nan", float("nan"))
    tiny.spoil(folder / "sd", folder / "blank", 0.2)
    with (folder / "models.toml").open("a", encoding="utf-8") as file:
        for key in ("broken", "nan", "blank", "absent"):
            file.write(tiny.entry(key, "stable-diffusion"))
    return folder


@pytest.fixture(scope="session")
def catalogue(tiny_models: Path) -> Catalogue:
    return Catalogue.load(tiny_models / "models.toml")
