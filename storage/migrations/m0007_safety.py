"""Version 7: what the safety check found of each picture."""

SCRIPT = """
ALTER TABLE images ADD COLUMN finding TEXT NOT NULL DEFAULT 'safe'
    CHECK (finding IN ('safe', 'withheld', 'approved', 'refused'));
CREATE INDEX images_found_unsafe ON images (finding) WHERE finding <> 'safe';
"""
