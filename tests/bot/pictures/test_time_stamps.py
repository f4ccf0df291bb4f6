"""Time stamps of signatures: what they are good for, and what happens while nobody gives them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.pictures import signing
from bot.pictures.verifier import Standing
from bot.settings.settings import StartupError
from bot.texts.findings import Level
from tests.bot.doctor.test_machine import about, examine
from tests.bot.pictures.inspecting import verify
from tests.fakes import picture
from tests.world import world

pytest.importorskip("c2pa", reason="the extra c2pa is not installed")
certificates = pytest.importorskip("tests.bot.pictures.certificates")
authorities = pytest.importorskip("tests.bot.pictures.authority")

EXPIRED = Path(__file__).parents[2] / "expired"
"""Pictures signed with a certificate of `certificates.write(seconds=20)`, with a time stamp and without, and their issuers."""

needs_openssl = pytest.mark.skipif(authorities.OPENSSL is None, reason="no OpenSSL to stamp with")


class Seconds:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def tsa(tmp_path: Path) -> Iterator[authorities.Authority]:
    with authorities.authority(tmp_path / "authority") as tsa:
        yield tsa


@pytest.fixture
def host(tmp_path: Path) -> tuple[Path, Path]:
    chain, key = certificates.write(tmp_path / "host")
    return chain, key


def issuers(folder: Path, *chains: Path) -> Path:
    """A file with the roots of these chains."""
    path = folder / "issuers.pem"
    path.write_bytes(b"".join(map(certificates.root, chains)))
    return path


def stamped(data: bytes, anchors: Path) -> bool:
    found = verify(data, anchors)
    assert found is not None
    assert (found.standing, found.trusted) == (Standing.HOLDS, True)
    return found.signed_at is not None


@needs_openssl
async def test_everything_that_is_posted_is_stamped(
    tmp_path: Path, tsa: authorities.Authority, host: tuple[Path, Path]
) -> None:
    chosen = {"c2pa_certificate": host[0], "c2pa_key": host[1], "c2pa_timestamp_url": tsa.url}
    async with world(tmp_path / "data", **chosen) as easel:
        await easel.imagine(easel.ben)
        (grid,) = [await message.attachments[0].read() for message in easel.results()]
    assert stamped(grid, issuers(tmp_path, host[0], tsa.chain))
    assert tsa.asked >= 5  # four pictures and their grid


def test_a_stamped_signature_outlives_its_certificate() -> None:
    with_stamp, without = ((EXPIRED / name).read_bytes() for name in ("stamped.png", "plain.png"))
    assert stamped(with_stamp, EXPIRED / "issuers.pem")
    for data, anchors in ((without, EXPIRED / "issuers.pem"), (with_stamp, None)):
        found = verify(data, anchors)
        assert found is not None
        assert (found.standing, found.trusted, found.signed_at) == (Standing.OUTDATED, False, None)


@needs_openssl
def test_while_no_stamps_come_pictures_are_signed_without_and_the_host_is_told_once(
    tmp_path: Path, tsa: authorities.Authority, host: tuple[Path, Path]
) -> None:
    clock = Seconds()
    seal = signing.seal(*host, tsa.url, patience=30, clock=clock)
    anchors = issuers(tmp_path, host[0], tsa.chain)
    tsa.failing = True
    with capture_logs() as logs:
        pictures = [seal(picture(seed)) for seed in range(4)]
    assert not any(stamped(data, anchors) for data in pictures)
    assert [line["log_level"] for line in logs] == ["warning"]
    assert "503" in logs[0]["why"]
    assert tsa.asked == 1
    tsa.failing = False
    clock.now = 599
    assert not stamped(seal(picture(1)), anchors)
    clock.now = 601
    assert stamped(seal(picture(1)), anchors)


def test_an_authority_that_never_answers_holds_up_one_picture_for_a_moment(
    tmp_path: Path, tsa: authorities.Authority, host: tuple[Path, Path]
) -> None:
    tsa.silent = True
    seal = signing.seal(*host, tsa.url, patience=0.2)
    with capture_logs() as logs:
        pictures = [seal(picture(seed)) for seed in range(3)]
    assert not any(stamped(data, issuers(tmp_path, host[0])) for data in pictures)
    assert [line["why"] for line in logs] == ["no answer in time"]


@needs_openssl
def test_a_file_that_cannot_be_signed_costs_the_others_no_stamp(
    tmp_path: Path, tsa: authorities.Authority, host: tuple[Path, Path]
) -> None:
    seal = signing.seal(*host, tsa.url, patience=30)
    with capture_logs():
        assert seal(b"no picture") == b"no picture"
    assert stamped(seal(picture(1)), issuers(tmp_path, host[0], tsa.chain))


async def test_a_start_needs_no_authority(tmp_path: Path, host: tuple[Path, Path]) -> None:
    nobody = {"c2pa_certificate": host[0], "c2pa_key": host[1], "c2pa_timestamp_url": "http://127.0.0.1:9/"}
    async with world(tmp_path / "data", **nobody) as easel:
        await easel.imagine(easel.ben)
        (grid,) = [await message.attachments[0].read() for message in easel.results()]
    assert not stamped(grid, issuers(tmp_path, host[0]))


def test_stamps_without_a_certificate_are_refused_at_the_start() -> None:
    with pytest.raises(StartupError, match="no EASEL_C2PA_CERTIFICATE"):
        signing.seal(None, None, "http://stamps.example/")


@needs_openssl
def test_the_doctor_asks_the_authority(tmp_path: Path, tsa: authorities.Authority, host: tuple[Path, Path]) -> None:
    chosen = {
        "EASEL_C2PA_CERTIFICATE": str(host[0]),
        "EASEL_C2PA_KEY": str(host[1]),
        "EASEL_C2PA_TIMESTAMP_URL": tsa.url,
    }
    assert about(examine(tmp_path, **chosen), "Time stamps").level is Level.OK
    tsa.failing = True
    finding = about(examine(tmp_path, **chosen), "Time stamps")
    assert finding.level is Level.NOTE
    assert "503" in finding.what
