"""`./easel`: what is installed when, and what becomes of an installation that fails or is stopped."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.settings.env_file import read_env_file
from bot.settings.settings import PROJECT
from tests.launcher.toy import LAUNCHER, POSIX, TOY_BACKEND, TOY_PROJECT, launch, launcher, run


def test_nothing_is_done_when_nothing_changed(recorded: tuple[Any, list[str]]) -> None:
    start, done = recorded

    start.prepare("base")
    start.prepare("test")

    assert done == []


@pytest.mark.parametrize("changed", ["pyproject.toml", "constraints.txt"])
def test_a_changed_file_installs_again(recorded: tuple[Any, list[str]], changed: str) -> None:
    start, done = recorded
    with (start.ROOT / changed).open("a") as file:
        file.write("# changed\n")

    start.prepare("base")
    start.prepare("base")

    assert done == ["install ."]


def test_another_python_makes_the_environment_again(
    recorded: tuple[Any, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, done = recorded
    monkeypatch.setattr(start.sys, "version_info", (3, 99, 0))

    start.prepare("base")

    assert done == ["create", "install ."]


def test_tests_need_more_than_a_run(recorded: tuple[Any, list[str]]) -> None:
    start, done = recorded
    start.stamp("test").unlink()

    start.prepare("base")
    assert done == []
    start.prepare("test")
    assert done == ["install .[test]"]
    start.prepare("test")
    start.prepare("base")
    assert done == ["install .[test]"]


def test_an_interrupted_installation_is_done_again(
    recorded: tuple[Any, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, done = recorded
    (start.ROOT / "constraints.txt").write_text("# changed\n")
    with monkeypatch.context() as patch:
        patch.setattr(start, "install", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            start.prepare("base")

    (start.ROOT / "constraints.txt").write_text("")
    start.prepare("base")

    assert done == ["install ."]


def _interrupted(_: str) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("broken", ["no python", "a dangling python", "no config", "an empty folder"])
def test_a_broken_environment_is_made_again(recorded: tuple[Any, list[str]], broken: str) -> None:
    start, done = recorded
    python = start.venv_script("python")
    match broken:
        case "no python":
            python.unlink()
        case "a dangling python":
            python.unlink()
            python.symlink_to(start.ROOT / "gone")
        case "no config":
            (start.VENV / "pyvenv.cfg").unlink()
        case _:
            shutil.rmtree(start.VENV)
            start.VENV.mkdir()

    start.prepare("base")

    assert done == ["create", "install ."]


def test_an_environment_without_pip_is_made_again(
    recorded: tuple[Any, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    start, done = recorded
    start.stamp("base").unlink()
    monkeypatch.setattr(start, "pip_works", lambda: False)

    start.prepare("base")

    assert done == ["create", "install ."]


def test_a_moved_folder_installs_again(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = launcher(installed / "easel").fingerprint()
    moved = tmp_path_factory.mktemp("elsewhere") / "checkout"
    shutil.copytree(installed, moved, symlinks=True)

    assert launcher(moved / "easel").fingerprint() != before


def test_a_first_start_installs_and_a_second_only_starts(toy: Path) -> None:
    first = run(toy, "run", "--flag", "two words")
    second = run(toy, "run")

    assert (first.returncode, second.returncode) == (7, 7), first.stderr
    assert first.stdout == "toy bot ['run', '--flag', 'two words']\n"
    assert "Making .venv" in first.stderr
    assert "Installed in" in first.stderr
    assert second.stderr == ""


def test_a_failed_installation_is_explained_and_tried_again(toy: Path) -> None:
    shutil.copytree(toy, toy / "copy")
    (toy / "pyproject.toml").write_text(TOY_PROJECT + 'dependencies = ["surely-not-at-hand"]\n')
    (toy / "backend.py").write_text("def build_editable(*_, **__):\n    raise SystemExit('no wheel today')\n")

    failed = run(toy, "run")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr.splitlines()[-1]
    assert failed.stderr.splitlines()[-1].startswith("easel: installing failed; the whole story is in ")

    (toy / "backend.py").write_text(TOY_BACKEND)
    (toy / "pyproject.toml").write_text(TOY_PROJECT)
    assert run(toy, "run").returncode == 7


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (
            "WARNING: Retrying after NewConnectionError('x')\nERROR: No matching distribution",
            "check the network",
        ),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: something new", "the whole story is in"),
    ],
)
def test_common_failures_of_pip_get_a_reason(
    toy: Path, capsys: pytest.CaptureFixture[str], output: str, reason: str
) -> None:
    (toy / "log").write_text(output)

    with pytest.raises(SystemExit) as caught:
        launcher(toy / "easel").explain_failure(toy / "log")

    assert reason in str(caught.value.code)
    assert output.splitlines()[-1] in capsys.readouterr().err


def test_a_missing_file_is_one_sentence(toy: Path) -> None:
    (toy / "constraints.txt").unlink()

    result = run(toy, "run")

    assert result.returncode == 1
    assert result.stderr == f"easel: {toy / 'constraints.txt'}: No such file or directory.\n"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Collecting torch==2.13.0 (from easel)\n", "looking for torch"),
        ("Collecting discord.py<3,>=2.7.1\n", "looking for discord.py"),
        (
            "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (821.0 MB)\n",
            "downloading torch (821.0 MB)",
        ),
        (
            "  Downloading typing_inspection-0.4.5-py3-none-any.whl (14 kB)\n",
            "downloading typing_inspection (14 kB)",
        ),
        ("Installing collected packages: a, b, c\n", "unpacking 3 packages"),
        ("  Preparing metadata (pyproject.toml): started\n", None),
    ],
)
def test_pip_s_lines_in_plain_words(line: str, words: str | None) -> None:
    assert launcher(LAUNCHER).what_pip_does(line) == words


@POSIX
def test_ctrl_c_while_installing_is_one_line_and_leaves_no_pip(toy: Path) -> None:
    pid_file = toy / "pid"
    (toy / "backend.py").write_text(
        f"import os, pathlib, time\npathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))\n"
        "def build_editable(*_, **__):\n    time.sleep(600)\n"
        "def get_requires_for_build_editable(*_):\n    time.sleep(600)\n"
    )
    process = launch(toy, "run")
    deadline = time.monotonic() + 300
    while not (pid_file.exists() and pid_file.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)

    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=120)

    assert process.returncode == 130
    assert err.splitlines()[-1] == "Stopped."
    assert "Traceback" not in err
    assert not (toy / ".venv" / "easel-base").exists()
    assert ends_within(int(pid_file.read_text()), seconds=60)


def ends_within(pid: int, seconds: float) -> bool:
    """Whether a process stops running in time. A dead one that nobody has waited for yet counts as ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def test_the_constraints_name_versions_and_no_places() -> None:
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]

    assert "torch==2.13.0" in pins
    for pin in pins:
        assert "==" in pin
        assert not any(sign in pin for sign in ("@", "/", "--", "+"))


def test_the_playground_is_installed_where_there_is_no_token_and_nowhere_else(
    recorded: tuple[Any, list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start, done = recorded
    monkeypatch.setattr(start, "hand_over", lambda _: 7)
    for kind in start.EXTRAS:
        start.stamp(kind).unlink()
    monkeypatch.setenv("DISCORD_TOKEN", "a.b.c")
    assert start.main(["run"]) == 7
    assert done == ["install ."]

    monkeypatch.delenv("DISCORD_TOKEN")
    assert start.main(["doctor"]) == 7
    assert done == ["install ."], "only what opens the playground needs it"
    assert "playground" not in capsys.readouterr().err

    assert start.main(["run"]) == 7
    assert done == ["install .", "install .[playground]"]
    assert "There is no DISCORD_TOKEN, so the playground opens" in capsys.readouterr().err

    start.main(["run"])
    (start.ROOT / ".env").write_text("DISCORD_TOKEN=a.b.c\n")
    start.main(["run"])
    assert done == ["install .", "install .[playground]"], "what is there is enough"
    assert capsys.readouterr().err == ""


LINES = st.sampled_from(
    [
        "DISCORD_TOKEN=", "DISCORD_TOKEN=a.b.c", "export DISCORD_TOKEN = a.b.c", "DISCORD_TOKEN=''",
        'DISCORD_TOKEN="a.b.c"', 'DISCORD_TOKEN=" "', "#DISCORD_TOKEN=a.b.c", "# DISCORD_TOKEN=a.b.c", "",
        "MY_DISCORD_TOKEN=a.b.c", "EASEL_IMAGES=1", "  DISCORD_TOKEN=a.b.c  # mine", "DISCORD_TOKEN=\t",
    ]
)  # fmt: skip


@given(
    lines=st.lists(LINES, max_size=4),
    ending=st.sampled_from(["\n", "\r\n"]),
    mark=st.sampled_from(["", "\ufeff"]),
    given_too=st.none() | st.sampled_from(["", " ", "a.b.c"]),
)
def test_the_launcher_looks_for_the_token_where_the_bot_reads_it(
    lines: list[str], ending: str, mark: str, given_too: str | None
) -> None:
    start = launcher(LAUNCHER)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(start, "ROOT", Path(folder))
        (start.ROOT / ".env").write_bytes((mark + ending.join(lines)).encode())
        read = read_env_file(start.ROOT / ".env").get("DISCORD_TOKEN", "")
        patch.delenv("DISCORD_TOKEN", raising=False)
        if given_too is not None:
            patch.setenv("DISCORD_TOKEN", given_too)
            read = given_too
        assert start.has_token() == bool(read.strip())


def test_without_a_file_there_is_no_token(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    assert not launcher(toy / "easel").has_token()


def test_a_bot_on_discord_is_installed_without_the_playground() -> None:
    """PyAV's codecs are under the GPL, and it is the largest package beside torch."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not any("simcord" in each for each in project["dependencies"])
    assert any("simcord[preview]==" in each for each in project["optional-dependencies"]["playground"])
    assert "easel[playground]" in project["optional-dependencies"]["test"]
