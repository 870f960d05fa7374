"""The journal of one session, as its supervisor writes it and anybody may read it afterwards.

When a method returns, what it was told is committed; the one exception is `output`, whose rows wait for
`flush`, `finish` or `close`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from holdfast.errors import JournalError
from holdfast.journal import making, schema
from holdfast.journal.cap import OutputRecord
from holdfast.journal.database import Database
from holdfast.journal.outputs import Outputs
from holdfast.journal.records import (
    Ending,
    Records,
    Status,
)
from holdfast.paths import private_folder
from holdfast.settings import Life, Output

Durability = Literal["process", "power"]

_SYNCHRONOUS: Final = {"process": "NORMAL", "power": "FULL"}
_ACCEPT: Final = """INSERT INTO cells (epoch, msg_id, header, code, client, silent, store_history,
                                       accepted, count, started, turn, request)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_FINISH: Final = """UPDATE cells SET ended = ?, status = ?, ename = ?, evalue = ?, reply = ?, held = ?
                    WHERE id = ? AND ended IS NULL"""
_ANSWERED: Final = "UPDATE cells SET request = NULL, reply = NULL WHERE id = ?"
_FACT: Final = "INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)"
BOOKMARK: Final = "bookmark"
"""Key of the fact that is stored with each commit of output."""
_EVENT: Final = "INSERT INTO events (epoch, kind, at, cell, details) VALUES (?, ?, ?, ?, ?)"


class Journal:
    """An open journal that may be written. One at a time: SQLite keeps everybody else out."""

    def __init__(
        self, database: Database, output: Output, previous: Ending, now: Callable[[], float]
    ) -> None:
        """Use `open`."""
        self._database = database
        self._records = records = Records(database)
        self.get, self.cells, self.count_cells, self.unfinished, self.header_of, self.events = (
            records.get,
            records.cells,
            records.count_cells,
            records.unfinished,
            records.header_of,
            records.events,
        )
        self.last_outputs, self.latest_headers = records.last_outputs, records.latest_headers
        self.published_after, self.of_request, self.unanswered, self.effects = (
            records.published_after,
            records.of_request,
            records.unanswered,
            records.effects,
        )
        self._outputs = Outputs(database, output)
        self._now = now
        self.previous = previous
        """How the last run before this one ended."""
        self.epoch = previous.epoch
        """Number of this supervisor's run, once it began; before, that of the last one."""
        self.bookmark: Callable[[], str] | None = None
        """How far what a worker says is written down: asked, and stored, with each commit of output."""
        self._bookmarked = ""  # as it is stored
        self._leaving: list[tuple[int]] = []  # cells whose replies are on their way
        self._answered: list[tuple[int]] = []  # cells whose clients wait no longer

    @classmethod
    def open(
        cls,
        folder: Path,
        output: Output,
        durability: Durability = "process",
        *,
        life: Life = Life(),  # noqa: B008 - frozen
        now: Callable[[], float] = time.time,
    ) -> Journal:
        """Open the journal in `folder`, or make both. The caller holds the session's lock.

        JournalDamaged if the file is not what was written: it is left as it is. JournalError if it can't be
        read or written, is in use or of another version. RefusedPath if folder or file is not ours alone.
        """
        path = private_folder(folder) / schema.FILE_NAME
        making.ensure(path, schema.LAYOUT)
        records = read_only(folder, life)  # before the first write: it raises if anything is wrong
        try:
            previous = records.ending()
        finally:
            records.close()
        database = Database(path, read_only=False, wait=life.busy_seconds)
        try:
            _configure(database, output, durability)
            making.upgrade(database, schema.LAYOUT)
        except JournalError:
            database.close()
            raise
        return cls(database, output, previous, now)

    # What happens

    def begin(self, **details: object) -> int:
        """A supervisor starts: the number of its run, one more than the last."""
        self.epoch += 1
        self._note("begin", self._now(), None, details)
        return self.epoch

    def end(self, reason: str) -> None:
        """The run ends as it should; commits waiting output."""
        self.left()
        with self._committed():
            self._note("end", self._now(), None, {"reason": reason})

    def accept(
        self,
        *,
        msg_id: str,
        header: bytes,
        code: str,
        client: str,
        silent: bool,
        store_history: bool,
        at: float,
        started: bool = False,
        count: int | None = None,
        turn: int | None = None,
        request: bytes | None = None,
    ) -> int:
        """A cell is accepted: its id. With `started` it need not wait: `start` is part of the same commit.

        `request`: what it takes to answer it, kept until it is `answered`.
        """
        flags = (silent, store_history)
        begun = (count, at, turn) if started else (None, None, None)
        cell = self._database.insert(
            _ACCEPT, self.epoch, msg_id, header, code, client, *flags, at, *begun, request
        )
        self._outputs.begin(cell)
        return cell

    def start(self, cell: int, count: int | None, at: float, turn: int | None = None) -> None:
        """An accepted cell starts, with its execution count (None: it has none)."""
        self._database.run(
            "UPDATE cells SET count = ?, started = ?, turn = ? WHERE id = ?", count, at, turn, cell
        )

    def finish(
        self,
        cell: int,
        status: Status,
        at: float,
        ename: str = "",
        evalue: str = "",
        *,
        reply: bytes | None = None,
        held: bool | None = None,
    ) -> bool:
        """A cell ends; commits waiting output with it. False if it had ended before: its first end stands.

        `reply` is kept until the cell is `answered`. `held`: the worker holds its effects; whether they count
        when one goes back.
        """
        with self._committed():
            changed = self._database.run(_FINISH, at, status, ename, evalue, reply, held, cell)
        return changed == 1

    def answered(self, cell: int) -> None:
        """The reply to a cell is on its way to its client."""
        self._leaving.append((cell,))

    def left(self) -> bool:
        """What was on its way has left: no other supervisor need send it. Whether that waits for a commit."""
        self._answered += self._leaving
        self._leaving.clear()
        return bool(self._answered)

    def drop_effects(self, after: int) -> None:
        """The worker does not hold what cells after `after` did."""
        self._database.run("UPDATE cells SET held = NULL WHERE id > ?", after)

    def hold_effects(self, after: int, cells: Iterable[tuple[int, bool]]) -> None:
        """Of the cells after `after` the worker holds what these did; whether somebody typed each."""
        with self._database.transaction():
            self.drop_effects(after)
            rows = [(typed, cell) for cell, typed in cells]
            self._database.run_many("UPDATE cells SET held = ? WHERE id = ?", rows)

    def output(self, cell: int | None, seq: int, msg_type: str, content: bytes, at: float) -> None:
        """A message was published for `cell` (None: for no cell). It waits for the next commit.

        Of each cell the head and the tail are kept (settings.Output). Commits by itself only if more waits
        than a head and a tail may hold, and never with a bookmark: only its owner knows when that is right.
        """
        self._outputs.add(self.epoch, cell or schema.NO_CELL, seq, msg_type, content, at)
        if self._outputs.full and self.bookmark is None:
            self.flush()

    def event(self, kind: str, at: float, cell: int | None = None, **details: object) -> None:
        """Something else happened; `details` are JSON values."""
        assert kind not in {"begin", "end"}, "these are begin() and end()"
        self._note(kind, at, cell, details)

    def set(self, key: str, value: str) -> None:
        """Store a fact, or replace it."""
        self._database.run(_FACT, key, value)

    # Commits

    @property
    def pending(self) -> bool:
        """Whether output waits for a commit."""
        return self._outputs.waiting

    def flush(self) -> None:
        """Commit what waits, if anything does. If it fails (JournalError) it goes on waiting."""
        moved = self.bookmark is not None and self.bookmark() != self._bookmarked
        if self._outputs.waiting or self._answered or moved:
            with self._committed():
                pass

    def tidy(self) -> None:
        """Commit waiting output and move the write-ahead log into the file: some ms, for idle times."""
        self.flush()
        self._database.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Commit waiting output and close. Without `end` before it, the run counts as not ended."""
        try:
            self.flush()
        finally:
            self._database.close()

    # What is known, but for what `Records` tells all the same

    def outputs(self, cell: int | None) -> list[OutputRecord]:
        """See Records; with what waits, even if it can't be written."""
        return self._outputs.rows(cell or schema.NO_CELL, self._records.outputs(cell))

    def omitted(self, cell: int | None) -> int:
        """See Records; with what waits, even if it can't be written."""
        return self._outputs.omitted(cell or schema.NO_CELL, self._records.omitted(cell))

    @contextmanager
    def _committed(self) -> Iterator[None]:
        """One commit of what waits and of the block, with the bookmark."""
        with self._database.transaction():
            self._outputs.write()
            yield
            if self._answered:
                self._database.run_many(_ANSWERED, self._answered)
            bookmark = self.bookmark() if self.bookmark is not None else self._bookmarked
            if bookmark != self._bookmarked:
                self._database.run(_FACT, BOOKMARK, bookmark)
        self._bookmarked = bookmark
        self._outputs.written()
        self._answered.clear()

    def _note(self, kind: str, at: float, cell: int | None, details: dict[str, object]) -> None:
        self._database.insert(_EVENT, self.epoch, kind, at, cell, msgspec.json.encode(details).decode())


def read_only(folder: Path, life: Life = Life(), *, glance: bool = False) -> Records:  # noqa: B008 - frozen
    """What the journal in `folder` tells, of a session that nobody runs. Errors as of Journal.open.

    `glance`: for a few rows; then damage elsewhere is not looked for, which reads the whole file.
    """
    return Records(schema.checked(folder, life.busy_seconds, glance=glance))


def _configure(database: Database, output: Output, durability: Durability) -> None:
    # Exclusive before WAL: no memory is shared with other processes, and they are kept out.
    database.run("PRAGMA locking_mode = EXCLUSIVE")
    database.write_ahead()
    database.run(f"PRAGMA synchronous = {_SYNCHRONOUS[durability]}")
    database.run(f"PRAGMA wal_autocheckpoint = {output.journal_wal_bytes // making.PAGE_BYTES}")
