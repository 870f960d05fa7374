"""What the journal tells: records, and the queries that make them. Reads only."""

from __future__ import annotations

from typing import Literal

import msgspec

from holdfast.errors import JournalDamaged
from holdfast.journal.cap import OutputRecord
from holdfast.journal.database import Database
from holdfast.journal.schema import NO_CELL, PLACES

Status = Literal["ok", "error", "aborted", "crashed", "interrupted"]


class CellRecord(msgspec.Struct, frozen=True, array_like=True):
    """One cell. Times are seconds since the epoch of Unix; what has not happened yet is None."""

    id: int
    epoch: int
    """Of the supervisor that accepted it."""
    msg_id: str
    header: bytes
    """Of the execute_request, as it came."""
    code: str
    client: str
    silent: bool
    store_history: bool
    count: int | None
    accepted: float
    started: float | None
    ended: float | None
    status: Status | None
    ename: str
    evalue: str


class Unanswered(msgspec.Struct, frozen=True, array_like=True):
    """A cell whose client may still wait: what the supervisor needs to answer it, in its own words."""

    id: int
    turn: int | None
    request: bytes
    reply: bytes | None
    """Of one that has ended."""


class Effect(msgspec.Struct, frozen=True, array_like=True):
    """A cell whose effects the worker holds."""

    id: int
    count: int
    shown: bool


class EventRecord(msgspec.Struct, frozen=True):
    """One event, with what was told about it."""

    id: int
    epoch: int
    kind: str
    at: float
    cell: int | None
    details: dict[str, object]


class Ending(msgspec.Struct, frozen=True):
    """How the journal's last run ended."""

    kind: Literal["new", "clean", "unclean"]
    epoch: int = 0
    """Of that run."""
    since: float | None = None
    """Its end; of an unclean one, the last sign of life."""
    running: CellRecord | None = None
    """The cell that was running at an unclean end."""


class _Row(msgspec.Struct, array_like=True):
    """An event as it is stored."""

    id: int
    epoch: int
    kind: str
    at: float
    cell: int | None
    details: str


_MAY_WAIT = 4_096
"""Cells, the newest, among which those are that were not answered: more than may wait (settings.Wire)."""

MAY_SPEAK = 256
"""Cells, the newest, among whose output that is looked for which a client has missed: of older ones only
threads may speak, and to find that all of the journal would have to be read."""

_LAST_ROWS = 2_000
"""Of a cell's output, the newest: enough for some screens, and quickly found among tens of thousands."""

_CELL = """SELECT id, epoch, msg_id, header, code, client, silent, store_history, count,
                  accepted, started, ended, status, ename, evalue FROM cells"""


class Records:
    """The queries, on a database whose tables are those of `schema`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def get(self, key: str) -> str | None:
        """The fact stored under `key`."""
        rows = self._database.rows("SELECT value FROM facts WHERE key = ?", key)
        return str(rows[0][0]) if rows else None

    def cells(
        self, last: int | None = None, after: int = NO_CELL, before: int | None = None
    ) -> list[CellRecord]:
        """Cells with an id above `after` and below `before`, oldest first; the `last` of them, if given."""
        newest = self._database.records(
            CellRecord,
            f"{_CELL} WHERE id > ?1 AND (?2 IS NULL OR id < ?2) ORDER BY id DESC LIMIT ?3",
            after,
            before,
            -1 if last is None else max(last, 0),
        )
        return newest[::-1]

    def count_cells(self) -> int:
        """How many cells there are."""
        # None is ever taken out, so the last id is their number; counting would read them all.
        ((last,),) = self._database.rows("SELECT max(id) FROM cells")
        return int(last or 0)

    def unfinished(self) -> list[CellRecord]:
        """Cells that were accepted and have no end, oldest first."""
        return self._database.records(CellRecord, f"{_CELL} WHERE ended IS NULL ORDER BY id")

    def unanswered(self) -> list[Unanswered]:
        """Cells that were not answered yet, oldest first; of the last ones, which all others come before."""
        return self._database.records(
            Unanswered,
            """SELECT id, turn, request, reply FROM cells
               WHERE id > (SELECT coalesce(max(id), 0) FROM cells) - ? AND request IS NOT NULL ORDER BY id""",
            _MAY_WAIT,
        )

    def effects(self, after: int) -> list[Effect]:
        """Cells after `after` whose effects the worker holds, oldest first."""
        return self._database.records(
            Effect,
            "SELECT id, coalesce(count, 0), held FROM cells WHERE id > ? AND held IS NOT NULL ORDER BY id",
            after,
        )

    def header_of(self, cell: int) -> bytes | None:
        """The header of the request that brought `cell`; None if there is no such cell."""
        rows = self._database.rows("SELECT header FROM cells WHERE id = ?", cell)
        if not rows:
            return None
        header = rows[0][0]
        if not isinstance(header, bytes):
            raise JournalDamaged(
                f"{self._database.path}: cell {cell} has no header", "move it away to start anew"
            )
        return header

    def outputs(self, cell: int | None) -> list[OutputRecord]:
        """What is kept of the output of `cell` (None: of no cell), in order."""
        first = (cell or NO_CELL) * PLACES
        return self._database.records(
            OutputRecord,
            """SELECT id - ?1, epoch, seq, msg_type, content, at FROM outputs
               WHERE id > ?1 AND id < ?2 ORDER BY id""",
            first,
            first + PLACES,
        )

    def last_outputs(self, cell: int, most: int) -> tuple[list[OutputRecord], int]:
        """The end of what is kept of the output of `cell`, no more than `most` bytes; how many come before.

        Rows are whole: if the last one alone is longer, there is none.
        """
        first = cell * PLACES
        rows = self._database.records(
            OutputRecord,
            """SELECT place, epoch, seq, msg_type, content, at FROM (
                 SELECT place, epoch, seq, msg_type, content, at,
                        sum(length(content)) OVER (ORDER BY place DESC) AS upto
                 FROM (SELECT id - ?1 AS place, epoch, seq, msg_type, content, at FROM outputs
                       WHERE id > ?1 AND id < ?2 ORDER BY id DESC LIMIT ?4))
               WHERE upto <= ?3 ORDER BY place""",
            first,
            first + PLACES,
            most,
            _LAST_ROWS,
        )
        ((kept,),) = self._database.rows(
            "SELECT coalesce(sum(length(content)), 0) FROM outputs WHERE id > ? AND id < ?",
            first,
            first + PLACES,
        )
        return rows, int(kept or 0) - sum(len(row.content) for row in rows)

    def published_after(self, epoch: int, seq: int, most: int) -> list[tuple[int, OutputRecord]]:
        """What recent cells, and none, have put out after this position, in the order it was published.

        No more is read than `most` bytes, and what goes beyond them with the last record.
        """
        rows = self._database.records(
            OutputRecord,
            """WITH sizes AS (
                 SELECT id, sum(length(content)) OVER (ORDER BY epoch, seq) - length(content) AS before
                 FROM outputs
                 WHERE (id > ?1 * ((SELECT coalesce(max(id), 0) FROM cells) - ?2) OR id < ?1)
                   AND (epoch > ?3 OR (epoch = ?3 AND seq > ?4)))
               SELECT id, epoch, seq, msg_type, content, at FROM outputs JOIN sizes USING (id)
               WHERE before < ?5 ORDER BY epoch, seq""",
            PLACES,
            MAY_SPEAK,
            epoch,
            seq,
            most,
        )
        return [(row.place // PLACES, row) for row in rows]

    def of_request(self, msg_id: str) -> CellRecord | None:
        """The cell that a request has brought, if it is one of the last ones."""
        found = self._database.records(
            CellRecord,
            f"{_CELL} WHERE id > ? AND msg_id = ? ORDER BY id DESC LIMIT 1",
            self.count_cells() - _MAY_WAIT,
            msg_id,
        )
        return found[0] if found else None

    def latest_headers(self) -> frozenset[bytes]:
        """Of the requests that brought the last cells: as many as may have been on their way at once."""
        rows = self._database.rows("SELECT header FROM cells WHERE id > ?", self.count_cells() - _MAY_WAIT)
        return frozenset(header for (header,) in rows if isinstance(header, bytes))

    def omitted(self, cell: int | None) -> int:
        """Bytes of the output of `cell` (None: of no cell) that were not kept."""
        rows = self._database.rows("SELECT bytes FROM omissions WHERE cell = ?", cell or NO_CELL)
        return int(rows[0][0] or 0) if rows else 0

    def events(self, kind: str | None = None) -> list[EventRecord]:
        """Events, oldest first; only those of `kind`, if given."""
        stored = self._database.records(
            _Row,
            "SELECT id, epoch, kind, at, cell, details FROM events WHERE ?1 IS NULL OR kind = ?1 ORDER BY id",
            kind,
        )
        return [
            EventRecord(row.id, row.epoch, row.kind, row.at, row.cell, self._details(row)) for row in stored
        ]

    def ending(self) -> Ending:
        """How the last run ended, by what is in the file now."""
        rows = self._database.records(
            _Row,
            """SELECT id, epoch, kind, at, cell, details FROM events
               WHERE kind IN ('begin', 'end') ORDER BY id DESC LIMIT 1""",
        )
        if not rows:
            return Ending("new")
        last = rows[0]
        if last.kind == "end":
            return Ending("clean", last.epoch, last.at)
        running = [cell for cell in self.unfinished() if cell.started is not None]
        return Ending("unclean", last.epoch, self._last_sign(), running[-1] if running else None)

    def _last_sign(self) -> float:
        """When anything was written last, but for late output of cells before the last one that started."""
        signs = self._database.rows(
            """SELECT max(at) FROM events UNION ALL
               SELECT max(max(accepted, coalesce(started, 0), coalesce(ended, 0))) FROM cells UNION ALL
               SELECT max(at) FROM outputs WHERE id > ? * (
                   SELECT coalesce(max(id), 0) FROM cells WHERE started IS NOT NULL)""",
            PLACES,
        )
        return max(float(at) for (at,) in signs if at is not None)

    def _details(self, row: _Row) -> dict[str, object]:
        try:
            return msgspec.json.decode(row.details, type=dict[str, object])
        except ValueError as error:
            raise JournalDamaged(
                f"{self._database.path} is damaged: event {row.id} can't be read ({error})",
                "copy its folder, then move it away to start anew",
            ) from error
