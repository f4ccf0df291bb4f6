"""A guild's settings as rows: all of them at a moment, what a change did to them, and putting them back.

Comparing finds what a change touched. So a new column can be taken back without a line of code; a new table is an entry
in `TABLES`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage.database import Transaction
from storage.guilds.changes import Cell, Obstacle, Touched

TABLES: Mapping[str, frozenset[str]] = {
    "guilds": frozenset(),
    "open_channels": frozenset(),
    "role_rights": frozenset(),
    "limits": frozenset(),
    "role_weights": frozenset(),
    "word_rules": frozenset(),
    "pauses": frozenset({"actor_id"}),
    "bans": frozenset({"user_id", "actor_id"}),
    "timeouts": frozenset({"user_id"}),
}
"""The tables of settings, each with a column `guild_id`, and their columns with people's ids. Credits are not here."""

Key = tuple[str, tuple[Cell, ...]]
"""A table and what its primary key is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A table's columns. If `optional`, no column needs a value, and a missing row equals an empty one."""

    keys: tuple[str, ...]
    others: tuple[str, ...]
    optional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All that is set for a guild at a moment: each row's cells beside its key."""

    shapes: Mapping[str, Shape]
    cells: Mapping[Key, Mapping[str, Cell]]

    def at(self, key: Key) -> Mapping[str, Cell] | None:
        """The cells of a row, None without one."""
        shape = self.shapes[key[0]]
        return self.cells.get(key, dict.fromkeys(shape.others) if shape.optional else None)


COLUMNS = """
SELECT tables.name AS "table", columns.name AS name, columns.pk AS pk, columns."notnull" AS needed
FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'
"""


async def rows(tx: Transaction, guild_id: int) -> Rows:
    """All that is set for a guild, or for EVERYWHERE."""
    shapes = await _shapes(tx)
    cells = {}
    for table, shape in shapes.items():
        people = TABLES[table]
        for row in await tx.fetch_all(f"SELECT * FROM {table} WHERE guild_id = ?", (guild_id,)):
            given = {name: f"<@{row[name]}>" if name in people else row[name] for name in (*shape.keys, *shape.others)}
            key = tuple(given[name] for name in shape.keys)
            cells[table, key] = {name: given[name] for name in shape.others}
    return Rows(shapes=shapes, cells=cells)


async def _shapes(tx: Transaction) -> dict[str, Shape]:
    columns = [row for row in await tx.fetch_all(COLUMNS) if row["table"] in TABLES]
    shapes = {}
    for table in TABLES:
        own = [row for row in columns if row["table"] == table]
        others = [row for row in own if not row["pk"]]
        shapes[table] = Shape(
            keys=tuple(row["name"] for row in own if row["pk"]),
            others=tuple(row["name"] for row in others),
            optional=bool(others) and not any(row["needed"] for row in others),
        )
    return shapes


def touched(old: Rows, new: Rows) -> list[Touched]:
    """The rows that differ, with the cells that do."""
    found = []
    for key in sorted(old.cells.keys() | new.cells.keys(), key=str):
        before, after = old.at(key), new.at(key)
        if before == after:
            continue
        if before is not None and after is not None:
            differ = [name for name in after if before[name] != after[name]]
            before, after = ({name: cells[name] for name in differ} for cells in (before, after))
        table, values = key
        names = new.shapes[table].keys
        found.append(Touched(table=table, key=dict(zip(names, values, strict=True)), before=before, after=after))
    return found


def obstacle(now: Rows, change: Sequence[Touched]) -> Obstacle | None:
    """Why the rows can't be put back as they were before a change, None if they can."""
    if not change:
        return Obstacle.UNKNOWN
    for one in change:
        shape = now.shapes.get(one.table)
        if shape is None or set(one.key) != set(shape.keys):
            return Obstacle.UNKNOWN
        if not {*(one.before or ()), *(one.after or ())} <= set(shape.others):
            return Obstacle.UNKNOWN
        current = now.at((one.table, tuple(one.key[name] for name in shape.keys)))
        if current is None or one.after is None:
            same = current is one.after
        else:
            same = all(current[name] == value for name, value in one.after.items())
        if not same:
            return Obstacle.CHANGED
    return None


async def put_back(tx: Transaction, change: Sequence[Touched]) -> None:
    """Make the rows what they were before a change; `obstacle` must have found none in this transaction."""
    shapes = await _shapes(tx)
    for one in change:
        key, before = _stored(one.table, one.key), _stored(one.table, one.before or {})
        where = " AND ".join(f"{name} = :{name}" for name in key)
        if one.before is None:
            await tx.execute(f"DELETE FROM {one.table} WHERE {where}", key)
            continue
        if one.after is None or shapes[one.table].optional:
            cells = key | before
            await tx.execute(
                f"INSERT INTO {one.table} ({', '.join(cells)})"
                f" VALUES ({', '.join(f':{name}' for name in cells)}) ON CONFLICT DO NOTHING",
                cells,
            )
        if one.after is not None:
            changed = ", ".join(f"{name} = :{name}" for name in before)
            await tx.execute(f"UPDATE {one.table} SET {changed} WHERE {where}", key | before)


def _stored(table: str, cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """Cells as the table holds them: people are numbers."""
    people = TABLES[table]
    return {name: int(str(value).strip("<@>")) if name in people else value for name, value in cells.items()}
