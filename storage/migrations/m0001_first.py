"""Version 1: the tables of the first Easel: jobs and their pictures, credits, servers and people."""

SCRIPT = """
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
