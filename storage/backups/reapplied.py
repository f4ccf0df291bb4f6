"""Owns putting people who were erased after a backup back on record in the restored database, to be erased again.

The next start carries that out (`erasure.resume`). Until then nothing more is drawn or posted with their words.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from storage.files import snapshots
from storage.files.erasure_list import ErasureList
from storage.files.manifest import DATABASE, Manifest
from storage.migrations import migrate
from storage.privacy.erasures import GROWN, Erasure
from storage.privacy.personal_data import HELD, MENTIONS, Fate
from storage.timestamps import to_sql

_MENTION = re.compile(r"<@!?([0-9]{1,19})>")

# Their price goes back when they are forgotten. Nobody is told: the person is gone, and so are the words.
DROP_UNPOSTED = f"""
{GROWN} UPDATE jobs SET state = 'cancelled', cancelled_by = :user_id, notified = 1, finished_at = :now
WHERE id IN (SELECT id FROM grown) AND state IN ('queued', 'running', 'finished')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Who must not come back: by the list of a data folder, and by erasures that its database has on record."""

    listed: ErasureList
    asked: tuple[Erasure, ...]


def pending(data: Path) -> tuple[Erasure, ...]:
    """The erasures that the database of a data folder has on record; none if it can't be read any more."""
    if not (data / DATABASE).exists():
        return ()
    with suppress(sqlite3.Error, OSError), snapshots.reading(data / DATABASE) as connection:
        rows = connection.execute("SELECT user_id, posts FROM erasures").fetchall()
        return tuple(Erasure(user_id=row["user_id"], posts=bool(row["posts"])) for row in rows)
    return ()


def apply(folder: Path, manifest: Manifest, known: Known) -> int:
    """Put erasures on record in a restored database that nobody has open. Returns how many people they concern.

    Raises sqlite3.Error and OSError.
    """
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        since = {one for one in people(connection) if known.listed.since(one, manifest.taken_at, manifest.erasures)}
        asked = [*known.asked, *(Erasure(user_id=one, posts=False) for one in since)]
        if asked:
            _put_on_record(connection, asked, now=to_sql(manifest.taken_at))
        return len({one.user_id for one in asked})


def _put_on_record(connection: sqlite3.Connection, asked: Iterable[Erasure], *, now: int) -> None:
    if "erasures" not in _tables(connection):  # from before people could be erased
        migrate(connection)
    connection.execute("BEGIN IMMEDIATE")
    for one in asked:
        connection.execute(
            "INSERT INTO erasures VALUES (?, ?) ON CONFLICT DO UPDATE SET posts = max(posts, excluded.posts)",
            (one.user_id, int(one.posts)),
        )
        connection.execute(DROP_UNPOSTED, {"user_id": one.user_id, "now": now})
    connection.execute("COMMIT")


def people(connection: sqlite3.Connection) -> set[int]:
    """Everybody whom a database keeps something about, also of an older version. Raises sqlite3.Error."""
    return set(_by_id(connection)) | set(_by_mention(connection))


def _by_id(connection: sqlite3.Connection) -> Iterator[int]:
    tables = _tables(connection)
    for held in HELD:
        if held.fate is not Fate.QUOTED and held.column in tables.get(held.table, ()):
            sql = f"SELECT DISTINCT {held.column} FROM {held.table} WHERE {held.where} AND {held.column} > 0"
            yield from (int(row[0]) for row in connection.execute(sql))


def _by_mention(connection: sqlite3.Connection) -> Iterator[int]:
    tables = _tables(connection)
    quoting = {(held.table, held.column) for held in HELD if held.fate is Fate.QUOTED} | set(MENTIONS)
    for table, column in sorted(quoting):
        if column in tables.get(table, ()):
            sql = f"SELECT {column} FROM {table} WHERE instr({column}, '<@') > 0"
            for row in connection.execute(sql):
                yield from map(int, _MENTION.findall(row[0]))


def _tables(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """The tables of a database, and their columns."""
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {
        name: {row["name"] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (name,))}
        for name in names
    }
