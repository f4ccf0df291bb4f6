"""What an id of Discord's looks like, for all that reads one from text that somebody could have made up."""

from __future__ import annotations

ID = r"(?:[1-8]?[0-9]{1,18})(?![0-9])"
"""A pattern of ids, without a group. SQLite keeps whole numbers below 2⁶³, which ids reach in 2084, and so does this."""

INDEX = r"[0-9]{1,2}"
"""A pattern of a picture's number."""
