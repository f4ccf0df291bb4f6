"""`./easel`: what is installed when, how it hands over, and what it says.

Nothing here touches a network: pip installs a toy project that needs nothing.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from bot.settings import PROJECT

LAUNCHER = PROJECT / "easel"
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")

TOY_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "toy"
version = "1"
"""

TOY_BACKEND = '''
"""Builds an editable wheel of the folder that it lies in, with nothing but the standard library."""
import pathlib, zipfile

def get_requires_for_build_editable(config_settings=None):
    return []

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "toy-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(wheel_directory, name), "w") as wheel:
        wheel.writestr("toy.pth", str(pathlib.Path(__file__).parent) + "\\n")
        wheel.writestr("toy-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: toy\\nVersion: 1\\n"
                       "Provides-Extra: test\\n")
        wheel.writestr("toy-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("toy-1.dist-info/RECORD", "")
    return name
'''

TOY_BOT = """
import sys, time
try:
    print("toy bot", sys.argv[1:], flush=True)
    if "wait" in sys.argv:
        time.sleep(600)
except KeyboardInterrupt:
    print("tidied up", flush=True)
    sys.exit(130)
sys.exit(7)
"""


def launcher(path: Path) -> Any:
    """The launcher as a module."""
    loader = importlib.machinery.SourceFileLoader("launcher", str(path))
    spec = importlib.util.spec_from_loader("launcher", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "dont_write_bytecode", True)
        loader.exec_module(module)
    return module


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
    for kind in ("base", "test"):
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


def run(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIP_NO_INDEX": "1"}
    return subprocess.run(
        [sys.executable, str(folder / "easel"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
        **options,
    )


# Its own words.


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

    check = next(
        node for node in tree.body if isinstance(node, ast.Expr) and "refuse_old_python" in ast.unparse(node)
    )
    before = tree.body[: tree.body.index(check)]
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.FunctionDef)
    assert all(isinstance(node, allowed) for node in before)


# What is installed when.


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


# Handing over.


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
    process = subprocess.Popen(
        [sys.executable, str(installed / "easel"), "run", "wait"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)

    assert (out, err, process.returncode) == ("tidied up\n", "", 130)


@POSIX
def test_ctrl_c_while_installing_is_one_line_and_leaves_no_pip(toy: Path) -> None:
    pid_file = toy / "pid"
    (toy / "backend.py").write_text(
        f"import os, pathlib, time\npathlib.Path({str(pid_file)!r}).write_text(str(os.getpid()))\n"
        "def build_editable(*_, **__):\n    time.sleep(600)\n"
        "def get_requires_for_build_editable(*_):\n    time.sleep(600)\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(toy / "easel"), "run"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PIP_NO_INDEX": "1"},
    )
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


def test_every_check_runs_although_one_fails_and_pytest_comes_last(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = launcher(installed / "easel")
    monkeypatch.chdir(installed)
    ran: list[str] = []

    def fake(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(" ".join(map(str, command[2:])))
        return subprocess.CompletedProcess(command, returncode=int("check ." in ran[-1]))

    def tests(command: list[Any], environment: dict[str, str]) -> int:
        ran.append(" ".join(map(str, command[2:])))
        assert environment["OMP_WAIT_POLICY"] == "PASSIVE"
        return 0

    monkeypatch.setattr(start.subprocess, "run", fake)
    monkeypatch.setattr(start, "wait_for", tests)

    assert start.main(["test", "-k", "fox"]) == 1
    assert ran[:4] == ["ruff check . easel", "ruff format --check . easel", "mypy", "mypy easel"]
    assert "lint_imports" in ran[4]
    assert ran[5:] == ["pytest -k fox"]


def test_the_checks_fail_when_the_tests_do(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = launcher(installed / "easel")
    monkeypatch.chdir(installed)
    monkeypatch.setattr(
        start.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, returncode=0)
    )
    monkeypatch.setattr(start, "wait_for", lambda *_: 5)

    assert start.main(["test"]) == 5


def test_the_constraints_name_versions_and_no_places() -> None:
    lines = (PROJECT / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]

    assert "torch==2.13.0" in pins
    for pin in pins:
        assert "==" in pin
        assert not any(sign in pin for sign in ("@", "/", "--", "+"))
