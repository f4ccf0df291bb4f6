"""`/describe` on files with Content Credentials: who signed, whether that holds, and what hostile files come to."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import threading
import zlib
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.features import describe
from bot.jobs.prompt_line import Again, Changed
from bot.pictures import inspection, signing, verification, verifier
from bot.pictures.verifier import Share, Standing, Verdict
from bot.settings.settings import StartupError
from bot.texts.findings import Level
from generation import provenance
from generation.parameters import Parameters
from generation.read_metadata import Description
from tests.bot.doctor.test_machine import about, examine
from tests.bot.features.test_describe import described
from tests.bot.pictures.inspecting import inspected, verify
from tests.fakes import picture
from tests.world import World, world

c2pa = pytest.importorskip("c2pa", reason="the extra c2pa is not installed")
certificates = pytest.importorskip("tests.bot.pictures.certificates")

TRAINED = provenance.SOURCE_TYPE
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
CAMERA = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    chain, key = certificates.write(tmp_path_factory.mktemp("host"))
    return chain, key


@pytest.fixture(scope="module")
def signed(host: tuple[Path, Path]) -> bytes:
    """What Easel signs."""
    return signing.seal(*host)(picture(1))


def by_others(
    folder: Path,
    *,
    name: str = "Camera Club",
    source: str = CAMERA,
    kind: str = "PNG",
    parent: bytes | None = None,
    remote: str | None = None,
    program: str = "Shutter",
) -> bytes:
    """A picture that another program signed with a certificate of its own, drawn over `parent` where that is given."""
    chain, key = certificates.write(folder / "others", name=name)
    action = {"action": "c2pa.created", "digitalSourceType": source}
    manifest = {
        "claim_generator_info": [{"name": program, "version": "9"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
    media, out = f"image/{kind.lower()}", io.BytesIO()
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=chain.read_bytes(), private_key=key.read_bytes(), ta_url=None)
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest) as builder:
        if parent is not None:
            builder.add_ingredient({"title": "a part", "relationship": "componentOf"}, "image/png", io.BytesIO(parent))
        if remote is not None:
            builder.set_no_embed()
            builder.set_remote_url(remote)
        builder.sign(signer, media, io.BytesIO(picture(1, 64, 64, kind=kind)), out)
    return out.getvalue()


def verdict(data: bytes, anchors: Path | None = None) -> Verdict:
    found = verify(data, anchors)
    assert found is not None
    return found


async def test_a_signature_by_a_stranger_holds_but_vouches_for_nobody(easel: World, tmp_path: Path) -> None:
    words = await described(easel, by_others(tmp_path))
    assert "signed under the name **Camera Club** (Tests) with Shutter 9, and unchanged since" in words
    assert "anybody could have used it" in words
    assert "The credentials do not say that AI made it." in words
    assert "trusts who issued" not in words


async def test_an_issuer_that_the_host_trusts_is_said_to_be(tmp_path: Path, host: tuple[Path, Path]) -> None:
    anchors = tmp_path / "trust.pem"
    anchors.write_bytes("# Ours, größtenteils\n".encode() + certificates.root(host[0]))
    async with world(tmp_path / "data", c2pa_certificate=host[0], c2pa_key=host[1], c2pa_trust=anchors) as easel:
        await easel.imagine(easel.ben)
        (grid,) = [await message.attachments[0].read() for message in easel.results()]
        result = await easel.ben.slash(easel.channel, "describe", image=("grid.jpg", grid))
        words = result.response.content
    assert "signed by **Host** (Tests) with Easel" in words
    assert "trusts who issued that certificate" in words
    assert "The credentials say that AI made it." in words
    assert not verdict(by_others(tmp_path), anchors).trusted


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_format_is_checked(tmp_path: Path, kind: str) -> None:
    found = verdict(by_others(tmp_path, kind=kind, source=TRAINED))
    assert (found.standing, found.share, found.signer) == (Standing.HOLDS, Share.ALL, "Camera Club")


@pytest.mark.parametrize(
    ("source", "share", "words"),
    [
        (TRAINED, Share.ALL, "AI made it"),
        (COMPOSITE, Share.PART, "AI made parts of it"),
        (CAMERA, Share.UNSAID, "do not say"),
    ],
)
def test_what_is_said_of_ai_is_told_apart(tmp_path: Path, source: str, share: Share, words: str) -> None:
    found = verdict(by_others(tmp_path, source=source))
    assert found.share is share
    nothing = Description(parameters=None, says_ai=False, signed=True)
    assert words in describe.described(nothing, found, None)[0]


def test_a_part_that_ai_made_is_found(tmp_path: Path, signed: bytes) -> None:
    assert verdict(by_others(tmp_path, parent=signed)).share is Share.SOURCE


def pasted(signed: bytes, other: bytes) -> bytes:
    """Another picture that carries the credentials of a signed one."""
    at = signed.index(b"caBX") - 4
    (length,) = struct.unpack(">I", signed[at : at + 4])
    before = other.index(b"IDAT") - 4
    return other[:before] + signed[at : at + 12 + length] + other[before:]


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks' checksums are right again."""
    out, at = bytearray(data[:8]), 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        body = data[at + 4 : at + 8 + length]
        out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return bytes(out)


@pytest.mark.parametrize("what", ["another picture", "another word in the credentials"])
async def test_a_change_after_signing_is_told(easel: World, signed: bytes, what: str) -> None:
    if what == "another picture":
        forged = pasted(signed, picture(2))
    else:
        forged = with_checksums(signed.replace(b"trainedAlgorithmicMedia", b"trainedAlgorithmicmedia"))
    words = await described(easel, forged)
    assert "changed after it was signed" in words
    assert "name **Host** (Tests)" in words
    assert "don't rely on what it says" in words
    assert "unchanged" not in words


async def test_damaged_credentials_are_called_so(easel: World, signed: bytes) -> None:
    at = signed.index(b"c2pa.claim") + 60
    broken = signed[:at] + bytes(40) + signed[at + 40 :]
    assert verdict(broken).standing in (Standing.UNREADABLE, Standing.CHANGED, Standing.BROKEN)
    assert "Content Credentials" in await described(easel, with_checksums(broken))


async def test_without_the_package_nothing_is_claimed(
    easel: World, signed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    words = await described(easel, signed)
    assert "carries Content Credentials, which I can't check here" in words
    assert "Host" not in words


async def test_a_picture_without_credentials_says_nothing_of_them(easel: World) -> None:
    text = io.BytesIO()
    Image.new("RGB", (8, 8)).save(text, "PNG", **provenance.Label(text="jumb c2pa").options("PNG"))
    for data in (picture(1), text.getvalue()):
        assert "Content Credentials" not in await described(easel, data)


async def test_the_names_in_a_certificate_are_shown_inert(easel: World, tmp_path: Path) -> None:
    evil = "@everyone <@1> https://evil.example **x** [a](http://b)"
    words = await described(easel, by_others(tmp_path, name=evil, program="<#1> http://c `d`" * 50))
    for dangerous in ("@everyone", "<@1>", "<#1>", "://", "](http", "**x**"):
        assert dangerous not in words
    assert len(words) < 1000


def test_the_longest_words_of_strangers_fit_into_one_message() -> None:
    long = "@<*" * 100
    facts = dict.fromkeys(("Model", "Seed", "Size", "Steps", "CFG scale", "Sampler", "Denoising strength"), long)
    found = Description(
        parameters=Parameters(prompt=long, negative=long, facts=facts),
        says_ai=False,
        signed=True,
        tool="SwarmUI",
    )
    changed = (
        Changed(setting="size", was="999999×999999", now="1024×1024"),
        *(Changed(setting=each, was="999999999", now="12.345") for each in ("steps", "guidance", "pictures")),
    )
    for standing in Standing:
        for trusted in (False, True):
            seen = Verdict(
                standing=standing,
                trusted=trusted,
                signer=long,
                organisation=long,
                program=long,
                share=Share.SOURCE,
                signed_at=10**12,
                reason=long,
            )
            for line in ("x" * 5000, "x" * 900, None):
                again = Again(line=line, changed=changed, seed=long, model=long, cut=True)
                words, as_file = describe.described(found, seen, again)
                assert len(words) <= 2000
                assert as_file == (line is not None and line not in words)


def test_a_file_never_makes_us_call_anybody(tmp_path: Path) -> None:
    calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            data = by_others(tmp_path, remote=f"http://127.0.0.1:{server.server_port}/away")
            found = verify(data, None)
        finally:
            server.shutdown()
            thread.join()
    assert found is None or found.standing is Standing.UNREADABLE
    assert calls == []


def test_a_check_that_does_not_end_leaves_what_was_read_before(signed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process says what the file says of itself, and hangs then: it is killed, and that was heard."""
    hangs = (
        "import sys, time; from bot.pictures import inspector, verifier; "
        "verifier.check = lambda *_: time.sleep(60); inspector.main(sys.argv[1:])"
    )
    start = subprocess.Popen

    def hanging(command: list[str], **options: Any) -> Any:
        return start([*command[:3], "-c", hangs, *command[5:]], **options)

    monkeypatch.setattr(inspection.subprocess, "Popen", hanging)
    found = inspected(signed, patience=3)
    assert found.description.says_ai
    assert found.verdict == Verdict(standing=Standing.UNREADABLE)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_damage_passes_for_a_signature_that_holds(signed: bytes, data: st.DataObject) -> None:
    start, end = signed.index(b"jumb"), signed.index(b"IEND")
    whole = bytearray(signed)
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(start, end - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = verifier.check(bytes(whole), "")
    except Exception:
        return  # in the process that checks, this is its end
    if (
        found is not None and found.standing is Standing.HOLDS
    ):  # the damage hit what no signature covers, such as padding
        assert (found.signer, found.share, found.trusted) == ("Host", Share.ALL, False)
        with suppress(OSError, SyntaxError):
            assert Image.open(io.BytesIO(whole)).tobytes() == Image.open(io.BytesIO(signed)).tobytes()


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"failure": ["signingCredential.untrusted", "assertion.dataHash.mismatch"]}, Standing.CHANGED),
        ({"failure": ["claimSignature.mismatch"]}, Standing.CHANGED),
        ({"failure": ["assertion.missing"]}, Standing.CHANGED),
        ({"failure": ["signingCredential.expired", "assertion.hashedURI.mismatch"]}, Standing.CHANGED),
        ({"failure": ["signingCredential.untrusted", "signingCredential.expired"]}, Standing.OUTDATED),
        ({"failure": ["signingCredential.revoked"]}, Standing.BROKEN),
        ({"failure": []}, Standing.BROKEN),
    ],
)
def test_reports_are_judged(report: dict[str, list[str]], expected: Standing) -> None:
    failures = [{"code": code} for code in report["failure"]]
    found = verifier.judge(
        {
            "active_manifest": "one",
            "manifests": {"one": {"assertions": []}},
            "validation_results": {"activeManifest": {"failure": failures}},
            "validation_state": "Invalid",
        }
    )
    assert found.standing is expected


def test_trusted_issuers_that_cannot_be_read_stop_the_start(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("hello")
    with pytest.raises(StartupError, match=r"EASEL_C2PA_TRUST is .*holds no certificates"):
        verification.trusted(nonsense)
    with pytest.raises(StartupError, match="can't be read"):
        verification.trusted(tmp_path / "missing.pem")
    assert verification.trusted(None) == 0


def test_the_doctor_counts_trusted_issuers(tmp_path: Path, host: tuple[Path, Path]) -> None:
    good = about(examine(tmp_path, EASEL_C2PA_TRUST=str(host[0])), "Signatures of others")
    assert (good.level, "2 issuers" in good.what) == (Level.OK, True)
