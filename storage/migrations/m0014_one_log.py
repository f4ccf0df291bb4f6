"""Version 14: one log of changes, for settings and credits alike."""

# The rows of both logs get new numbers, in the order of their times and of each log. The numbers begin above all that
# were ever given, since lines of the ledger name changes that were forgotten. An undo has the kind of what it undoes.
SCRIPT = """
CREATE TEMP TABLE renumbered AS
SELECT source, number AS old, row_number() OVER (ORDER BY reached, source, number) + max(
    (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'quota_changes'),
    (SELECT coalesce(max(change), 0) FROM ledger),
    (SELECT coalesce(max(number), 0) FROM changes)
) AS new
FROM (
    SELECT *, max(at) OVER (PARTITION BY source ORDER BY number) AS reached
    FROM (SELECT 0 AS source, number, at FROM changes UNION ALL SELECT 1, number, at FROM quota_changes)
);
CREATE INDEX temp.renumbered_old ON renumbered (source, old);

CREATE TABLE new_changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_id INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    kind TEXT NOT NULL DEFAULT 'setting',
    what TEXT NOT NULL DEFAULT '',
    subject_kind TEXT NOT NULL DEFAULT 'everyone' CHECK (subject_kind IN ('everyone', 'role', 'user')),
    subject_id INTEGER NOT NULL DEFAULT 0,
    old TEXT,
    new TEXT,
    reason TEXT NOT NULL DEFAULT '',
    ends_at INTEGER,
    touched TEXT,
    final TEXT,
    undoes INTEGER,
    part_of INTEGER,
    folded INTEGER NOT NULL DEFAULT 0 CHECK (folded IN (0, 1)),
    at INTEGER NOT NULL
) STRICT;
INSERT INTO new_changes (number, guild_id, actor_id, kind, what, old, new, touched, final, undoes, at)
SELECT renumbered.new, guild_id, actor_id, 'setting',
    CASE WHEN undoes IS NOT NULL AND what LIKE 'undo of %' THEN substr(what, 9) ELSE what END,
    made.old, made.new, touched, final,
    -- A forgotten change had a number of its own, which is nobody's from now on.
    CASE WHEN undoes IS NOT NULL THEN coalesce((SELECT one.new FROM renumbered AS one
        WHERE one.source = 0 AND one.old = undoes), -renumbered.new) END, at
FROM changes AS made JOIN renumbered ON source = 0 AND renumbered.old = number;
INSERT INTO new_changes (number, guild_id, actor_id, kind, subject_kind, subject_id, old, new, reason, ends_at, undoes,
    part_of, folded, at)
SELECT renumbered.new, guild_id, actor_id,
    CASE what WHEN 'undo'
        THEN coalesce((SELECT undone.what FROM quota_changes AS undone WHERE undone.number = made.undoes), 'set')
        ELSE what END,
    subject_kind, subject_id, made.old, made.new, reason, ends_at,
    CASE WHEN undoes IS NOT NULL THEN coalesce((SELECT one.new FROM renumbered AS one
        WHERE one.source = 1 AND one.old = undoes), -renumbered.new) END,
    CASE WHEN part_of IS NOT NULL THEN coalesce((SELECT one.new FROM renumbered AS one
        WHERE one.source = 1 AND one.old = part_of), -renumbered.new) END,
    folded, at
FROM quota_changes AS made JOIN renumbered ON source = 1 AND renumbered.old = number;

CREATE TABLE new_gifts_taken (
    change_number INTEGER NOT NULL REFERENCES new_changes (number),
    user_id INTEGER NOT NULL,
    PRIMARY KEY (change_number, user_id)
) STRICT, WITHOUT ROWID;
INSERT INTO new_gifts_taken SELECT renumbered.new, user_id
FROM gifts_taken JOIN renumbered ON source = 1 AND renumbered.old = change_number;

DROP TRIGGER ledger_never_changes;
UPDATE ledger SET change = renumbered.new FROM renumbered WHERE source = 1 AND renumbered.old = change;
CREATE TRIGGER ledger_never_changes BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- No number is given twice, though none of the rows is left.
DELETE FROM sqlite_sequence WHERE name = 'new_changes';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'new_changes', max(
    (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'quota_changes'),
    (SELECT coalesce(max(change), 0) FROM ledger),
    (SELECT coalesce(max(number), 0) FROM new_changes)
);

DROP TABLE gifts_taken;
DROP TABLE quota_changes;
DROP TABLE changes;
DROP TABLE renumbered;
ALTER TABLE new_changes RENAME TO changes;
ALTER TABLE new_gifts_taken RENAME TO gifts_taken;
CREATE INDEX changes_of_guild ON changes (guild_id, number) WHERE part_of IS NULL;
CREATE UNIQUE INDEX changes_undone ON changes (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX changes_parts ON changes (part_of) WHERE part_of IS NOT NULL;
CREATE INDEX changes_gifts ON changes (guild_id, at)
    WHERE kind IN ('grant', 'reset') AND subject_kind <> 'user' AND undoes IS NULL;
"""
