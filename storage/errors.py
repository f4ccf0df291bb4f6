"""What can go wrong with the database as a whole.

StorageError
├── DataFolderBusy      another Easel has the data folder open
├── DatabaseTooNew      a newer Easel wrote the file
├── DatabaseUnreadable  the file is no database, or can't be opened
├── DatabaseFailed      SQLite could not go on: a full disk, an input or output error
└── PiecesLeft          another program reads the database, and so keeps deleted rows in its files
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
        super().__init__(
            "Another program reads the database, so what was deleted stays in its write-ahead log."
        )
        self.seconds = seconds
