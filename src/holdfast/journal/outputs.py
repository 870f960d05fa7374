"""Output rows on their way to the journal's file: gathered in memory, written in groups."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from msgspec.structs import astuple

from holdfast.journal.cap import Kept, OutputRecord
from holdfast.journal.database import Database
from holdfast.journal.schema import PLACES
from holdfast.settings import Output

_INSERT: Final = "INSERT INTO outputs (id, epoch, seq, msg_type, content, at) VALUES (?, ?, ?, ?, ?, ?)"


class Outputs:
    """What waits, and what was kept of the cells that wrote last.

    Memory is bounded: a cell's waiting rows by its head and tail, all of them together by one head and tail
    more (then they are `full`, and to be written), and `journal_open_cells` cells are remembered.
    """

    def __init__(self, database: Database, limits: Output) -> None:
        self._database = database
        self._limits = limits
        self._kept: OrderedDict[int, Kept] = OrderedDict()  # by cell; who wrote last is last
        self._waiting: dict[int, Kept] = {}  # those of them that have rows to write
        self._waiting_bytes = 0

    @property
    def waiting(self) -> bool:
        """Whether there are rows to write."""
        return bool(self._waiting)

    @property
    def remembered(self) -> int:
        """Cells whose share is in memory."""
        return len(self._kept)

    def begin(self, cell: int) -> None:
        """`cell` is a new one: it has no rows, and none need be looked for."""
        self._kept[cell] = Kept(self._limits)
        self._forget_oldest()

    def add(self, epoch: int, cell: int, seq: int, msg_type: str, content: bytes, at: float) -> None:
        """Take one more row of `cell`."""
        kept = self._waiting.get(cell)
        if kept is None:
            kept = self._waiting[cell] = self._kept_of(cell)
        self._waiting_bytes += kept.add(epoch, seq, msg_type, content, at)

    @property
    def full(self) -> bool:
        """Whether more waits than a head and a tail may hold."""
        return self._waiting_bytes > self._limits.journal_head_bytes + self._limits.journal_tail_bytes

    def rows(self, cell: int, stored: list[OutputRecord]) -> list[OutputRecord]:
        """The rows of `cell` as they will be on disk, given those that are `stored` there now."""
        kept = self._waiting.get(cell)
        if kept is None:
            return stored
        return [row for row in stored if row.place <= kept.head or row.place >= kept.tail] + kept.waiting()

    def omitted(self, cell: int, stored: int) -> int:
        """Bytes that are omitted of `cell`, given the number that is `stored` on disk now."""
        kept = self._waiting.get(cell)
        return stored if kept is None else kept.omitted

    def write(self) -> None:
        """Write what waits; only inside a transaction. Once that is committed, call `written`."""
        for cell, kept in self._waiting.items():
            first = cell * PLACES
            if kept.cut:
                self._database.run(
                    "DELETE FROM outputs WHERE id > ? AND id < ?", first + kept.head, first + kept.tail
                )
                self._database.run(
                    "INSERT OR REPLACE INTO omissions (cell, head, bytes) VALUES (?, ?, ?)",
                    cell,
                    kept.head,
                    kept.omitted,
                )
            self._database.run_many(
                _INSERT, [(first + row.place, *astuple(row)[1:]) for row in kept.waiting()]
            )

    def written(self) -> None:
        """What was waiting is on disk."""
        for kept in self._waiting.values():
            kept.written()
        self._waiting.clear()
        self._waiting_bytes = 0
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        while len(self._kept) > self._limits.journal_open_cells:
            self._kept.popitem(last=False)

    def _kept_of(self, cell: int) -> Kept:
        kept = self._kept.pop(cell, None)
        if kept is None:
            kept = self._restored(cell)
        self._kept[cell] = kept
        return kept

    def _restored(self, cell: int) -> Kept:
        first = cell * PLACES
        rows = self._database.records(
            tuple[int, int],
            "SELECT id - ?1, length(content) FROM outputs WHERE id > ?1 AND id < ?2 ORDER BY id",
            first,
            first + PLACES,
        )
        omission = self._database.records(
            tuple[int, int], "SELECT head, bytes FROM omissions WHERE cell = ?", cell
        )
        head, omitted = omission[0] if omission else (None, 0)
        return Kept.restored(self._limits, rows, head, omitted)
