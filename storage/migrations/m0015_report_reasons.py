"""Version 15: what the person who reports a picture says about it."""

SCRIPT = "ALTER TABLE reports ADD COLUMN reason TEXT NOT NULL DEFAULT '';"
