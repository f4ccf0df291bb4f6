"""Version 9: old lines of the ledger can be folded into one that carries a bonus forward, and old changes forgotten.

The numbers of changes are never given twice from now on: lines of the ledger name changes that may be forgotten.
"""

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
        WHEN 'carry' THEN job_id IS NULL AND actor_id IS NULL AND change IS NULL AND reason = ''
            AND allowance = 0 AND boost = 0 AND spent = 0
        ELSE 0 END)
) STRICT;
INSERT INTO new_ledger SELECT * FROM ledger;
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
CREATE UNIQUE INDEX ledger_one_carry ON ledger (guild_id, user_id) WHERE kind = 'carry';
CREATE INDEX ledger_old ON ledger (at) WHERE kind <> 'carry';
CREATE TRIGGER ledger_never_changes BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_never_forgets BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE new_quota_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
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
    folded INTEGER NOT NULL DEFAULT 0 CHECK (folded IN (0, 1)),
    CHECK ((what = 'undo') = (undoes IS NOT NULL))
) STRICT;
INSERT INTO new_quota_changes SELECT *, 0 FROM quota_changes;
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
"""
