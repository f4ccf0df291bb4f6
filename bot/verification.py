"""What the Content Credentials of somebody's picture prove. The check itself runs in a process of its own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import structlog

from bot import verifier
from bot.credentials import INSTALL
from bot.settings import StartupError
from bot.verifier import Share, Standing, Verdict

_PATIENCE = 20
"""Seconds for a check, of which the process may compute ten; a picture of 32 MiB takes less than one."""

_log = structlog.get_logger(__name__)


def verify(data: bytes, anchors: Path | None) -> Verdict | None:
    """The verdict on a JPEG, PNG or WebP; None where it carries no credentials. Blocks: use a thread.

    `anchors` is the PEM file of issuers whom the host trusts.
    """
    if importlib.util.find_spec("c2pa") is None:
        return Verdict(standing=Standing.UNCHECKED)
    try:
        done = subprocess.run(
            [sys.executable, "-I", verifier.__file__, *([str(anchors)] if anchors else [])],
            input=data,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
            env=_without_secrets(),
        )
    except (subprocess.SubprocessError, BrokenPipeError) as error:  # damaged credentials end the process
        _log.info("Content Credentials could not be read", error=type(error).__name__)
        return Verdict(standing=Standing.UNREADABLE)
    found = json.loads(done.stdout)
    return found and Verdict(
        **found | {"standing": Standing(found["standing"]), "share": Share(found["share"])}
    )


def trusted(anchors: Path | None) -> int:
    """How many issuers that PEM file lists; 0 without one. Raises StartupError for one that can't be used."""
    if anchors is None:
        return 0
    if importlib.util.find_spec("c2pa") is None:
        raise StartupError(f"EASEL_C2PA_TRUST needs a package that is missing here: {INSTALL}.")
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return len(load_pem_x509_certificates(anchors.read_bytes()))
    except OSError as error:
        raise StartupError(
            f"EASEL_C2PA_TRUST is {anchors}, which can't be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise StartupError(
            f"EASEL_C2PA_TRUST is {anchors}, which holds no certificates in PEM: {error}."
        ) from error


def _without_secrets() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DISCORD_", "EASEL_"))}
