"""Version 4: word rules, refusals and timeouts, reports and the moderators' cases."""

SCRIPT = """
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
