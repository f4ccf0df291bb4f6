"""`./easel`: its own words, and how it hands over to the bot and to the checks."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.launcher.toy import LAUNCHER, POSIX, launch, launcher, run


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_help_lists_the_commands_without_installing(toy: Path, arguments: list[str]) -> None:
    result = run(toy, *arguments)

    assert result.returncode == 0
    for command in ("run", "test", "imagine", "doctor"):
        assert f"./easel {command}" in result.stdout
    assert not (toy / ".venv").exists()


def test_an_unknown_command_is_one_sentence(toy: Path) -> None:
    result = run(toy, "rnu")

    assert result.returncode == 2
    assert result.stderr == 'easel: there is no command "rnu"; see ./easel --help.\n'


def test_the_launcher_is_executable() -> None:
    assert os.name == "nt" or os.access(LAUNCHER, os.X_OK)
    assert LAUNCHER.read_text().startswith("#!/usr/bin/env python3\n")


@pytest.mark.parametrize("version", [(3, 6), (3, 10)])
def test_an_old_python_gets_one_sentence(version: tuple[int, int]) -> None:
    with pytest.raises(SystemExit) as caught:
        launcher(LAUNCHER).refuse_old_python(version)

    sentence = str(caught.value.code)
    assert "needs Python 3.11 or newer" in sentence
    assert "{}.{}".format(*version) in sentence
    assert "\n" not in sentence


def test_an_old_python_can_read_the_launcher_far_enough_to_say_so() -> None:
    tree = ast.parse(LAUNCHER.read_text(), feature_version=(3, 6))

    check = next(node for node in tree.body if isinstance(node, ast.Expr) and "refuse_old_python" in ast.unparse(node))
    before = tree.body[: tree.body.index(check)]
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.FunctionDef)
    assert all(isinstance(node, allowed) for node in before)


def test_a_start_that_changes_nothing_is_quick(installed: Path) -> None:
    bare = [installed / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python", "-P", "-m", "bot"]

    def seconds(command: list[Any]) -> float:
        begin = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        return time.perf_counter() - begin

    alone, launched = [], []
    for _ in range(5):  # in turns, so that a busy moment slows both
        alone.append(seconds(bare))
        launched.append(seconds([sys.executable, installed / "easel", "run"]))

    assert min(launched) < max(0.5, 15 * min(alone))  # about 0.15 and 0.03 on an idle machine


def test_the_caller_s_folder_is_kept_and_not_imported_from(installed: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "bot").mkdir(parents=True)
    (elsewhere / "bot" / "__main__.py").write_text("print('a stranger')")

    assert run(installed, "run", cwd=elsewhere).stdout == "toy bot ['run']\n"


@POSIX
def test_ctrl_c_reaches_the_bot_and_its_exit_status_comes_back(installed: Path) -> None:
    process = launch(installed, "run", "wait")
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)

    assert (out, err, process.returncode) == ("tidied up\n", "", 130)


def test_every_check_runs_although_one_fails_and_pytest_comes_last(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = launcher(installed / "easel")
    monkeypatch.chdir(installed)
    ran: list[str] = []

    def fake(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(map(str, command[2:])))
        return subprocess.CompletedProcess(command, returncode=int("check ." in ran[-1]))

    def tests(command: list[Any], environment: dict[str, str]) -> int:
        ran.append(" ".join(map(str, command[2:])))
        assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
        return 0

    monkeypatch.setattr(module.subprocess, "run", fake)
    monkeypatch.setattr(module, "wait_for", tests)

    assert module.main(["test", "-k", "fox"]) == 1
    assert ran[:4] == ["ruff check . easel", "ruff format --check . easel", "mypy", "mypy easel"]
    assert "lint_imports" in ran[4]
    assert ran[5:] == ["pytest -k fox"]


def test_the_checks_fail_when_the_tests_do(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = launcher(installed / "easel")
    monkeypatch.chdir(installed)
    monkeypatch.setattr(
        module.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, returncode=0)
    )
    monkeypatch.setattr(module, "wait_for", lambda *_: 5)

    assert module.main(["test"]) == 5
