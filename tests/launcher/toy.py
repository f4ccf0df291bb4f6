"""A toy checkout for the launcher, and ways to start it. Nothing of it touches a network: pip installs what needs nothing."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.settings.settings import PROJECT

LAUNCHER = PROJECT / "easel"
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals to send")
ENVIRONMENT = {**os.environ, "PIP_NO_INDEX": "1", "DISCORD_TOKEN": ""}

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
                       "Provides-Extra: test\\nProvides-Extra: playground\\n")
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


def run(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "easel"), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=ENVIRONMENT,
        **options,
    )


def launch(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Starts it in a session of its own, where Ctrl-C counts although whoever started the tests may have ignored it."""
    return subprocess.Popen(
        [sys.executable, str(folder / "easel"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=ENVIRONMENT,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
