"""The journal's tables, and how its file comes into being: whole, or not at all.

An output row's id is made of its cell and its place in the cell's output, so that rows of a cell lie
together and are found without an index; cell 0 stands for output that belongs to no cell.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from holdfast.errors import JournalDamaged, JournalError
from holdfast.journal.database import Database
from holdfast.journal.files import open_private, private_size

FILE_NAME: Final = "journal.db"
APPLICATION: Final = 0x486F6C64  # "Hold", in the file's header: see file(1) and sqlite.org/fileformat.html
VERSION: Final = 1
PAGE_BYTES: Final = 4096
NO_CELL: Final = 0
PLACES: Final = 1 << 32
"""Places in one cell's output: the id of an output row is cell * PLACES + place."""

_TABLES: Final = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cells (
    id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, msg_id TEXT NOT NULL, client TEXT NOT NULL,
    silent INTEGER NOT NULL, store_history INTEGER NOT NULL,
    accepted REAL NOT NULL, count INTEGER, started REAL,
    ended REAL, status TEXT, ename TEXT NOT NULL DEFAULT '', evalue TEXT NOT NULL DEFAULT '',
    header BLOB NOT NULL, code TEXT NOT NULL
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
"""


def create(folder: Path) -> None:
    """Make an empty journal in `folder`. It appears under its name only when it is whole and on disk."""
    path, draft = folder / FILE_NAME, folder / f"{FILE_NAME}.new"
    try:
        for suffix in ("", "-wal", "-journal"):  # of a process that died here
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)
        descriptor = open_private(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            _fill(draft)
            os.fsync(descriptor)
            os.rename(draft, path)
        finally:
            os.close(descriptor)
        _sync_folder(folder)
    except OSError as error:
        raise JournalError(
            f"can't make {path}: {error.strerror}", f"check the disk: df -h {folder}"
        ) from error


def checked(folder: Path, wait: float) -> Database:
    """The journal in `folder`, read-only, if it is one of ours, of a version we know, and sound.

    Nothing is written to it: closing a connection that may write would move the write-ahead log into a file
    that may be damaged. JournalDamaged for a foreign or broken file; JournalError for one of another version,
    for one in use, and on a disk so full that SQLite has no room to read.
    """
    path = folder / FILE_NAME
    size, log_size = private_size(path), private_size(path.with_name(f"{FILE_NAME}-wal"))
    # SQLite reads a page that was cut as if zeros followed. With a log it may be one that was being written.
    if not size or (size % PAGE_BYTES and not log_size):
        raise JournalDamaged(
            f"{path} is empty or gone", f"bring back a copy, or remove {path} and {path}-wal"
        )
    database = Database(path, read_only=True, wait=wait)
    try:
        _check(database)
    except JournalError:
        database.close()
        raise
    return database


def _check(database: Database) -> None:
    path = database.path
    if database.rows("PRAGMA application_id") != [(APPLICATION,)]:
        raise JournalDamaged(f"{path} is not a journal of Holdfast", f"move {path} away")
    version = database.records(tuple[int], "PRAGMA user_version")[0][0]
    if version != VERSION:
        raise JournalError(f"{path} is of version {version}, not {VERSION}", "use the Holdfast that wrote it")
    found = database.records(tuple[str], "PRAGMA quick_check(1)")[0][0]
    if found != "ok":
        raise JournalDamaged(f"{path} is damaged: {found}", f"copy {path.parent}, then move {path} away")


def _fill(draft: Path) -> None:
    database = Database(draft, read_only=False, wait=0)
    try:
        # Into WAL mode while it is a draft: a crash in the midst of that would need a rollback at opening.
        database.run(f"PRAGMA page_size = {PAGE_BYTES}")
        database.run("PRAGMA locking_mode = EXCLUSIVE")
        database.write_ahead()
        with database.transaction():
            database.run(f"PRAGMA application_id = {APPLICATION}")
            database.run(f"PRAGMA user_version = {VERSION}")
            for statement in _TABLES.strip().split(";\n"):
                database.run(statement)
    finally:
        database.close()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
