"""Checkouts with the real launcher and a toy project."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.toy import LAUNCHER, TOY_BACKEND, TOY_BOT, TOY_PROJECT, launcher


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A checkout with the real launcher and a toy project."""
    shutil.copy(LAUNCHER, tmp_path / "easel")
    (tmp_path / "pyproject.toml").write_text(TOY_PROJECT)
    (tmp_path / "constraints.txt").write_text("")
    (tmp_path / "backend.py").write_text(TOY_BACKEND)
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__main__.py").write_text(TOY_BOT)
    return tmp_path


@pytest.fixture
def installed(toy: Path) -> Path:
    """The toy checkout as a complete installation leaves it, made without pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", toy / ".venv"], check=True)
    start = launcher(toy / "easel")
    packages = next((toy / ".venv").glob("[lL]ib/**/site-packages"))
    (packages / "toy.pth").write_text(f"{toy}\n")
    for kind in start.EXTRAS:
        start.stamp(kind).write_text(start.fingerprint())
    return toy


@pytest.fixture
def recorded(installed: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[str]]:
    """The launcher of an installed toy, which notes what it would do instead of doing it."""
    start = launcher(installed / "easel")
    done: list[str] = []
    monkeypatch.setattr(start, "install", lambda project: done.append(f"install {project}"))
    monkeypatch.setattr(start, "create_venv", lambda: done.append("create"))
    monkeypatch.setattr(start, "pip_works", lambda: True)
    return start, done
