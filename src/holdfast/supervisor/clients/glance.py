"""What somebody who has just come should see: the last cells with what they put out, and the one that runs.

Asked of the journal, so it is there at once whatever the worker does. Only the end of a long output is told.
"""

from __future__ import annotations

import msgspec

from holdfast.journal.records import CellRecord
from holdfast.protocol import operations
from holdfast.supervisor.clients.broadcast import Broadcast
from holdfast.supervisor.ledger import Ledger

CELL_BYTES = 64 * 1024
"""Output of one cell: some screens full."""

TOTAL_BYTES = 512 * 1024
"""Of all of them. The newest cells come first."""

_NOT_SHOWN = 4
"""For each cell that is asked for, so many are looked at: silent ones, and what never ran, are left out."""


class Glance:
    """Answers `recent`."""

    def __init__(self, ledger: Ledger, broadcast: Broadcast) -> None:
        self._ledger = ledger
        self._broadcast = broadcast

    def answer(self, asked: operations.RecentRequest) -> operations.Recent:
        """The last cells that have begun."""
        self._ledger.commit()  # publishes what waits: all up to our position is in the journal now
        journal = self._ledger.journal
        seen = [cell for cell in journal.cells(asked.cells * _NOT_SHOWN) if cell.started and not cell.silent]
        found: list[operations.RecentCell] = []
        room = TOTAL_BYTES
        for cell in reversed(seen[-asked.cells :] if asked.cells else []):
            told, size = self._told(cell, min(CELL_BYTES, room))
            room -= size
            found.append(told)
        return operations.Recent(self._broadcast.epoch, self._broadcast.seq, found[::-1])

    def _told(self, cell: CellRecord, most: int) -> tuple[operations.RecentCell, int]:
        journal = self._ledger.journal
        rows, left_out = journal.last_outputs(cell.id, most)
        told = operations.RecentCell(
            header=msgspec.Raw(cell.header),
            client=cell.client,
            code=cell.code,
            count=cell.count,
            ended=cell.ended is not None,
            messages=[operations.RecentOutput(row.msg_type, msgspec.Raw(row.content)) for row in rows],
            omitted=left_out + journal.omitted(cell.id),
        )
        return told, sum(len(row.content) for row in rows)
