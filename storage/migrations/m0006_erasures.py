"""Version 6: what is kept so that nobody gains by being erased."""

SCRIPT = """
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
