"""Version 11: what is left to do about a job's messages is kept with the job, so that it can be done later."""

SCRIPT = """
ALTER TABLE jobs ADD COLUMN progress_open INTEGER NOT NULL DEFAULT 0 CHECK (progress_open IN (0, 1));
ALTER TABLE jobs ADD COLUMN unposted INTEGER NOT NULL DEFAULT 0 CHECK (unposted IN (0, 1));
UPDATE jobs SET progress_open = 1 WHERE state IN ('queued', 'running', 'finished')
    OR (state IN ('failed', 'cancelled') AND notified = 0);
CREATE INDEX jobs_progress_open ON jobs (number) WHERE progress_open = 1;
CREATE INDEX jobs_unposted ON jobs (user_id, guild_id) WHERE unposted = 1;
"""
