"""Whom the host trusts to vouch for the names in Content Credentials. `bot.pictures.inspection` checks what they prove."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bot.pictures.signing import INSTALL
from bot.settings.settings import StartupError


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
        raise StartupError(f"EASEL_C2PA_TRUST is {anchors}, which can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise StartupError(f"EASEL_C2PA_TRUST is {anchors}, which holds no certificates in PEM: {error}.") from error
