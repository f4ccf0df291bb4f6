"""Owns the shape of the database: one file for each version, whose script makes it out of the version before.

A script that has shipped is never edited; a change is a new file, and a line at the end of `MIGRATIONS`. Each runs as
one transaction together with its version number, so a crash or an error leaves the version before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from storage.errors import DatabaseTooNew
from storage.migrations import (
    m0001_first,
    m0002_fair_shares,
    m0003_admin,
    m0004_moderation,
    m0005_quotas,
    m0006_erasures,
    m0007_safety,
    m0008_adult,
    m0009_retention,
    m0010_undo,
    m0011_open_work,
    m0012_servers,
    m0013_grants,
    m0014_one_log,
    m0015_report_reasons,
)

MIGRATIONS: Sequence[str] = (
    m0001_first.SCRIPT,
    m0002_fair_shares.SCRIPT,
    m0003_admin.SCRIPT,
    m0004_moderation.SCRIPT,
    m0005_quotas.SCRIPT,
    m0006_erasures.SCRIPT,
    m0007_safety.SCRIPT,
    m0008_adult.SCRIPT,
    m0009_retention.SCRIPT,
    m0010_undo.SCRIPT,
    m0011_open_work.SCRIPT,
    m0012_servers.SCRIPT,
    m0013_grants.SCRIPT,
    m0014_one_log.SCRIPT,
    m0015_report_reasons.SCRIPT,
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
