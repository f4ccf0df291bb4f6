"""The list of erasures names nobody, outlives crashes, and is never taken for complete when it is damaged."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from storage.errors import ErasuresUnreadable
from storage.files import erasure_list
from tests.storage.samples import ALICE, BOB, CAROL, NOON


def test_who_was_erased_since_is_known_and_not_named(tmp_path: Path) -> None:
    assert not erasure_list.read(tmp_path).since(ALICE, NOON - timedelta(days=999))
    erasure_list.note(tmp_path, ALICE, now=NOON)
    erasure_list.note(tmp_path, BOB, now=NOON + timedelta(hours=2))
    erasure_list.note(tmp_path, ALICE, now=NOON + timedelta(hours=1))
    known = erasure_list.read(tmp_path)
    for person, hours in ((ALICE, 1), (BOB, 2)):
        assert known.since(person, NOON + timedelta(hours=hours, seconds=-1))
        assert not known.since(person, NOON + timedelta(hours=hours))
    assert not known.since(CAROL, NOON - timedelta(days=999))
    content = (tmp_path / "erasures.jsonl").read_bytes()
    for person in (ALICE, BOB):
        assert str(person).encode() not in content
    if os.name != "nt":
        assert (tmp_path / "erasures.jsonl").stat().st_mode & 0o777 == 0o600


def test_the_hashes_of_two_folders_can_not_be_compared(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        erasure_list.note(tmp_path / name, ALICE, now=NOON)
    one, two = (set(erasure_list.read(tmp_path / name).times) for name in ("one", "two"))
    assert one.isdisjoint(two)


def test_a_line_that_a_crash_tore_is_as_if_it_had_not_begun(tmp_path: Path) -> None:
    erasure_list.note(tmp_path, ALICE, now=NOON)
    path = tmp_path / "erasures.jsonl"
    whole = path.read_bytes()
    erasure_list.note(tmp_path, BOB, now=NOON)
    torn = path.read_bytes()
    for length in range(len(whole), len(torn)):
        path.write_bytes(torn[:length])
        assert len(erasure_list.read(tmp_path).times) == 1
    erasure_list.note(tmp_path, CAROL, now=NOON)
    known = erasure_list.read(tmp_path)
    assert [known.since(person, NOON - timedelta(1)) for person in (ALICE, BOB, CAROL)] == [True, False, True]


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"\xff\n", b"[]\n", b'{"key": "zz"}\n', b'{"key": "aa"}\n{"at": 1}\n']
)
def test_a_damaged_list_is_not_taken_for_an_empty_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "erasures.jsonl").write_bytes(content)
    with pytest.raises(ErasuresUnreadable, match="damaged"):
        erasure_list.read(tmp_path)
    with pytest.raises(ErasuresUnreadable, match="damaged"):
        erasure_list.note(tmp_path, ALICE, now=NOON)
    assert (tmp_path / "erasures.jsonl").read_bytes() == content


def test_a_position_tells_who_was_erased_later_whatever_the_clock_said(tmp_path: Path) -> None:
    future, past = NOON + timedelta(days=4000), NOON - timedelta(days=4000)
    before = erasure_list.position(tmp_path)
    assert before is not None
    erasure_list.note(tmp_path, ALICE, now=future)
    between = erasure_list.position(tmp_path)
    assert between is not None
    erasure_list.note(tmp_path, BOB, now=past)
    known = erasure_list.read(tmp_path)
    assert [known.since(one, NOON, before) for one in (ALICE, BOB, CAROL)] == [True, True, False]
    assert [known.since(one, NOON, between) for one in (ALICE, BOB, CAROL)] == [False, True, False]
    (tmp_path / "other").mkdir()
    erasure_list.note(tmp_path / "other", BOB, now=NOON + timedelta(hours=1))
    other = erasure_list.read(tmp_path / "other")
    assert other.since(BOB, NOON, between), "a position in another list tells nothing, so the times do"
    assert not other.since(BOB, future, between)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    erasure_list.note(tmp_path, ALICE, now=NOON)
    with (tmp_path / "erasures.jsonl").open("ab") as file:
        file.write(b"garbage\n")
    with pytest.raises(ErasuresUnreadable, match="line 3"):
        erasure_list.read(tmp_path)
    assert erasure_list.position(tmp_path) is None
