"""Owns each server's share of the GPU: where its next turn begins, and the order in which servers' jobs follow.

Servers take turns by the same rule as people (`scheduling.py`). A server that begins to wait starts at the later of the
servers' virtual clock and the end of its turn before; each claimed job moves its turn by the expected seconds, divided
by its weight, and the end of the job makes that right. Which of a server's jobs is next is decided among its own
people, whose turns have a clock of their own. So a job's place among all is: where its server's turn begins, plus the
seconds of the server's jobs before it, divided by the server's weight.
"""

from __future__ import annotations

from collections.abc import Mapping

from storage.database import Transaction
from storage.guilds.changes import EVERYWHERE
from storage.jobs.scheduling import PATIENCE

CLOCK = "coalesce((SELECT clock FROM server_turns WHERE guild_id = :guild_id), 0.0)"
"""The virtual clock of a server's people."""

_ALL_CLOCK = f"(SELECT clock FROM server_turns WHERE guild_id = {EVERYWHERE})"

NOT_PAUSED = f"""NOT EXISTS (
    SELECT 1 FROM pauses WHERE halt = 'paused' AND pauses.guild_id IN ({EVERYWHERE}, server.guild_id)
)"""
"""Of a `server`: its jobs may be drawn."""

BEGINS = f"max(server.turn, {_ALL_CLOCK} - {PATIENCE})"
"""Where the next turn of a `server` begins. One that was paused gets ahead by this much."""


def merged(*, servers: str = "true", jobs: str = "true") -> str:
    """A recursive table `line` of the first `:window` queued jobs of all servers, in their order.

    It has each job's number, its `server_turn`, and the `server_weight`. `servers` and `jobs` are conditions on
    `server` and on `jobs`.
    """
    first = f"""
        SELECT number FROM jobs
        WHERE state = 'queued' AND jobs.guild_id = server.guild_id AND {jobs}
        ORDER BY turn, number LIMIT 1
    """
    following = f"""
        SELECT number FROM jobs
        WHERE state = 'queued' AND jobs.guild_id = line.guild_id AND (turn, number) > (line.turn, line.number)
            AND {jobs}
        ORDER BY turn, number LIMIT 1
    """
    # SQLite takes the least of what is left as the next row, and then looks only for the one behind it.
    return f"""
        WITH RECURSIVE line (number, guild_id, turn, cost, server_turn, server_weight) AS (
            SELECT jobs.number, jobs.guild_id, jobs.turn, cost, {BEGINS}, server.weight
            FROM server_turns AS server CROSS JOIN jobs ON jobs.number = ({first})
            WHERE server.waiting > 0 AND {servers}
            UNION ALL
            SELECT jobs.number, jobs.guild_id, jobs.turn, jobs.cost,
                server_turn + line.cost / server_weight, server_weight
            FROM line CROSS JOIN jobs ON jobs.number = ({following})
            ORDER BY 5, 1 LIMIT :window
        )
    """


JOIN = f"""
INSERT INTO server_turns (guild_id, turn) VALUES (:guild_id, {_ALL_CLOCK})
ON CONFLICT (guild_id) DO UPDATE SET turn = max(turn, excluded.turn) WHERE waiting = 0
"""


async def join(tx: Transaction, guild_id: int) -> None:
    """Before a job of this server is queued: a server that had none waiting begins now, not in its past."""
    await tx.execute(JOIN, {"guild_id": guild_id})


SHARERS = f"SELECT total(weight) AS servers FROM server_turns AS server WHERE waiting > 0 AND {NOT_PAUSED}"

# `turn` is where the server's turn begins, `first` the turn of the first in its own line, and `server_first` where
# the turn of the first of all servers begins.
CHARGE = f"""
UPDATE server_turns SET
    turn = iif(guild_id = {EVERYWHERE}, turn, :turn + :charged),
    clock = max(clock, iif(guild_id = {EVERYWHERE}, :server_first, :first))
WHERE guild_id IN ({EVERYWHERE}, :guild_id)
"""

# The clocks run on by what even shares would make of the seconds. What a job took less gives back no more than brings
# its server to the clock, which others have reached meanwhile.
SETTLE = f"""
UPDATE server_turns SET
    turn = iif(guild_id = {EVERYWHERE}, turn, max(turn + :took / weight - :charged, min(turn, {_ALL_CLOCK}))),
    clock = clock + iif(guild_id = {EVERYWHERE}, :all_share, :share)
WHERE guild_id IN ({EVERYWHERE}, :guild_id)
"""

WEIGH = """
INSERT INTO server_turns (guild_id, weight) VALUES (?, ?) ON CONFLICT (guild_id) DO UPDATE SET weight = excluded.weight
"""


async def set_weights(tx: Transaction, weights: Mapping[int, float]) -> None:
    """Give these servers these weights, above 0, and all others 1."""
    await tx.execute("UPDATE server_turns SET weight = 1 WHERE weight <> 1")
    for guild_id, weight in weights.items():
        await tx.execute(WEIGH, (guild_id, weight))
