"""`./easel doctor`: each fault is found, named and answered with advice; a whole installation has none."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bot.doctor import machine
from bot.settings.settings import PROJECT, Settings
from bot.texts.findings import Finding, Level
from generation.catalogue import Catalogue
from generation.contract import ModelState, ModelStatus
from generation.local import WorkerUnavailable
from generation.wire import Memory, Ready

TOKEN = "MTE0NTE0MTkxOTgxMDg5MzgxMA.GaBcDe.q-Zx_" + "9" * 33
"""Shaped like a bot's token, and nobody's."""

GPU = Ready(
    pid=1,
    device="cuda",
    device_name="NVIDIA Test 24",
    versions={"torch": "2.13.0+cu130"},
    memory=Memory(process=1, device=0, device_total=24 * 10**9),
)
CPU = Ready(
    pid=1,
    device="cpu",
    device_name="CPU",
    versions={"torch": "2.13.0+cpu"},
    memory=Memory(process=1, device=0, device_total=0),
)

ONE_MODEL = """
[[model]]
key = "small"
name = "Small"
family = "stable-diffusion"
source = "{source}"
licence = "MIT"
native = [256, 256]
multiple = 16
sides = [128, 384]
steps = 20
steps_range = [4, 50]
guidance = 4.0
guidance_range = [1.0, 12.0]
memory_gb = {memory}
"""


def examine(tmp_path: Path, *, ready: Ready | Exception = GPU, **env: str) -> list[Finding]:
    async def probe(_: Settings, __: Catalogue) -> Ready:
        if isinstance(ready, Exception):
            raise ready
        return ready

    env = {"EASEL_PLAYGROUND_PORT": "0", **env}
    return list(machine.examine(env, tmp_path / ".env", probe=probe))


def about(findings: list[Finding], words: str) -> Finding:
    (finding,) = [each for each in findings if words in each.what]
    return finding


def models_file(tmp_path: Path, source: str, memory: float = 0.5) -> str:
    path = tmp_path / "models.toml"
    path.write_text(ONE_MODEL.format(source=source, memory=memory))
    return str(path)


def model_folder(tmp_path: Path) -> str:
    (tmp_path / "small" / "unet").mkdir(parents=True)
    (tmp_path / "small" / "model_index.json").write_text('{"unet": ["diffusers", "UNet2DConditionModel"]}')
    return "./small"


def test_a_whole_installation_has_no_fault(tmp_path: Path) -> None:
    findings = examine(tmp_path, DISCORD_TOKEN=TOKEN, EASEL_MODELS=models_file(tmp_path, model_folder(tmp_path)))

    assert [each for each in findings if each.level is Level.BROKEN] == []
    for words in ("Python 3.", "Packages: all", "looks like a bot token", "GB free", "none yet"):
        assert about(findings, words).level in (Level.OK, Level.NOTE)
    assert about(findings, "Model small (the default)").level is Level.OK
    assert about(findings, "Draws on cuda").what == "Draws on cuda: NVIDIA Test 24 (torch 2.13.0+cu130)"
    assert about(findings, "GPU memory").what == "GPU memory: 24.0 GB"


def test_every_fault_comes_with_advice(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the folder's place")

    findings = examine(
        tmp_path,
        ready=WorkerUnavailable("it ended"),
        EASEL_MODELS=models_file(tmp_path, "./nothing-there"),
    )

    broken = [each for each in findings if each.level is Level.BROKEN]
    assert len(broken) == 3
    assert all(each.advice for each in broken)


def test_the_token_is_never_shown(tmp_path: Path) -> None:
    for token in (TOKEN, TOKEN + "!", TOKEN.replace(".", ":")):
        assert token not in str(examine(tmp_path, DISCORD_TOKEN=token))


def test_a_bad_setting_is_a_fault_and_the_rest_is_examined(tmp_path: Path) -> None:
    findings = examine(tmp_path, EASEL_IMAGES="9")

    assert about(findings, "EASEL_IMAGES").level is Level.BROKEN
    assert about(findings, "Draws on cuda").level is Level.OK


def test_no_token_means_the_playground(tmp_path: Path) -> None:
    assert about(examine(tmp_path), "opens the playground").level is Level.NOTE


def test_a_missing_package_and_an_untested_version_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\ndependencies = ["surely-not-installed>=1", "discord.py>=2,<3", "structlog"]\n'
    )
    (tmp_path / "constraints.txt").write_text("# tested\ndiscord-py==1.0.0\n")

    findings = list(machine._packages(tmp_path))

    assert about(findings, "missing are surely-not-installed").level is Level.BROKEN
    assert "discord-py" in about(findings, "not the tested versions").what
    assert "structlog" not in about(findings, "not the tested versions").what


def test_the_advice_on_packages_never_names_the_system_s_own_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.prefix", "/usr")
    assert "/usr" not in machine._reinstall()
    monkeypatch.setattr("sys.prefix", str(PROJECT / ".venv"))
    assert f"delete {PROJECT / '.venv'}" in machine._reinstall()


@pytest.mark.parametrize(("free", "level"), [(10**8, Level.BROKEN), (5 * 10**9, Level.NOTE), (10**11, Level.OK)])
def test_disk_space_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage())

    assert about(examine(tmp_path), "GB free").level is level


def test_nothing_is_made_where_there_was_nothing(tmp_path: Path) -> None:
    examine(tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_a_busy_playground_port_is_told_where_it_matters(tmp_path: Path, busy_port: int) -> None:
    findings = examine(tmp_path, EASEL_PLAYGROUND_PORT=str(busy_port))
    assert "EASEL_PLAYGROUND_PORT" in about(findings, f"Port {busy_port}").advice

    on_discord = examine(tmp_path, EASEL_PLAYGROUND_PORT=str(busy_port), DISCORD_TOKEN=TOKEN)
    assert not any("Port" in each.what for each in on_discord)


def test_a_broken_models_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("[[model")
    findings = examine(tmp_path, EASEL_MODELS=str(tmp_path / "models.toml"))
    assert about(findings, "Models: ").level is Level.BROKEN

    findings = examine(tmp_path, EASEL_DEFAULT_MODEL="no-such-model")
    assert about(findings, "EASEL_DEFAULT_MODEL").level is Level.BROKEN


def test_a_default_model_without_files_is_a_fault(tmp_path: Path) -> None:
    finding = about(examine(tmp_path, EASEL_MODELS=models_file(tmp_path, "./nothing-there")), "Model small")

    assert finding.level is Level.BROKEN
    assert str(tmp_path / "nothing-there") in finding.advice


def test_a_model_to_download_is_a_fault_only_where_downloads_are_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    models = models_file(tmp_path, "somebody/something")

    on = about(examine(tmp_path, EASEL_MODELS=models, EASEL_ALLOW_DOWNLOADS="yes"), "Model small")
    off = about(examine(tmp_path, EASEL_MODELS=models), "Model small")

    assert (on.level, off.level) == (Level.NOTE, Level.BROKEN)
    assert './easel imagine "a fox" --model small' in off.advice


def test_a_model_larger_than_the_gpu_is_told(tmp_path: Path) -> None:
    models = models_file(tmp_path, model_folder(tmp_path), memory=36)

    assert about(examine(tmp_path, EASEL_MODELS=models), "needs about 36 GB").level is Level.NOTE


def test_a_cpu_needs_twice_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It draws in single precision, and `memory_gb` is said for half."""
    monkeypatch.setattr("bot.doctor.machine._machine_memory", lambda: 16 * 10**9)
    models = models_file(tmp_path, model_folder(tmp_path), memory=12)

    assert about(examine(tmp_path, ready=CPU, EASEL_MODELS=models), "needs about 24 GB").level is Level.NOTE


@pytest.mark.parametrize(
    ("torch", "nvidia", "device", "level", "words"),
    [
        ("2.13.0+cpu", False, "auto", Level.NOTE, "there is no GPU"),
        ("2.13.0+cpu", True, "auto", Level.BROKEN, "There is an NVIDIA GPU"),
        ("2.13.0+cu130", True, "auto", Level.NOTE, "though this machine has NVIDIA's tools"),
        ("2.13.0+cpu", True, "cpu", Level.OK, "as EASEL_DEVICE says"),
    ],
)
def test_drawing_on_the_cpu_is_explained(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    torch: str,
    nvidia: bool,
    device: str,
    level: Level,
    words: str,
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/nvidia-smi" if nvidia else None)
    ready = Ready(pid=1, device="cpu", device_name="CPU", versions={"torch": torch}, memory=CPU.memory)

    assert about(examine(tmp_path, ready=ready, EASEL_DEVICE=device), words).level is level


@pytest.mark.parametrize(
    ("error", "words"),
    [(WorkerUnavailable("File x | no CUDA"), "start: no CUDA"), (TimeoutError(), "no answer in 120 s")],
)
def test_a_worker_that_does_not_start_is_a_fault(tmp_path: Path, error: Exception, words: str) -> None:
    finding = about(examine(tmp_path, ready=error), "The process that draws")

    assert finding.level is Level.BROKEN
    assert words in finding.what


@pytest.mark.parametrize("source", ["some/classifier", "./classifier"])
def test_a_safety_check_that_does_not_work_is_a_fault(tmp_path: Path, source: str) -> None:
    broken = ModelStatus(state=ModelState.UNUSABLE, reason="it lacks its weights")
    found = examine(tmp_path, ready=replace(GPU, safety=broken), EASEL_SAFETY_MODEL=source)
    finding = about(found, "Safety check")
    assert finding.level is Level.BROKEN
    assert "no result is shown: it lacks its weights" in finding.what
    assert ("downloads it" in finding.advice) is source.startswith("some")

    works = replace(GPU, safety=ModelStatus(state=ModelState.WARM))
    assert about(examine(tmp_path, ready=works, EASEL_SAFETY_MODEL=source), "Safety check").level is Level.OK
    assert not [one for one in examine(tmp_path) if "Safety check" in one.what]


async def test_the_real_worker_tries_the_safety_check(tmp_path: Path) -> None:
    settings = Settings(device="cpu", safety_model=tmp_path / "nothing-there")
    ready = await machine.ask_worker(settings, Catalogue.load(PROJECT / "models.toml"))

    assert ready.safety is not None
    assert ready.safety.state is ModelState.UNUSABLE


async def test_the_real_worker_answers() -> None:
    ready = await machine.ask_worker(Settings(device="cpu"), Catalogue.load(PROJECT / "models.toml"))

    assert ready.device == "cpu"
    assert ready.versions["torch"].startswith("2.")


def test_the_report_shows_each_finding_and_counts_the_faults() -> None:
    out = io.StringIO()
    console = Console(file=out, width=40)
    findings = [
        Finding(level=Level.OK, what="Python 3.12 [is fine]"),
        Finding(level=Level.BROKEN, what="A long line " * 10, advice="Mend it."),
    ]

    assert machine.report(findings, console) == 1
    assert machine.report(findings[:1], console) == 0
    text = out.getvalue()
    assert "✓ Python 3.12 [is fine]\n" in text
    assert "✗ A long line A long line" in text
    assert "  → Mend it.\n" in text
    assert "1 broken." in text
    assert "Nothing is broken." in text
