"""The command line behind `./easel`: what it says, and with which status it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bot.cli import main as cli
from bot.health import heartbeat
from bot.health.heartbeat import Component
from bot.settings.settings import PROJECT


def bot(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=PROJECT,
        env={**os.environ, "DISCORD_TOKEN": "", **environment},
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"EASEL_IMAGES": "9"}, "EASEL_IMAGES"),
        ({"DISCORD_TOKEN": "abc"}, "DISCORD_TOKEN"),
        ({"EASEL_MODELS": "/no/such/models.toml"}, "/no/such/models.toml"),
        ({"EASEL_DEFAULT_MODEL": "no-such-model"}, "no-such-model"),
    ],
)
def test_a_start_that_can_t_be_is_one_sentence(tmp_path: Path, environment: dict[str, str], words: str) -> None:
    result = bot("run", EASEL_DATA=str(tmp_path), EASEL_PLAYGROUND_PORT="0", **environment)

    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    sentence = result.stderr.splitlines()[-1]
    assert sentence.startswith("easel: ")
    assert words in sentence


def test_the_bot_s_exit_status_is_the_command_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = ModuleType("bot.app")

    async def stopped(_: Any) -> int:
        return 3

    app.run = stopped  # type: ignore[attr-defined]
    monkeypatch.setattr("bot.app", app, raising=False)
    monkeypatch.setitem(sys.modules, "bot.app", app)
    monkeypatch.setattr("bot.logs.configure", lambda *_, **__: None)

    assert cli.main(["run"]) == 3


def test_health_is_a_fresh_heartbeat_of_a_bot_that_is_well(tmp_path: Path) -> None:
    missing = bot("health", EASEL_DATA=str(tmp_path))
    assert (missing.returncode, missing.stderr) == (1, "")
    assert missing.stdout.startswith("Not running")

    heartbeat.write(tmp_path / "heartbeat", [Component(name="database", well=True, words="answers")])
    assert bot("health", EASEL_DATA=str(tmp_path)).returncode == 0

    long_ago = time.time() - 61
    os.utime(tmp_path / "heartbeat", (long_ago, long_ago))
    assert bot("health", EASEL_DATA=str(tmp_path)).returncode == 1

    heartbeat.write(tmp_path / "heartbeat", [Component(name="queue", well=False, words="5 wait")])
    unwell = bot("health", EASEL_DATA=str(tmp_path))
    assert (unwell.returncode, unwell.stdout.splitlines()[-1]) == (1, "✗ queue: 5 wait")


def test_imagine_draws_without_discord(tmp_path: Path) -> None:
    arguments = (
        "imagine",
        "a red dragon circle",
        "--seed",
        "7",
        "--steps",
        "4",
        "--out",
        str(tmp_path / "new"),
    )

    result = bot(*arguments, "--count", "2", "--ar", "3:2", EASEL_DEVICE="cpu")
    assert result.returncode == 0, result.stderr
    *paths, summary = result.stdout.splitlines()
    assert [Path(path).name for path in paths] == [
        "a-red-dragon-circle-easel-7-1.png",
        "a-red-dragon-circle-easel-7-2.png",
        "a-red-dragon-circle-easel-7-grid.jpg",
    ]
    assert all(Path(path).stat().st_size > 1000 for path in paths)
    assert "seeds 7, 8" in summary
    assert "Easel built-in can't draw: dragon." in result.stderr
    assert "Step 4 of 4" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["a fox", "--model", "none"], 1, 'There is no model "none"'),
        (["a fox", "--count", "9"], 1, "9 images at once"),
        (["a fox", "--steps", "0"], 1, "0 steps"),
        (["a fox", "--cfg", "nan"], 1, "guidance"),
        ([" "], 1, "The prompt is empty"),
        (["a fox --seed 5"], 1, "--seed stands inside the quotes"),
        (["\u200b\u2800"], 1, "The prompt is empty"),
        (
            ["a", "fox", "\u2014ar", "3:2"],
            1,
            "\u2014ar stands inside the quotes of the prompt: put it behind them as --ar.",
        ),
        (["a fox -ar 3:2"], 1, "Write --ar with two"),
        (["a fox", "--ar", "9:1"], 2, "from 1:4 to 4:1"),
        (["a fox", "--seed", "-1"], 2, "--seed"),
        (["a fox", "--seed", "4294967296"], 2, "from 0 to 4294967295"),
        (["a fox", "--ar", "wide"], 2, "like 3:2"),
        (["a fox", "--sed", "1"], 2, "--sed"),
        ([], 2, "prompt"),
    ],
)
def test_what_imagine_can_t_draw_is_said(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    words: str,
) -> None:
    monkeypatch.setattr("bot.logs.configure", lambda *_, **__: None)
    try:
        result = cli.main(["imagine", *arguments])
    except SystemExit as error:
        result = int(str(error.code))

    assert result == status
    assert words in capsys.readouterr().err


def test_a_terminal_without_the_letters_gets_others(tmp_path: Path) -> None:
    """Windows writes to files and pipes in the code page of the country."""
    missing = bot("health", EASEL_DATA=str(tmp_path / "лиса"), PYTHONIOENCODING="ascii")
    assert (missing.returncode, missing.stderr) == (1, "")
    assert "\\u043b" in missing.stdout


def test_imagine_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / "fox-1.png").write_text("kept")

    assert cli._free(tmp_path, "fox", ["-1.png", "-grid.jpg"]) == "fox-again2"
    assert cli._free(tmp_path, "hen", ["-1.png", "-grid.jpg"]) == "hen"
