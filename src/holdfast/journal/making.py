"""How a database file of ours comes into being (whole, or not at all), and what tells it from others."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from holdfast.errors import JournalDamaged, JournalError
from holdfast.files import open_private, private_size
from holdfast.journal.database import Database

PAGE_BYTES: Final = 4096


class Layout(NamedTuple):
    """What a file is."""

    noun: str
    """In sentences: "a journal"."""
    application: int
    """In the file's header, see file(1) and sqlite.org/fileformat.html."""
    version: int
    tables: str
    """CREATE statements, each ended by a semicolon at the end of a line."""
    upgrades: dict[int, str] = {}  # noqa: RUF012 - never changed
    """Statements that lead from an older version to the next; such a file can be read as it is."""


def ensure(path: Path, layout: Layout) -> None:
    """Make the file `path` if there is none. It appears under its name when it is whole and on disk.

    JournalDamaged if only its write-ahead log is there: SQLite would take it for one of the new file.
    """
    if private_size(path) is not None:
        return
    try:
        with _locked(path.parent) as folder:
            if private_size(path) is None:  # no other process was faster
                _refuse_orphan(path)
                _make(path, layout)
                os.fsync(folder)
    except OSError as error:
        raise JournalError(
            f"can't make {path}: {error.strerror}", f"check the disk: df -h {path.parent}"
        ) from error


def check(database: Database, layout: Layout) -> None:
    """Raise unless `database` is one of ours, of a version we know. Writes nothing."""
    path = database.path
    if database.rows("PRAGMA application_id") != [(layout.application,)]:
        raise JournalDamaged(f"{path} is not {layout.noun} of Holdfast", f"move {path} away")
    version = _version(database)
    if version != layout.version and version not in layout.upgrades:
        raise JournalError(
            f"{path} is of version {version}, not {layout.version}", "use the Holdfast that wrote it"
        )


def upgrade(database: Database, layout: Layout) -> None:
    """Bring a file that `check` has accepted to the newest version, step by step."""
    while (version := _version(database)) in layout.upgrades:
        with database.transaction():
            for statement in layout.upgrades[version].strip().split(";\n"):
                database.run(statement)
            database.run(f"PRAGMA user_version = {version + 1}")


def _version(database: Database) -> int:
    return database.records(tuple[int], "PRAGMA user_version")[0][0]


def _refuse_orphan(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    if private_size(log):
        raise JournalDamaged(f"{path} is gone, but not {log.name}", f"bring it back, or move {log} away")


def _make(path: Path, layout: Layout) -> None:
    draft = path.with_name(f"{path.name}.new")
    for suffix in ("", "-wal", "-journal"):  # of a process that died here
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
    descriptor = open_private(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    try:
        _fill(draft, layout)
        os.fsync(descriptor)
        os.rename(draft, path)
    finally:
        os.close(descriptor)


def _fill(draft: Path, layout: Layout) -> None:
    database = Database(draft, read_only=False, wait=0)
    try:
        database.run(f"PRAGMA page_size = {PAGE_BYTES}")
        # Into WAL mode while it is a draft: later it would need the file for itself, and a way back.
        database.run("PRAGMA locking_mode = EXCLUSIVE")
        database.write_ahead()
        with database.transaction():
            database.run(f"PRAGMA application_id = {layout.application}")
            database.run(f"PRAGMA user_version = {layout.version}")
            for statement in layout.tables.strip().split(";\n"):
                database.run(statement)
    finally:
        database.close()


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Descriptor of `folder`, with its flock(2): held for the milliseconds of making, by one process."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
