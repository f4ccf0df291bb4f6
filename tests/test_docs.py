"""The README and the examples say what is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from discord.app_commands import Command, ContextMenu

from bot.client import EaselClient
from bot.interactions.checks import PERMISSIONS
from bot.jobs.flags import FLAGS
from bot.settings.settings import describe

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "RESULTS.md", *sorted((ROOT / "docs").glob("*.md"))]
PACKAGES = ("bot", "storage", "generation", "tests", "benchmarks")
_INSIDE = rf"(?<![\w/.])(?:{'|'.join(PACKAGES)})"


def test_the_table_of_settings_is_complete() -> None:
    for variable in describe():
        default = f"`{variable.default}`" if variable.default else ""
        assert f"| `{variable.name}` | {default} | {variable.help} |" in README


def test_every_command_and_flag_is_in_the_table_of_commands() -> None:
    for command in EaselClient().tree.get_commands():
        assert (command.name if isinstance(command, ContextMenu) else f"/{command.name}") in README
    for flag in FLAGS:
        assert f"--{flag}" in README


def test_every_command_of_admins_is_in_their_guide() -> None:
    guide = (ROOT / "docs" / "admin.md").read_text(encoding="utf-8")
    for command in EaselClient().tree.walk_commands():
        if isinstance(command, Command) and command.qualified_name.startswith(("admin ", "quota ")):
            assert re.search(rf"`/{command.qualified_name}[` ]", guide), f"/{command.qualified_name}"


def test_the_invite_links_permissions_are_the_real_ones() -> None:
    assert f"permissions={PERMISSIONS.value}" in README
    for name in (
        "View Channels",
        "Send Messages",
        "Send Messages in Threads",
        "Attach Files",
        "Read Message History",
    ):
        assert name in README


def test_every_model_is_in_the_table_of_models() -> None:
    models = tomllib.loads((ROOT / "models.toml").read_text(encoding="utf-8"))["model"]
    for model in models:
        assert f"| {model['name']} |" in README
        assert model["licence"] in README


def test_links_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_pages_name_settings_and_commands_that_there_are() -> None:
    settings = {variable.name for variable in describe()} | {"EASEL_HYPOTHESIS"}
    for page in PAGES:
        for name in re.findall(r"EASEL_[A-Z0-9_]+", page.read_text(encoding="utf-8")):
            assert name in settings, f"{page.name} names {name}"
    model = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    commands = {command.qualified_name.split()[0] for command in EaselClient().tree.walk_commands()}
    assert set(re.findall(r"`/([a-z]+)[` ]", model)) <= commands
    assert "(docs/threat-model.md)" in README


def test_every_file_that_the_pages_name_is_there() -> None:
    for page in PAGES:
        for name in re.findall(rf"{_INSIDE}/[\w./-]*\w", page.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{page.name} names {name}"


def test_every_module_that_the_pages_name_is_there() -> None:
    for page in PAGES:
        for name in re.findall(rf"{_INSIDE}(?:\.\w+)+", page.read_text(encoding="utf-8")):
            assert _is_there(name), f"{page.name} names {name}"


def _is_there(name: str) -> bool:
    """Whether it is a module, or something that a module defines."""
    path = ROOT.joinpath(*name.split("."))
    if path.is_dir() or path.with_suffix(".py").exists():
        return True
    module = path.parent / "__init__.py" if path.parent.is_dir() else path.parent.with_suffix(".py")
    return module.exists() and re.search(rf"\b{path.name}\b", module.read_text(encoding="utf-8")) is not None


def test_pages_and_docstrings_name_modules_by_names_that_they_have() -> None:
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    names = {path.name for path in modules}
    for text in [*PAGES, *modules]:
        for name in re.findall(r"`(\w+\.py)`", text.read_text(encoding="utf-8")):
            assert name in names, f"{text.relative_to(ROOT)} names {name}"


def test_the_plan_of_the_house_names_every_room() -> None:
    plan = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in ("bot", "storage"):
        for room in (ROOT / package).iterdir():
            if room.suffix in ("", ".py") and not room.name.startswith("__"):
                assert re.search(rf"\b{room.stem}\b", plan), f"{package}/{room.name}"


def test_the_table_of_families_says_what_is_declared() -> None:
    from generation.families.__main__ import table

    assert table() in (ROOT / "docs" / "models.md").read_text(encoding="utf-8"), "python -m generation.families"
