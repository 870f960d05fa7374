"""One SQLite connection whose every failure is one of our errors. No table is known here."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from holdfast.errors import JournalDamaged, JournalError

Value = str | bytes | int | float | None
"""What a column holds."""

T = TypeVar("T")

_IN_USE: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED: Final = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,  # our statements are fixed: one that fails to compile met another schema
    sqlite3.SQLITE_CONSTRAINT,  # no code of ours breaks one: the rows are not those that were written
    sqlite3.SQLITE_MISMATCH,
}
_UNSYNCED: Final = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


class Database:
    """A connection in autocommit mode: a statement outside `transaction` is committed when it returns."""

    def __init__(self, path: Path, *, read_only: bool, wait: float) -> None:
        """Open the existing file `path`; wait up to `wait` seconds for locks of other processes."""
        self.path = path
        self._process = os.getpid()
        self._unsynced: str | None = None  # why nothing may be promised any more
        mode = "ro" if read_only else "rw"
        try:
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=wait, isolation_level=None
            )
        except sqlite3.Error as error:
            raise _explained(error, path) from error
        self.run("PRAGMA trusted_schema = OFF")
        self.run("PRAGMA cell_size_check = ON")

    def write_ahead(self) -> None:
        """Switch to a write-ahead log (sqlite.org/wal.html); JournalError where it can't be had."""
        mode = self.rows("PRAGMA journal_mode = WAL")
        if mode != [("wal",)]:
            raise JournalError(
                f"{self.path} can't have a write-ahead log", "move HOLDFAST_HOME to a local disk"
            )

    def run(self, statement: str, *values: Value) -> int:
        """Run one statement; the number of rows it changed."""
        return self._execute(statement, values).rowcount

    def insert(self, statement: str, *values: Value) -> int:
        """Run one INSERT; the new row's id."""
        row = self._execute(statement, values).lastrowid
        assert row is not None
        return row

    def run_many(self, statement: str, rows: Sequence[tuple[Value, ...]]) -> None:
        """Run one statement for each of `rows`; only inside `transaction`."""
        assert self._connection.in_transaction
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        except UnicodeEncodeError:  # as in `_execute`; a row that went in already goes in once more
            self.run_many(statement, [tuple(_storable(value) for value in row) for row in rows])

    def rows(self, statement: str, *values: Value) -> list[tuple[Value, ...]]:
        """All rows of a query."""
        cursor = self._execute(statement, values)
        try:
            return cursor.fetchall()
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def records(self, kind: type[T], statement: str, *values: Value) -> list[T]:
        """All rows of a query as `kind`, an array_like Struct; JournalDamaged if a value has another type."""
        rows = self.rows(statement, *values)
        try:
            # Not strict: SQLite has no booleans.
            return msgspec.convert(rows, list[kind], strict=False)  # type: ignore[valid-type]
        except msgspec.ValidationError as error:
            raise _damaged(self.path, f"a row of it is not as it was written ({error})") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All statements of the block are committed when it ends, or none if it raises."""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                with suppress(sqlite3.Error):  # the first error is the one to tell
                    self._connection.rollback()
            raise

    def close(self) -> None:
        """Close the connection; a closed one stays closed."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise _explained(error, self.path) from error

    def _execute(self, statement: str, values: Sequence[Value]) -> sqlite3.Cursor:
        # SQLite's locks and memory are not to be used on both sides of a fork (sqlite.org/howtocorrupt.html).
        assert os.getpid() == self._process
        if self._unsynced is not None:
            raise JournalError(self._unsynced, "check the disk, then start the session again")
        try:
            return self._connection.execute(statement, values)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        except UnicodeEncodeError:  # a lone surrogate: keep the text, with that character written out
            return self._execute(statement, [_storable(value) for value in values])
        except OverflowError as error:
            raise JournalError(f"{self.path} can't hold it: {error}") from error

    def _failed(self, error: sqlite3.Error) -> JournalError:
        if getattr(error, "sqlite_errorcode", None) in _UNSYNCED:
            # After a failed fsync the next one succeeds without having written: never trust it again.
            self._unsynced = f"the disk lost writes to {self.path}"
        return _explained(error, self.path)


def _storable(value: Value) -> Value:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _explained(error: sqlite3.Error, path: Path) -> JournalError:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # sqlite3 itself raised it: text that is not UTF-8, or a connection that was closed.
        if isinstance(error, sqlite3.OperationalError):
            return _damaged(path, str(error))
        return JournalError(f"can't use {path}: {error}")
    kind = code & 0xFF  # the upper bits only say more about it (sqlite.org/rescode.html)
    if kind in _DAMAGED:
        return _damaged(path, str(error))
    if kind == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR_SHMSIZE:
        return JournalError(f"no space left on the disk of {path}", f"free some space: df -h {path.parent}")
    if kind in _IN_USE:
        return JournalError(f"{path} is in use by another process", "ask the running session, or try again")
    return JournalError(f"can't use {path}: {error}", f"check the disk and the mode of {path.parent}")


def _damaged(path: Path, why: str) -> JournalDamaged:
    return JournalDamaged(
        f"{path} is damaged: {why}",
        f"it was left as it is; copy {path.parent}, then move {path.name} and {path.name}-wal away",
    )
