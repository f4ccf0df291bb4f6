"""Signs pictures with Content Credentials (C2PA), if the host has a certificate: https://spec.c2pa.org/

The package that does it is an extra, `easel[c2pa]`, imported only where a certificate is set. Nothing goes to the network.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from PIL import Image

from bot.settings import StartupError
from generation.parameters import creator
from generation.provenance import SOURCE_TYPE

Seal = Callable[[bytes], bytes]
"""Signs an encoded JPEG or PNG. Blocks: use a thread."""

_log = structlog.get_logger(__name__)


def unsigned(data: bytes) -> bytes:
    """What there is without a certificate."""
    return data


def seal(certificate: Path | None, key: Path | None) -> Seal:
    """What signs with the certificate of that PEM file, tried out once. Raises StartupError. Blocks: use a thread."""
    if certificate is None and key is None:
        return unsigned
    if certificate is None or key is None:
        raise StartupError("EASEL_C2PA_CERTIFICATE and EASEL_C2PA_KEY go together: only one of them is set.")
    chain, secret = _read(certificate, "EASEL_C2PA_CERTIFICATE"), _read(key, "EASEL_C2PA_KEY")
    sign = _signer(chain, secret)
    try:
        sign(_sample())
    except Exception as error:  # the library raises its own errors, cryptography's and plain ValueErrors
        raise StartupError(f"Pictures can't be signed with {certificate} and {key}: {error}") from error

    def signed_or_as_it_was(data: bytes) -> bytes:
        try:
            return sign(data)
        except Exception:  # a picture without a signature is better than none
            _log.exception("a picture could not be signed")
            return data

    return signed_or_as_it_was


def _signer(chain: bytes, secret: bytes) -> Seal:
    try:
        import c2pa
    except ImportError as error:
        install = '.venv/bin/pip install -c constraints.txt -e ".[c2pa]"'
        raise StartupError(f"Signing pictures needs a package that is missing here: {install}.") from error
    context = c2pa.Context(c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}}))

    def sign(data: bytes) -> bytes:
        info = c2pa.C2paSignerInfo(alg=_algorithm(secret), sign_cert=chain, private_key=secret, ta_url=None)
        media, out = "image/jpeg" if data.startswith(b"\xff\xd8") else "image/png", io.BytesIO()
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(_manifest(), context) as builder:
            builder.sign(signer, media, io.BytesIO(data), out)
        return out.getvalue()

    return sign


def _algorithm(secret: bytes) -> bytes:
    """C2PA's word for what a PEM key signs with. Raises ValueError or TypeError for a key that it doesn't allow."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    match load_pem_private_key(secret, password=None):
        case ec.EllipticCurvePrivateKey() as key if key.key_size in (256, 384, 521):
            return f"es{min(key.key_size, 512)}".encode()
        case ed25519.Ed25519PrivateKey():
            return b"ed25519"
        case rsa.RSAPrivateKey():
            return b"ps256"
    raise ValueError("the key must be of an elliptic curve (P-256, P-384, P-521), Ed25519 or RSA")


def _manifest() -> dict[str, Any]:
    name, _, version = creator().partition(" ")
    program = {"name": name, "version": version}
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE, "softwareAgent": program}
    return {
        "claim_generator_info": [program],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
    }


def _sample() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    return out.getvalue()


def _read(path: Path, setting: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StartupError(f"{setting} is {path}, which can't be read: {error.strerror}.") from error
