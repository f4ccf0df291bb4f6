"""Version 12: servers share the GPU first, and then the people of each.

A server's people have a virtual clock of their own from now on; those who wait keep their turns within their server,
and all servers begin even.
"""

# `turn` is where a server's next turn begins, in seconds divided by its `weight`. `clock` is the virtual clock of its
# people, and in row 0 that of all servers. `waiting` counts its queued jobs, kept by triggers so that no statement on
# jobs can forget it. `jobs.charged` is by how much a running job moved its server's turn, `jobs.servers` the weights
# of all servers that waited when it was claimed.
SCRIPT = """
CREATE TABLE server_turns (
    guild_id INTEGER PRIMARY KEY,
    weight REAL NOT NULL DEFAULT 1 CHECK (weight > 0),
    turn REAL NOT NULL DEFAULT 0,
    clock REAL NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0)
) STRICT;
INSERT INTO server_turns (guild_id, waiting) SELECT 0, count(*) FROM jobs WHERE guild_id = 0 AND state = 'queued';
INSERT INTO server_turns (guild_id, clock, waiting)
SELECT guild_id, coalesce((SELECT max(clock) FROM jobs WHERE clock IS NOT NULL), 0.0), sum(state = 'queued')
FROM jobs WHERE guild_id <> 0 GROUP BY guild_id;
CREATE INDEX server_turns_waiting ON server_turns (guild_id, turn, weight, waiting) WHERE waiting > 0;

ALTER TABLE jobs ADD COLUMN charged REAL NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN servers REAL;
DROP INDEX jobs_clock;
DROP INDEX jobs_queue;
DROP INDEX jobs_waiting_of_user;
DROP INDEX jobs_turn_end_of_user;
ALTER TABLE jobs DROP COLUMN clock;
CREATE INDEX jobs_queue ON jobs (guild_id, turn, number, state, cost) WHERE state = 'queued';
CREATE INDEX jobs_waiting_of_user ON jobs (user_id, guild_id, turn, state) WHERE state = 'queued';
CREATE INDEX jobs_turn_end_of_member ON jobs (guild_id, user_id, turn_end) WHERE attempt > 0 OR state = 'queued';

CREATE TRIGGER jobs_waits AFTER INSERT ON jobs WHEN new.state = 'queued' BEGIN
    INSERT INTO server_turns (guild_id, waiting) VALUES (new.guild_id, 1)
    ON CONFLICT (guild_id) DO UPDATE SET waiting = waiting + 1;
END;
CREATE TRIGGER jobs_waits_again AFTER UPDATE OF state ON jobs WHEN old.state <> 'queued' AND new.state = 'queued' BEGIN
    UPDATE server_turns SET waiting = waiting + 1, turn = turn - old.charged WHERE guild_id = new.guild_id;
END;
CREATE TRIGGER jobs_waits_no_longer AFTER UPDATE OF state ON jobs
WHEN old.state = 'queued' AND new.state <> 'queued' BEGIN
    UPDATE server_turns SET waiting = waiting - 1 WHERE guild_id = new.guild_id;
END;
CREATE TRIGGER jobs_waited AFTER DELETE ON jobs WHEN old.state = 'queued' BEGIN
    UPDATE server_turns SET waiting = waiting - 1 WHERE guild_id = old.guild_id;
END;
"""
