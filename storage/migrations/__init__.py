"""Owns the shape of the database: one file for each version, whose script makes it out of the version before.

A script that has shipped is never edited; a change is a new file, and a line at the end of `MIGRATIONS`. Each runs as
one transaction together with its version number, so a crash or an error leaves the version before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from storage.errors import DatabaseTooNew
from storage.migrations import (
    v1_first,
    v2_fair_shares,
    v3_admin,
    v4_moderation,
    v5_quotas,
    v6_erasures,
    v7_safety,
    v8_adult,
    v9_retention,
    v10_undo,
    v11_open_work,
    v12_servers,
    v13_grants,
)

MIGRATIONS: Sequence[str] = (
    v1_first.SCRIPT,
    v2_fair_shares.SCRIPT,
    v3_admin.SCRIPT,
    v4_moderation.SCRIPT,
    v5_quotas.SCRIPT,
    v6_erasures.SCRIPT,
    v7_safety.SCRIPT,
    v8_adult.SCRIPT,
    v9_retention.SCRIPT,
    v10_undo.SCRIPT,
    v11_open_work.SCRIPT,
    v12_servers.SCRIPT,
    v13_grants.SCRIPT,
)


def migrate(connection: sqlite3.Connection, scripts: Sequence[str] = MIGRATIONS) -> None:
    """Bring the database to the newest version, one script at a time.

    Raises `DatabaseTooNew` for a version that `scripts` don't know, and sqlite3.Error, with the version
    before intact, for a script that fails.
    """
    version: int = connection.cursor().execute("PRAGMA user_version").fetchone()[0]
    if version > len(scripts):
        raise DatabaseTooNew(
            f"The database is of version {version}, and this Easel knows versions up to {len(scripts)}. "
            "Run the newer Easel that wrote it, or restore a backup."
        )
    for number, script in enumerate(scripts[version:], start=version + 1):
        try:
            # `executescript` commits whatever is open first, so the transaction must be inside of the script.
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")
        except sqlite3.Error:
            connection.rollback()
            raise
