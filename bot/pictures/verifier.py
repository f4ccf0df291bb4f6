"""Checks the Content Credentials (C2PA) of one picture: https://spec.c2pa.org/

Native code reads strangers' files here, so `check` is called in a process of its own only, by `bot.pictures.inspector`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

MEDIA = {b"\xff\xd8": "image/jpeg", b"\x89P": "image/png", b"RI": "image/webp"}
"""Media types by a file's first two bytes."""

_LONGEST = 200
"""Characters of each word that a stranger wrote."""
_MADE, _PARTLY = (
    re.compile(f"digitalsourcetype/{word}", re.IGNORECASE)
    for word in ("trainedalgorithmicmedia", "compositewithtrainedalgorithmicmedia")
)
"""https://cv.iptc.org/newscodes/digitalsourcetype/"""
_OUTDATED = {"signingCredential.expired", "claimSignature.outsideValidity"}
_MISSING = {"assertion.missing", "assertion.undeclared"}
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_UNTRUSTED = "signingCredential.untrusted"


class Standing(StrEnum):
    """What a check came to."""

    HOLDS = "holds"  # the file is as it was when it was signed
    CHANGED = "changed"  # the file or its credentials are not what was signed
    OUTDATED = "outdated"  # nothing trusted says that the certificate was valid then
    BROKEN = "broken"  # the signature fails for another reason
    UNREADABLE = "unreadable"  # damaged, or more than the limits of time and memory allow
    UNCHECKED = "unchecked"  # the package that checks is not installed


class Share(StrEnum):
    """What the credentials say of AI."""

    ALL = "all"  # AI made the picture
    PART = "part"  # AI made parts of it
    SOURCE = "source"  # AI made something that went into it
    UNSAID = "unsaid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the credentials prove, and what they only claim.

    `trusted` means that the host trusts who issued the certificate; without it, `signer`, `organisation` and `program`
    are anybody's words. `signed_at` is in Unix seconds, and None unless a trusted authority stamped it. `reason` is C2PA's
    word for why a signature is broken.
    """

    standing: Standing
    trusted: bool = False
    signer: str = ""
    organisation: str = ""
    program: str = ""
    share: Share = Share.UNSAID
    signed_at: int | None = None
    reason: str = ""


def check(data: bytes, anchors: str) -> Verdict | None:
    """The verdict on a JPEG, PNG or WebP; None if it carries no credentials. `anchors` are trusted issuers, in PEM.

    Raises what the library raises for damaged ones.
    """
    import c2pa

    # Neither credentials kept elsewhere nor lists of revoked certificates are fetched: a file must not choose whom we call.
    wanted: dict[str, Any] = {"verify": {"remote_manifest_fetch": False, "ocsp_fetch": False}}
    if anchors:
        wanted["trust"] = {"trust_anchors": anchors}
    context = c2pa.Context(c2pa.Settings.from_dict(wanted))
    try:
        with c2pa.Reader(MEDIA[data[:2]], io.BytesIO(data), context=context) as reader:
            report = json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return None
    return judge(report)


def certificates(path: Path) -> str:
    """The certificates of a PEM file, without the comments that lists of them carry."""
    return "\n".join(_CERTIFICATE.findall(path.read_text(encoding="utf-8", errors="replace")))


def judge(report: Mapping[str, Any]) -> Verdict:
    """The verdict that a report of the library comes to. Raises KeyError for one without an active manifest."""
    manifest = report["manifests"][report["active_manifest"]]
    signature = manifest.get("signature_info") or {}
    standing, reason = _standing(report)
    return Verdict(
        standing=standing,
        trusted=report.get("validation_state") == "Trusted",
        signer=_short(signature.get("common_name")),
        organisation=_short(signature.get("issuer")),
        program=_program(manifest),
        share=_share(report),
        signed_at=_seconds(signature.get("time")) if "timeStamp.trusted" in _codes(report, "success") else None,
        reason=_short(reason),
    )


def _standing(report: Mapping[str, Any]) -> tuple[Standing, str]:
    if report.get("validation_state") in ("Valid", "Trusted"):
        return Standing.HOLDS, ""
    failures = _codes(report, "failure") - {_UNTRUSTED}
    if any(code in _MISSING or re.fullmatch(r"(assertion|claimSignature).*\.mismatch", code) for code in failures):
        return Standing.CHANGED, ""
    if failures and failures <= _OUTDATED:
        return Standing.OUTDATED, ""
    others = {str(each.get("code")) for each in report.get("validation_status", ())} - {_UNTRUSTED}
    return Standing.BROKEN, min(failures or others, default="")


def _codes(report: Mapping[str, Any], kind: str) -> set[str]:
    active = (report.get("validation_results") or {}).get("activeManifest") or {}
    return {str(each.get("code")) for each in active.get(kind, ())}


def _share(report: Mapping[str, Any]) -> Share:
    active = report["active_manifest"]
    said = {name: json.dumps(each.get("assertions")) for name, each in report["manifests"].items()}
    own = said.pop(active)
    if _MADE.search(own):
        return Share.ALL
    if _PARTLY.search(own):
        return Share.PART
    return Share.SOURCE if any(_MADE.search(one) or _PARTLY.search(one) for one in said.values()) else Share.UNSAID


def _program(manifest: Mapping[str, Any]) -> str:
    """The name and version of what wrote the claim: a list in claims of version 2, else words like "Camera/1.0 c2pa-rs"."""
    named = list(_programs(manifest.get("claim_generator_info")))
    return _short(named[0] if named else str(manifest.get("claim_generator") or "").partition(" ")[0])


def _programs(info: Any) -> Iterator[str]:
    for each in info or ():
        yield " ".join(str(each[key]) for key in ("name", "version") if each.get(key))


def _seconds(moment: Any) -> int | None:
    return int(datetime.fromisoformat(moment).timestamp()) if moment else None


def _short(words: Any) -> str:
    return str(words or "")[:_LONGEST]
