"""Signs pictures with Content Credentials (C2PA), if the host has a certificate: https://spec.c2pa.org/

The package that does it is an extra, `easel[c2pa]`, imported only where a certificate is set. Nothing goes to the network,
but a hash of each signature to a time stamp authority, where the host chose one.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol

import structlog
from PIL import Image

from bot.settings.settings import StartupError
from generation.parameters import creator
from generation.provenance import SOURCE_TYPE

Seal = Callable[[bytes], bytes]
"""Signs an encoded JPEG or PNG. Blocks: use a thread."""

INSTALL = '.venv/bin/pip install -c constraints.txt -e ".[c2pa]"'
"""What installs the package."""

_PATIENCE = 5.0
"""Seconds that a time stamp authority has to answer: pictures wait for it. The library itself would wait 30."""
_REST = 600.0
"""Seconds for which an authority that failed is not asked again."""

_log = structlog.get_logger(__name__)


def unsigned(data: bytes) -> bytes:
    """What there is without a certificate."""
    return data


def seal(
    certificate: Path | None,
    key: Path | None,
    authority: str | None = None,
    *,
    patience: float = _PATIENCE,
    clock: Callable[[], float] = time.monotonic,
) -> Seal:
    """What signs with the certificate of that PEM file, tried out once. Raises StartupError. Blocks: use a thread.

    `authority` is the URL of a time stamp authority, which has `patience` seconds to answer. `clock` counts seconds.
    """
    if certificate is None and key is None:
        if authority is not None:
            raise StartupError("EASEL_C2PA_TIMESTAMP_URL is set, but no EASEL_C2PA_CERTIFICATE to sign with.")
        return unsigned
    sign = _tried(certificate, key)
    if authority is not None:
        sign = _Stamping(sign, authority, patience=patience, clock=clock)

    def signed_or_as_it_was(data: bytes) -> bytes:
        try:
            return sign(data)
        except Exception:  # a picture without a signature is better than none
            _log.exception("a picture could not be signed")
            return data

    return signed_or_as_it_was


def try_time_stamp(certificate: Path | None, key: Path | None, authority: str) -> None:
    """Raises StartupError if that authority does not stamp a signature in time. Blocks: use a thread."""
    sign = _tried(certificate, key)
    try:
        _within(_PATIENCE, lambda: sign(_sample(), authority))
    except Exception as error:
        raise StartupError(f"{authority} gives no time stamp: {_why(error)}") from error


class _Sign(Protocol):
    def __call__(self, data: bytes, authority: str | None = None, /) -> bytes: ...


class _Stamping:
    """Signs with time stamps; while their authority does not answer, without, and without waiting for it each time."""

    def __init__(self, sign: _Sign, authority: str, *, patience: float, clock: Callable[[], float]) -> None:
        self._sign, self._authority = sign, authority
        self._patience, self._clock = patience, clock
        self._resting_until = clock()

    def __call__(self, data: bytes, _: str | None = None, /) -> bytes:
        if self._clock() < self._resting_until:
            return self._sign(data)
        try:
            return _within(self._patience, lambda: self._sign(data, self._authority))
        except Exception as error:  # the library does not tell the authority's failures from its own
            plain = self._sign(data)  # which fails as well if it was the picture's fault
            self._resting_until = self._clock() + _REST
            _log.warning(
                "no time stamp: pictures are signed without one until the authority is asked again",
                authority=self._authority,
                why=_why(error),
                minutes=_REST // 60,
            )
            return plain


def _within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """What `work` returns. Raises TimeoutError after so long, and leaves the work to a thread that holds up no exit."""
    done: Future[bytes] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except Exception as error:
            done.set_exception(error)

    threading.Thread(target=run, name="time stamp", daemon=True).start()
    return done.result(seconds)


def _why(error: Exception) -> str:
    return str(error) or "no answer in time"


def _tried(certificate: Path | None, key: Path | None) -> _Sign:
    """What signs with them, once it has. Raises StartupError."""
    if certificate is None or key is None:
        raise StartupError("EASEL_C2PA_CERTIFICATE and EASEL_C2PA_KEY go together: only one of them is set.")
    chain, secret = _read(certificate, "EASEL_C2PA_CERTIFICATE"), _read(key, "EASEL_C2PA_KEY")
    sign = _signer(chain, secret)
    try:
        sign(_sample())
    except Exception as error:  # the library raises its own errors, cryptography's and plain ValueErrors
        raise StartupError(f"Pictures can't be signed with {certificate} and {key}: {error}") from error
    return sign


def _signer(chain: bytes, secret: bytes) -> _Sign:
    try:
        import c2pa
    except ImportError as error:
        raise StartupError(f"Signing pictures needs a package that is missing here: {INSTALL}.") from error
    context = c2pa.Context(c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}}))

    def sign(data: bytes, authority: str | None = None, /) -> bytes:
        info = c2pa.C2paSignerInfo(alg=_algorithm(secret), sign_cert=chain, private_key=secret, ta_url=authority)
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
