"""The bot's process stays light: it never imports torch, whatever of it runs."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import sys
import bot.app, bot.cli, bot.doctor, bot.playground
from bot.client import EaselClient
EaselClient()
heavy = {"torch", "diffusers", "transformers", "accelerate"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_bots_side_never_imports_torch() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, timeout=300)
