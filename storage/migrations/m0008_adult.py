"""Version 8: which jobs are for adults."""

# NULL is a job from before this version: the next start asks the models file whether its model is for adults.
SCRIPT = """
ALTER TABLE jobs ADD COLUMN adult INTEGER CHECK (adult IN (0, 1));
CREATE INDEX jobs_adult_unknown ON jobs (model) WHERE adult IS NULL;
"""
