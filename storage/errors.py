"""What can go wrong with the database as a whole.

StorageError
├── DataFolderBusy      another Easel has the data folder open
├── DatabaseTooNew      a newer Easel wrote the file
├── DatabaseUnreadable  the file is no database, or can't be opened
└── DatabaseFailed      SQLite could not go on: a full disk, an input or output error
"""


class StorageError(Exception):
    """The database can't do its work. The message is a sentence for the host."""


class DataFolderBusy(StorageError):
    """Another Easel has the data folder open."""


class DatabaseTooNew(StorageError):
    """A newer Easel wrote the file."""


class DatabaseUnreadable(StorageError):
    """The file is no database, or can't be opened."""


class DatabaseFailed(StorageError):
    """SQLite could not go on; nothing of the transaction was written."""
