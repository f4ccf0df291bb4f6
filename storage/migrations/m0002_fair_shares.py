"""Version 2: turns by what jobs draw: their costs, what drawing takes, and the weights of roles."""

SCRIPT = """
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
