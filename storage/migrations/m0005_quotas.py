"""Version 5: allowances by day, week and month, boosts, undoing, and terms of a server."""

SCRIPT = """
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
