"""Owns the shape of the database: a list of scripts, the n-th of which makes version n out of version n-1.

A script that has shipped is never edited; a change is a new script at the end. Each runs as one transaction
together with its version number, so a crash or an error leaves the version before.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from storage.errors import DatabaseTooNew

_FIRST = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    interaction_id INTEGER UNIQUE,
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    action TEXT NOT NULL,
    prompt TEXT NOT NULL,
    request TEXT NOT NULL,
    model TEXT NOT NULL,
    images INTEGER NOT NULL CHECK (images >= 1),
    price INTEGER NOT NULL CHECK (price >= 0),
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'finished', 'delivered', 'failed', 'cancelled')),
    attempt INTEGER NOT NULL DEFAULT 0,
    tries INTEGER NOT NULL DEFAULT 0,
    turn REAL NOT NULL,
    turn_end REAL NOT NULL CHECK (turn_end > turn),
    parent_id TEXT REFERENCES jobs (id) ON DELETE SET NULL,
    parent_index INTEGER CHECK (parent_index >= 1),
    progress_message_id INTEGER,
    result_message_id INTEGER,
    nonce TEXT NOT NULL CHECK (length(nonce) BETWEEN 1 AND 25),
    failure TEXT,
    notified INTEGER NOT NULL DEFAULT 0 CHECK (notified IN (0, 1)),
    cancelled_by INTEGER,
    seconds REAL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    delivered_at INTEGER,
    CHECK ((state = 'failed') = (failure IS NOT NULL)),
    CHECK (state = 'queued' OR state = 'cancelled' OR attempt > 0)
) STRICT;
CREATE INDEX jobs_queue ON jobs (turn, number, state) WHERE state = 'queued';
CREATE INDEX jobs_waiting_of_user ON jobs (user_id, state) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (turn, number) WHERE state = 'running';
CREATE INDEX jobs_undelivered ON jobs (number) WHERE state = 'finished';
CREATE INDEX jobs_unnotified ON jobs (number) WHERE state IN ('failed', 'cancelled') AND notified = 0;
CREATE INDEX jobs_begun ON jobs (turn) WHERE attempt > 0;
CREATE INDEX jobs_turn_end_of_user ON jobs (user_id, turn_end) WHERE attempt > 0 OR state = 'queued';
CREATE INDEX jobs_of_member ON jobs (guild_id, user_id, number);
CREATE INDEX jobs_seconds ON jobs (model, finished_at, seconds) WHERE seconds IS NOT NULL;
CREATE INDEX jobs_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_progress ON jobs (progress_message_id) WHERE progress_message_id IS NOT NULL;

CREATE TABLE messages (
    message_id INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    image_index INTEGER CHECK (image_index >= 1),
    asked_by INTEGER
) STRICT;
CREATE INDEX messages_job ON messages (job_id);

CREATE TABLE images (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    image_index INTEGER NOT NULL CHECK (image_index >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    bytes INTEGER NOT NULL CHECK (bytes >= 0),
    width INTEGER NOT NULL CHECK (width >= 1),
    height INTEGER NOT NULL CHECK (height >= 1),
    seed INTEGER,
    content_type TEXT NOT NULL,
    PRIMARY KEY (job_id, image_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
    number INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    job_id TEXT,
    kind TEXT NOT NULL,
    daily INTEGER NOT NULL,
    bonus INTEGER NOT NULL,
    day INTEGER NOT NULL,
    actor_id INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    at INTEGER NOT NULL,
    CHECK (CASE kind
        WHEN 'reserve' THEN job_id IS NOT NULL AND daily <= 0 AND bonus <= 0
        WHEN 'settle' THEN job_id IS NOT NULL AND daily = 0 AND bonus = 0
        WHEN 'refund' THEN job_id IS NOT NULL AND daily >= 0 AND bonus >= 0
        WHEN 'grant' THEN actor_id IS NOT NULL AND daily = 0
        WHEN 'reset' THEN actor_id IS NOT NULL AND daily >= 0 AND bonus = 0
        ELSE 0 END)
) STRICT;
CREATE UNIQUE INDEX ledger_one_reserve ON ledger (job_id) WHERE kind = 'reserve';
CREATE UNIQUE INDEX ledger_one_outcome ON ledger (job_id) WHERE kind IN ('settle', 'refund');
CREATE INDEX ledger_daily ON ledger (guild_id, user_id, day, daily) WHERE daily <> 0;
CREATE INDEX ledger_bonus ON ledger (guild_id, user_id, bonus) WHERE bonus <> 0;
CREATE INDEX ledger_resets ON ledger (guild_id, user_id, day) WHERE kind = 'reset';
CREATE INDEX ledger_of_member ON ledger (guild_id, user_id, number);
CREATE TRIGGER ledger_never_changes BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_never_forgets BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE allowances (
    guild_id INTEGER NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('everyone', 'role', 'user')),
    subject_id INTEGER NOT NULL,
    credits INTEGER NOT NULL CHECK (credits BETWEEN 0 AND 1000000),
    PRIMARY KEY (guild_id, subject_kind, subject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE quota_changes (
    number INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('set', 'grant', 'reset')),
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('everyone', 'role', 'user')),
    subject_id INTEGER NOT NULL,
    old INTEGER,
    new INTEGER,
    actor_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX quota_changes_of_guild ON quota_changes (guild_id, number);
CREATE INDEX quota_gifts ON quota_changes (guild_id, at)
    WHERE what IN ('grant', 'reset') AND subject_kind <> 'user';

CREATE TABLE gifts_taken (
    change_number INTEGER NOT NULL REFERENCES quota_changes (number),
    user_id INTEGER NOT NULL,
    PRIMARY KEY (change_number, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE guilds (
    guild_id INTEGER PRIMARY KEY,
    default_model TEXT
) STRICT;

CREATE TABLE users (
    user_id INTEGER PRIMARY KEY,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT;

CREATE TABLE state (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

_FAIR_SHARES = """
ALTER TABLE jobs ADD COLUMN cost REAL NOT NULL DEFAULT 1 CHECK (cost > 0);
ALTER TABLE jobs ADD COLUMN weight REAL NOT NULL DEFAULT 1 CHECK (weight > 0);
ALTER TABLE jobs ADD COLUMN load REAL NOT NULL DEFAULT 0 CHECK (load >= 0);
ALTER TABLE jobs ADD COLUMN delayed REAL NOT NULL DEFAULT 0 CHECK (delayed >= 0);
ALTER TABLE jobs ADD COLUMN clock REAL;
ALTER TABLE jobs ADD COLUMN sharers REAL;
UPDATE jobs SET cost = turn_end - turn;
UPDATE jobs SET clock = turn WHERE attempt > 0;
DROP INDEX jobs_queue;
DROP INDEX jobs_waiting_of_user;
DROP INDEX jobs_running;
DROP INDEX jobs_begun;
DROP INDEX jobs_seconds;
CREATE INDEX jobs_queue ON jobs (turn, number, state, cost) WHERE state = 'queued';
CREATE INDEX jobs_waiting_of_user ON jobs (user_id, turn, state) WHERE state = 'queued';
CREATE INDEX jobs_running ON jobs (user_id, state) WHERE state = 'running';
CREATE INDEX jobs_clock ON jobs (clock) WHERE clock IS NOT NULL;

CREATE TABLE paces (
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    size INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    images INTEGER NOT NULL,
    seconds REAL NOT NULL CHECK (seconds > 0),
    samples INTEGER NOT NULL CHECK (samples >= 1),
    PRIMARY KEY (model, kind, size, steps, images)
) STRICT, WITHOUT ROWID;

CREATE TABLE loads (
    model TEXT PRIMARY KEY,
    seconds REAL NOT NULL CHECK (seconds > 0),
    samples INTEGER NOT NULL CHECK (samples >= 1)
) STRICT, WITHOUT ROWID;

CREATE TABLE role_weights (
    guild_id INTEGER NOT NULL,
    role_id INTEGER NOT NULL,
    weight REAL NOT NULL CHECK (weight BETWEEN 0.1 AND 10),
    PRIMARY KEY (guild_id, role_id)
) STRICT, WITHOUT ROWID;
"""

_ADMIN = """
ALTER TABLE guilds ADD COLUMN log_channel_id INTEGER;
ALTER TABLE guilds ADD COLUMN admin_role_id INTEGER;
ALTER TABLE jobs ADD COLUMN most_running INTEGER CHECK (most_running >= 1);
CREATE INDEX jobs_of_guild ON jobs (guild_id, created_at);

CREATE TABLE changes (
    number INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    what TEXT NOT NULL,
    old TEXT,
    new TEXT,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX changes_of_guild ON changes (guild_id, number);

CREATE TABLE pauses (
    guild_id INTEGER PRIMARY KEY,
    halt TEXT NOT NULL CHECK (halt IN ('paused', 'draining')),
    actor_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE bans (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_channels (
    guild_id INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    PRIMARY KEY (guild_id, channel_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE role_rights (
    guild_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('action', 'model')),
    name TEXT NOT NULL,
    role_id INTEGER NOT NULL,
    PRIMARY KEY (guild_id, kind, name, role_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE limits (
    guild_id INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('size', 'pictures', 'waiting', 'running', 'cooldown')),
    role_id INTEGER NOT NULL,
    amount INTEGER NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (guild_id, kind, role_id)
) STRICT, WITHOUT ROWID;
"""

_MODERATION = """
ALTER TABLE guilds ADD COLUMN appeal TEXT;
ALTER TABLE guilds ADD COLUMN moderators_channel_id INTEGER;

CREATE TABLE word_rules (
    guild_id INTEGER NOT NULL,
    pattern TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('block', 'allow')),
    PRIMARY KEY (guild_id, pattern)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
    number INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    interaction_id INTEGER UNIQUE,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX refusals_of_member ON refusals (guild_id, user_id, at);

CREATE TABLE timeouts (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (guild_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cases (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL CHECK (kind IN ('report', 'check')),
    channel_id INTEGER,
    message_id INTEGER,
    verdict TEXT CHECK (verdict IN ('kept', 'removed')),
    judge_id INTEGER,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (job_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE reports (
    job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    reporter_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (job_id, reporter_id)
) STRICT, WITHOUT ROWID;
"""

_QUOTAS = """
CREATE TABLE new_ledger (
    number INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    job_id TEXT,
    kind TEXT NOT NULL,
    allowance INTEGER NOT NULL DEFAULT 0,
    boost INTEGER NOT NULL DEFAULT 0,
    bonus INTEGER NOT NULL DEFAULT 0,
    spent INTEGER NOT NULL DEFAULT 0,
    day INTEGER NOT NULL,
    host_day INTEGER NOT NULL,
    ends_at INTEGER,
    actor_id INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    change INTEGER,
    corrects INTEGER,
    at INTEGER NOT NULL,
    CHECK (ends_at IS NULL OR (kind = 'grant' AND bonus = 0)),
    CHECK (CASE kind
        WHEN 'reserve' THEN job_id IS NOT NULL AND allowance <= 0 AND boost <= 0 AND bonus <= 0
            AND spent = -(allowance + boost + bonus)
        WHEN 'settle' THEN job_id IS NOT NULL AND allowance = 0 AND boost = 0 AND bonus = 0 AND spent = 0
        WHEN 'refund' THEN job_id IS NOT NULL AND allowance >= 0 AND boost >= 0 AND bonus >= 0 AND spent <= 0
        WHEN 'grant' THEN actor_id IS NOT NULL AND allowance = 0 AND boost >= 0 AND spent = 0
            AND (boost = 0 OR ends_at IS NOT NULL)
        WHEN 'reset' THEN actor_id IS NOT NULL AND allowance >= 0 AND boost = 0 AND bonus = 0 AND spent = 0
        WHEN 'expire' THEN allowance = 0 AND boost < 0 AND bonus = 0 AND spent = 0
        WHEN 'correct' THEN actor_id IS NOT NULL AND change IS NOT NULL AND spent = 0
        ELSE 0 END)
) STRICT;
INSERT INTO new_ledger (number, guild_id, user_id, job_id, kind, allowance, bonus, spent, day, host_day, actor_id,
    reason, change, at)
SELECT number, guild_id, user_id, job_id, kind, daily, bonus,
    CASE kind
        WHEN 'reserve' THEN -(daily + bonus)
        WHEN 'refund' THEN (
            SELECT daily + bonus FROM ledger AS reserved WHERE job_id = line.job_id AND kind = 'reserve')
        ELSE 0 END,
    day, day, actor_id, reason,
    CASE WHEN kind IN ('grant', 'reset') THEN (
        SELECT number FROM quota_changes AS made
        WHERE made.guild_id = line.guild_id AND made.what = line.kind AND made.actor_id = line.actor_id
            AND made.reason = line.reason AND made.at <= line.at
            AND ((made.subject_kind = 'user' AND made.subject_id = line.user_id AND made.at = line.at)
                OR EXISTS (SELECT 1 FROM gifts_taken WHERE change_number = number AND user_id = line.user_id))
        ORDER BY number DESC LIMIT 1) END,
    at
FROM ledger AS line;
DROP TABLE ledger;
ALTER TABLE new_ledger RENAME TO ledger;
CREATE UNIQUE INDEX ledger_one_reserve ON ledger (job_id) WHERE kind = 'reserve';
CREATE UNIQUE INDEX ledger_one_outcome ON ledger (job_id) WHERE kind IN ('settle', 'refund');
CREATE UNIQUE INDEX ledger_corrected ON ledger (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX ledger_refunded ON ledger (job_id) WHERE kind = 'refund';
CREATE INDEX ledger_used ON ledger (guild_id, user_id, day, allowance) WHERE kind = 'reserve' AND allowance <> 0;
CREATE INDEX ledger_bonus ON ledger (guild_id, user_id, bonus) WHERE bonus <> 0;
CREATE INDEX ledger_boosts ON ledger (guild_id, user_id, ends_at) WHERE ends_at IS NOT NULL;
CREATE INDEX ledger_resets ON ledger (guild_id, user_id, day) WHERE kind = 'reset';
CREATE INDEX ledger_spent_in_server ON ledger (guild_id, day, spent) WHERE spent <> 0;
CREATE INDEX ledger_spent_by_bot ON ledger (host_day, spent) WHERE spent <> 0;
CREATE INDEX ledger_of_member ON ledger (guild_id, user_id, number);
CREATE INDEX ledger_of_change ON ledger (change) WHERE change IS NOT NULL;
CREATE TRIGGER ledger_never_changes BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_never_forgets BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE boost_moves (
    line INTEGER NOT NULL,
    lot INTEGER NOT NULL,
    credits INTEGER NOT NULL CHECK (credits <> 0),
    PRIMARY KEY (lot, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX boost_moves_of_line ON boost_moves (line);
CREATE TRIGGER boost_moves_never_change BEFORE UPDATE ON boost_moves
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER boost_moves_are_never_forgotten BEFORE DELETE ON boost_moves
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE new_allowances (
    guild_id INTEGER NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('everyone', 'role', 'user')),
    subject_id INTEGER NOT NULL,
    rate TEXT NOT NULL,
    PRIMARY KEY (guild_id, subject_kind, subject_id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_allowances SELECT guild_id, subject_kind, subject_id, credits || '/day' FROM allowances;
DROP TABLE allowances;
ALTER TABLE new_allowances RENAME TO allowances;

CREATE TABLE new_quota_changes (
    number INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    what TEXT NOT NULL,
    subject_kind TEXT NOT NULL CHECK (subject_kind IN ('everyone', 'role', 'user')),
    subject_id INTEGER NOT NULL,
    old TEXT,
    new TEXT,
    ends_at INTEGER,
    undoes INTEGER UNIQUE,
    part_of INTEGER,
    actor_id INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    CHECK ((what = 'undo') = (undoes IS NOT NULL))
) STRICT;
INSERT INTO new_quota_changes (number, guild_id, what, subject_kind, subject_id, old, new, actor_id, reason, at)
SELECT number, guild_id, what, subject_kind, subject_id,
    CASE what WHEN 'set' THEN old || '/day' ELSE CAST(old AS TEXT) END,
    CASE what WHEN 'set' THEN new || '/day' ELSE CAST(new AS TEXT) END,
    actor_id, reason, at
FROM quota_changes;
CREATE TABLE new_gifts_taken (
    change_number INTEGER NOT NULL REFERENCES new_quota_changes (number),
    user_id INTEGER NOT NULL,
    PRIMARY KEY (change_number, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_gifts_taken SELECT change_number, user_id FROM gifts_taken;
DROP TABLE gifts_taken;
DROP TABLE quota_changes;
ALTER TABLE new_quota_changes RENAME TO quota_changes;
ALTER TABLE new_gifts_taken RENAME TO gifts_taken;
CREATE INDEX quota_changes_of_guild ON quota_changes (guild_id, number) WHERE part_of IS NULL;
CREATE INDEX quota_changes_parts ON quota_changes (part_of) WHERE part_of IS NOT NULL;
CREATE INDEX quota_gifts ON quota_changes (guild_id, at)
    WHERE what IN ('grant', 'reset') AND subject_kind <> 'user';

CREATE TABLE quota_terms (
    guild_id INTEGER PRIMARY KEY,
    zone TEXT NOT NULL,
    ceiling TEXT,
    free TEXT NOT NULL
) STRICT;
"""

_ERASURES = """
CREATE TABLE erasures (
    user_id INTEGER PRIMARY KEY,
    posts INTEGER NOT NULL CHECK (posts IN (0, 1))
) STRICT;

CREATE TABLE veiled (
    user_id INTEGER PRIMARY KEY CHECK (user_id < 0)
) STRICT;

CREATE TABLE carried (
    guild_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    used INTEGER NOT NULL CHECK (used >= 0),
    PRIMARY KEY (guild_id, user_id, day)
) STRICT, WITHOUT ROWID;
"""

_SAFETY = """
ALTER TABLE images ADD COLUMN finding TEXT NOT NULL DEFAULT 'safe'
    CHECK (finding IN ('safe', 'withheld', 'approved', 'refused'));
CREATE INDEX images_found_unsafe ON images (finding) WHERE finding <> 'safe';
"""

# NULL is a job from before this version: the next start asks the models file whether its model is for adults.
_ADULT = """
ALTER TABLE jobs ADD COLUMN adult INTEGER CHECK (adult IN (0, 1));
CREATE INDEX jobs_adult_unknown ON jobs (model) WHERE adult IS NULL;
"""

MIGRATIONS: Sequence[str] = (
    _FIRST,
    _FAIR_SHARES,
    _ADMIN,
    _MODERATION,
    _QUOTAS,
    _ERASURES,
    _SAFETY,
    _ADULT,
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
