"""The journal's tables, and the one way to open them for reading.

An output row's id is made of its cell and its place in the cell's output, so that rows of a cell lie
together and are found without an index; cell 0 stands for output that belongs to no cell.

The last columns of a cell are for a supervisor that takes over: what it takes to answer the request (until it
is answered), and whether the worker holds the cell's effects (NULL: no; else whether somebody typed it).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from holdfast.errors import JournalDamaged, JournalError
from holdfast.files import private_size
from holdfast.journal import making
from holdfast.journal.database import Database

FILE_NAME: Final = "journal.db"
NO_CELL: Final = 0
PLACES: Final = 1 << 32
"""Places in one cell's output: the id of an output row is cell * PLACES + place."""

LAYOUT: Final = making.Layout(
    noun="a journal",
    application=0x486F6C64,  # "Hold"
    version=2,
    tables="""
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cells (
    id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, msg_id TEXT NOT NULL, client TEXT NOT NULL,
    silent INTEGER NOT NULL, store_history INTEGER NOT NULL,
    accepted REAL NOT NULL, count INTEGER, started REAL,
    ended REAL, status TEXT, ename TEXT NOT NULL DEFAULT '', evalue TEXT NOT NULL DEFAULT '',
    header BLOB NOT NULL, code TEXT NOT NULL,
    turn INTEGER, request BLOB, reply BLOB, held INTEGER
);
CREATE TABLE outputs (
    id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, at REAL NOT NULL,
    msg_type TEXT NOT NULL, content BLOB NOT NULL
);
CREATE TABLE omissions (cell INTEGER PRIMARY KEY, head INTEGER NOT NULL, bytes INTEGER NOT NULL);
CREATE TABLE events (
    id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, kind TEXT NOT NULL, at REAL NOT NULL,
    cell INTEGER, details TEXT NOT NULL
);
""",
    upgrades={
        1: """
ALTER TABLE cells ADD COLUMN turn INTEGER;
ALTER TABLE cells ADD COLUMN request BLOB;
ALTER TABLE cells ADD COLUMN reply BLOB;
ALTER TABLE cells ADD COLUMN held INTEGER;
"""
    },
)


def checked(folder: Path, wait: float, *, glance: bool = False) -> Database:
    """The journal in `folder`, read-only, if it is one of ours, of a version we know, and sound.

    Nothing is written to it: closing a connection that may write would move the write-ahead log into a file
    that may be damaged. JournalDamaged for a foreign or broken file; JournalError for one of another version,
    for one in use, and on a disk so full that SQLite has no room to read. `glance`: see `read_only`.
    """
    path = folder / FILE_NAME
    size, log_size = private_size(path), private_size(path.with_name(f"{FILE_NAME}-wal"))
    # SQLite reads a page that was cut as if zeros followed. With a log it may be one that was being written.
    if not size or (size % making.PAGE_BYTES and not log_size):
        raise JournalDamaged(
            f"{path} is {'cut off' if size else 'empty or gone'}", f"bring back a copy, or move {path} away"
        )
    database = Database(path, read_only=True, wait=wait)
    try:
        making.check(database, LAYOUT)
        found = "ok" if glance else database.records(tuple[str], "PRAGMA quick_check(1)")[0][0]
        if found != "ok":
            what = found.splitlines()[-1]  # above it stands which database
            raise JournalDamaged(f"{path} is damaged: {what}", f"copy {folder}, then move {path} away")
    except JournalError:
        database.close()
        raise
    return database
