"""Files as editors save them: with a byte order mark, with other line ends, in other encodings."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cli import calibrate
from bot.cli.calibrate import Price
from bot.errors import BadSheet
from bot.features.admin import _csv as csv
from bot.jobs.word_check import host_rules
from bot.settings.env_file import read_env_file
from bot.settings.settings import Settings, StartupError
from generation.catalogue import Catalogue, CatalogueError
from generation.text_files import NotUtf8, decoded
from tests.generation.test_catalogue import SHIPPED

MODELS = SHIPPED.read_text(encoding="utf-8")
READ = ["utf-8", "utf-8-sig"]
REFUSED = ["utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", READ)
def test_every_text_file_is_read_as_editors_save_it(tmp_path: Path, encoding: str, line_end: str) -> None:
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_bytes(text.replace("\n", line_end).encode(encoding))
        return path

    assert set(Catalogue.load(written("models.toml", MODELS))) == set(Catalogue.load(SHIPPED))
    assert read_env_file(written(".env", "EASEL_DEVICE=cpu\nEASEL_IMAGES=2\n")) == {
        "EASEL_DEVICE": "cpu",
        "EASEL_IMAGES": "2",
    }
    words = written("words.txt", "kill\nmaim\n")
    assert host_rules(Settings(data=tmp_path, blocked_words=words)).find("to kill") == "kill"
    table = written("quotas.csv", "who,credits\neveryone,50\n").read_bytes()
    assert [row.rate.credits for row in csv.read_quotas(table, role_ids=()) if row.rate] == [50]


@pytest.mark.parametrize("encoding", REFUSED)
def test_another_encoding_is_named_and_what_to_do(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "file"
    path.write_bytes("who,credits\neveryone,50\n".encode(encoding))
    with pytest.raises(CatalogueError, match=r"UTF-16 text.*save it as UTF-8"):
        Catalogue.load(path)
    with pytest.raises(ValueError, match=r"UTF-16 text.*save it as UTF-8"):
        read_env_file(path)
    with pytest.raises(StartupError, match=r"UTF-16 text.*save it as UTF-8"):
        host_rules(Settings(data=tmp_path, blocked_words=path))
    with pytest.raises(BadSheet, match=r"UTF-16 text.*save it as UTF-8"):
        csv.read_quotas(path.read_bytes(), role_ids=())


def test_letters_of_an_old_encoding_are_refused_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "models.toml"
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(CatalogueError, match=r"not UTF-8 text \(byte 6\): save it as UTF-8"):
        Catalogue.load(path)


@given(st.binary(max_size=64))
def test_any_bytes_are_text_or_refused(content: bytes) -> None:
    try:
        text = decoded(content)
    except NotUtf8:
        return
    assert text.encode() == content.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_prices_are_written_into_the_file_as_its_editor_saved_it(tmp_path: Path, mark: bytes, line_end: str) -> None:
    path = tmp_path / "models.toml"
    path.write_bytes(mark + MODELS.replace("\n", line_end).encode())
    calibrate.write_prices(path, Catalogue.load(path), {"sd15": Price(cost=77, vary=None)})
    content = path.read_bytes()
    assert content.startswith(mark + b"# ")
    assert content.count(b"\n") == content.count(line_end.encode())
    assert Catalogue.load(path)["sd15"].cost == 77
