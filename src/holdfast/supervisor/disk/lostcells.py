"""Which cells' effects are not there any more, and which a state that comes back holds: as the journal tells.

A restart is a barrier, and so is a `%reset` that was not undone.
"""

from __future__ import annotations

from holdfast.journal.records import CellRecord, EventRecord
from holdfast.supervisor.ledger import PROCESSES_LOST, Ledger

_HAD_EFFECTS = frozenset({"ok", "error", "interrupted"})


def lost(ledger: Ledger) -> list[CellRecord]:
    """Cells that ended with the last run's processes, and after what is back from disk, oldest first.

    A restart is a barrier.
    """
    first = max(_first(ledger), ledger.restored_after)
    last = int(ledger.journal.get("began_after") or 0)
    earlier = [
        cell
        for cell in ledger.journal.cells(after=first)
        if cell.id <= last and cell.store_history and cell.count
    ]
    if ledger.restored_after or ledger.unread or not earlier:
        return earlier
    runs = _one_namespace(earlier[-1].epoch, ledger.journal.events("adopted"))
    return [cell for cell in earlier if cell.epoch in runs]


def had_effects(cell: CellRecord) -> bool:
    """Whether a cell left something in memory when it ended, or was about to when all processes did."""
    return cell.status in _HAD_EFFECTS or (cell.status == "crashed" and cell.evalue == PROCESSES_LOST)


def undone(ledger: Ledger) -> frozenset[object]:
    """Cells whose effects were undone, by their number in the journal."""
    found: set[object] = set()
    for event in ledger.journal.events("undo"):
        found.update(_cells_of(event, "cells"))
        found.difference_update(_cells_of(event, "back"))
    return frozenset(found)


def held_after(ledger: Ledger, number: int) -> list[CellRecord]:
    """The cells of this namespace whose effects a state after cell `number` holds, oldest first."""
    gone, returns = undone(ledger), _returns(ledger)
    return [
        cell
        for cell in ledger.journal.cells(after=_first(ledger))
        if cell.id <= number
        and cell.count
        and cell.status in _HAD_EFFECTS
        and cell.id not in gone
        and not any(cell.id > after and cell.epoch < epoch for after, epoch in returns)
    ]


def emptied_by(ledger: Ledger) -> int:
    """The last cell that has emptied its namespace by a `%reset` not undone; 0 if none has."""
    gone = undone(ledger)
    resets = [each.cell for each in ledger.journal.events("reset") if each.cell and each.cell not in gone]
    return max(resets, default=0)


def _first(ledger: Ledger) -> int:
    """The last cell before what can be recovered: a restart bars it, and a `%reset` not undone."""
    return max(int(ledger.journal.get("numbered_after") or 0), emptied_by(ledger))


def _returns(ledger: Ledger) -> list[tuple[int, int]]:
    """When variables came back from disk: those of up to which cell, in which epoch."""
    events = ledger.journal.events("restored")
    return [(after, each.epoch) for each in events if isinstance(after := each.details.get("after"), int)]


def _one_namespace(epoch: int, adoptions: list[EventRecord]) -> set[int]:
    """The runs of supervisors of which one took over from the other, up to run `epoch`."""
    runs, adopted = {epoch}, {event.epoch for event in adoptions}
    while epoch in adopted:
        epoch -= 1
        runs.add(epoch)
    return runs


def _cells_of(undo: EventRecord, key: str) -> list[object]:
    """The journal's ids of the cells that were undone, with the one that asked for it; or that are back."""
    cells = undo.details.get(key)
    return cells if isinstance(cells, list) else []
