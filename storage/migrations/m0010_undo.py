"""Version 10: what is needed to take a change of a server's settings back."""

# `touched` are rows of settings before and after, as JSON; `final` says why a change can't be taken back. Changes from
# before this version have neither.
SCRIPT = """
ALTER TABLE changes ADD COLUMN touched TEXT;
ALTER TABLE changes ADD COLUMN final TEXT;
ALTER TABLE changes ADD COLUMN undoes INTEGER;
CREATE UNIQUE INDEX changes_undone ON changes (undoes) WHERE undoes IS NOT NULL;
"""
