"""Version 3: what admins rule: the record of changes, pauses, bans, channels, rights and limits."""

SCRIPT = """
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
