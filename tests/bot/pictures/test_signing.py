"""Content Credentials with a host's own certificate: what is signed, what readers see, and what stops a start."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from structlog.testing import capture_logs

from bot.pictures import files, signing
from bot.settings.settings import StartupError
from bot.texts.findings import Level
from generation import provenance
from generation.contract import Sampling, TextToImage
from generation.read_metadata import describe
from tests.bot.doctor.test_machine import about, examine
from tests.fakes import picture
from tests.world import world

c2pa = pytest.importorskip("c2pa", reason="the extra c2pa is not installed")
certificates = pytest.importorskip("tests.bot.pictures.certificates")


def checked(data: bytes) -> dict[str, Any]:
    """What a C2PA reader makes of a file."""
    media = files.content_type(data)
    with c2pa.Reader(media, io.BytesIO(data)) as reader:
        return dict(json.loads(reader.json()))


def refusal(certificate: Path | None, key: Path | None) -> str:
    with pytest.raises(StartupError) as refused:
        signing.seal(certificate, key)
    return str(refused.value)


async def test_everything_that_is_posted_is_signed_and_says_that_ai_made_it(tmp_path: Path) -> None:
    chain, key = certificates.write(tmp_path)
    async with world(tmp_path / "data", c2pa_certificate=chain, c2pa_key=key) as easel:
        await easel.imagine(easel.ben)
        await easel.press(easel.ben, easel.results()[0], "U2")
        posted = [await message.attachments[0].read() for message in easel.messages()]
    assert [files.content_type(data) for data in posted] == ["image/jpeg", "image/png"]
    for data in posted:
        report = checked(data)
        assert report["validation_state"] == "Valid"
        manifest = report["manifests"][report["active_manifest"]]
        assert provenance.SOURCE_TYPE in json.dumps(manifest["assertions"])
        assert manifest["signature_info"]["common_name"] == "Host"
        assert describe(data).signed
        assert describe(data).says_ai


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_signing_keeps_the_parameters_and_shows_a_change(tmp_path: Path, kind: str) -> None:
    seal = signing.seal(*certificates.write(tmp_path))
    label = provenance.Label(text="a fox\nSteps: 1, Seed: 2, Size: 3x4", mark=provenance.mark())
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, kind, **label.options(kind))
    signed = seal(out.getvalue())
    found = describe(signed)
    assert found.parameters is not None
    assert found.parameters.prompt == "a fox"
    assert checked(signed)["validation_state"] == "Valid"
    at = signed.index(b"Easel")  # in the packet that the signature covers
    assert checked(signed[:at] + b"Weasl" + signed[at + 5 :])["validation_state"] == "Invalid"


def test_a_picture_made_smaller_is_signed_again_and_keeps_its_words(tmp_path: Path) -> None:
    seal = signing.seal(*certificates.write(tmp_path))
    request = TextToImage(
        sampling=Sampling(model="easel", prompt="狐", width=9, height=9, steps=1, guidance=1, seeds=(5,))
    )
    noise = np.random.default_rng(1).integers(0, 255, (600, 600, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "PNG", **provenance.of_request(request, 0).options("PNG"))
    small = files.shrink(seal(out.getvalue()), 150_000, seal)
    assert len(small) <= 150_000
    assert checked(small)["validation_state"] == "Valid"
    found = describe(small)
    assert found.says_ai
    assert found.parameters is not None
    assert (found.parameters.prompt, found.parameters.facts["Seed"]) == ("狐", "5")


@pytest.mark.parametrize("curve", ["SECP384R1", "SECP521R1", "ed25519"])
def test_other_keys_sign_too(tmp_path: Path, curve: str) -> None:
    if curve == "ed25519":
        key = certificates.ed25519.Ed25519PrivateKey.generate()
    else:
        key = certificates.ec.generate_private_key(getattr(certificates.ec, curve)())
    seal = signing.seal(*certificates.write(tmp_path, key))
    assert checked(seal(picture(1)))["validation_state"] == "Valid"


def test_without_a_certificate_nothing_changes() -> None:
    assert signing.seal(None, None)(picture(1)) == picture(1)


def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path) -> None:
    chain, key = certificates.write(tmp_path)
    (tmp_path / "other").mkdir()
    _, other_key = certificates.write(tmp_path / "other")
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("hello")
    assert "only one of them is set" in refusal(chain, None)
    assert "EASEL_C2PA_KEY" in refusal(chain, tmp_path / "missing.pem")
    assert "No such file" in refusal(tmp_path / "missing.pem", key)
    for certificate, secret in ((chain, other_key), (nonsense, key), (chain, nonsense)):
        words = refusal(certificate, secret)
        assert words.startswith(f"Pictures can't be signed with {certificate} and {secret}: ")
        assert "\n" not in words


def test_a_missing_package_is_named_with_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chain, key = certificates.write(tmp_path)
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert '".[c2pa]"' in refusal(chain, key)


async def test_a_bad_certificate_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartupError, match="can't be read"):
        async with world(tmp_path, c2pa_certificate=tmp_path / "no.pem", c2pa_key=tmp_path / "no.pem"):
            pass


def test_the_doctor_says_whether_pictures_can_be_signed(tmp_path: Path) -> None:
    chain, key = certificates.write(tmp_path)
    good = examine(tmp_path, EASEL_C2PA_CERTIFICATE=str(chain), EASEL_C2PA_KEY=str(key))
    assert about(good, "Signing").level is Level.OK
    bad = examine(tmp_path, EASEL_C2PA_CERTIFICATE=str(chain))
    assert about(bad, "Signing").level is Level.BROKEN
    assert not any("Signing" in one.what for one in examine(tmp_path))


def test_a_picture_that_cannot_be_signed_is_kept_as_it_is(tmp_path: Path) -> None:
    seal = signing.seal(*certificates.write(tmp_path))
    with capture_logs() as logs:
        assert seal(b"no picture") == b"no picture"
    assert [line["log_level"] for line in logs] == ["error"]
