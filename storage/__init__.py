"""What must outlive a process: one SQLite database and the picture files beside it."""
