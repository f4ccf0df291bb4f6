"""How the packages hang together: what imports what, and what the bot's process never imports."""

from __future__ import annotations

import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

from benchmarks import house
from bot.settings.settings import PROJECT


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Counted with imports that only a type checker sees."""
    graph = grimp.build_graph("bot", "generation", "storage", exclude_type_checking_imports=False)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imported) > 200
    TopologicalSorter(imported).prepare()  # raises CycleError, which names the circle


SCRIPT = """
import sys
import bot.app, bot.cli.main, bot.doctor.machine, bot.playground
from bot.client import EaselClient
EaselClient()
heavy = {"torch", "diffusers", "transformers", "accelerate"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_bots_side_never_imports_torch() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=300)


WITH_A_TOKEN = """
import sys
for name in ("simcord", "av", "regex", "linkify_it"):
    sys.modules[name] = None  # as where the playground is not installed
import asyncio, pathlib
import bot.app, bot.cli.main, bot.doctor.machine
from bot.settings.settings import Settings
from tests.fakes import FakeGenerator
async def main():
    chosen = Settings(data=pathlib.Path(sys.argv[1]), metrics_port=0)
    async with bot.app.opened(chosen, make_generator=lambda *_: FakeGenerator()) as client:
        assert client.tree.get_commands()
asyncio.run(main())
"""


def test_a_bot_on_discord_needs_nothing_of_the_playground(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", WITH_A_TOKEN, str(tmp_path)], check=True, timeout=300, cwd=PROJECT)


@pytest.mark.parametrize(("container", "words"), [("", "./easel run"), ("docker", "--build-arg EXTRAS=playground")])
def test_a_start_that_lacks_the_playground_is_one_sentence(tmp_path: Path, container: str, words: str) -> None:
    environment = {**os.environ, "DISCORD_TOKEN": "", "EASEL_DATA": str(tmp_path), "container": container}
    script = "import importlib.util as u, sys; find = u.find_spec\n"
    script += "u.find_spec = lambda name, *a: None if name == 'simcord' else find(name, *a)\n"
    script += "from bot.cli import main as cli; sys.exit(cli.main(['run']))"
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=PROJECT,
        env=environment,
    )
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("easel: There is no DISCORD_TOKEN")
    assert words in sentence


def test_a_stranger_sees_few_rooms_with_few_arrows_between_them() -> None:
    graph = house.imports(house.modules(PROJECT))
    for package, most_rooms, most_pairs in (("bot", 25, 84), ("storage", 12, 40)):
        rooms = {house.room(name) for name in graph if name.startswith(f"{package}.")}
        assert len(rooms) <= most_rooms
        assert len(house.pairs(graph, package)) <= most_pairs
