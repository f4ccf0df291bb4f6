"""Version 13: what a server's admins gave out in a month is added up quickly."""

SCRIPT = """
CREATE INDEX ledger_given ON ledger (guild_id, host_day) WHERE kind IN ('grant', 'reset', 'correct');
"""
