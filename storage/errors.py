"""What can go wrong with the database as a whole.

StorageError
├── DataFolderBusy      another Easel has the data folder open
├── DatabaseTooNew      a newer Easel wrote the file
├── DatabaseUnreadable  the file is no database, or can't be opened
├── DatabaseFailed      SQLite could not go on: a full disk, an input or output error
├── PiecesLeft          another program reads the database, and so keeps deleted rows in its files
├── BackupFailed        a backup could not be taken, or not be brought back
├── BackupUnusable      a folder is no whole backup, or a damaged one
└── ErasuresUnreadable  the list of erasures is damaged
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


class PiecesLeft(StorageError):
    """The database was rewritten, which took `seconds`; its write-ahead log still holds what was deleted.

    It will until every other program that reads the database ends its transaction.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__("Another program reads the database, so what was deleted stays in its write-ahead log.")
        self.seconds = seconds


class BackupFailed(StorageError):
    """A backup could not be taken, or not be brought back; nothing else was changed."""


class BackupUnusable(StorageError):
    """The folder is no whole backup, or a damaged one."""


class ErasuresUnreadable(StorageError):
    """The list of erasures is damaged."""
