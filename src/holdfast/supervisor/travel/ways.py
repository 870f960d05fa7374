"""The other states of the session: which there are, in memory and on disk, and the way to each.

%undo N         a standby, of a state before the last cells
%undo restart   a branch: what a restart has thrown away
%redo           a branch: what going back has left;  %redo crash: what was given up after crash upon crash
%undo disk N    a checkpoint whose cells are all here, and not all of what is here

Only says; `undo` goes.
"""

from __future__ import annotations

import time

import msgspec

from holdfast.checkpoint.words import lost_in_words
from holdfast.errors import HoldfastError
from holdfast.protocol import operations
from holdfast.protocol.operations import EarlierState, Redo
from holdfast.supervisor.aftermath.ladder import Refill
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.disk.checkpoints import Checkpoints
from holdfast.supervisor.processes.lineage import Lineage
from holdfast.supervisor.processes.standbys import Standby
from holdfast.supervisor.travel.branches import Branch, Branches, Kind
from holdfast.supervisor.travel.effects import NO_END, Effects, Span

SEE = "%checkpoints in a cell lists what can be gone back to"

_HOW: dict[Kind, str] = {"undo": "%redo", "crash": "%redo crash", "restart": "%undo restart"}
_LEFT: dict[Kind, str] = {
    "undo": "left by going back",
    "crash": "given up after crash upon crash",
    "restart": "before the restart",
}


class Way(msgspec.Struct, frozen=True, eq=False):
    """To one state."""

    target: Standby | Refill
    where: str
    """The state, in words."""
    effects: Effects
    """Of the cells that it holds."""
    branch: Branch | None = None
    """It was abandoned."""


class Ways:
    """Of a session whose worker is a fork of a template."""

    def __init__(self, stage: Stage, lineage: Lineage, checkpoints: Checkpoints) -> None:
        self._stage = stage
        self._lineage = lineage
        self._branches: Branches = lineage.branches
        self._checkpoints = checkpoints

    def to(self, asked: operations.Undo | Redo) -> Way:
        """The way to what is asked for. HoldfastError if there is none."""
        if isinstance(asked, Redo):
            return self._to_branch("crash" if asked.crash else "undo")
        if asked.restart:
            return self._to_branch("restart")
        if asked.before is not None:
            return self._to_before(asked.before, disk=asked.disk)
        return self._to_disk(asked.cells) if asked.disk else self._to_cells(asked.cells)

    def listed(self) -> list[EarlierState]:
        """What a cell that comes after this one can go to; by kind, newest first."""
        return [*self._cells(), *self._abandoned(), *self._on_disk()]

    def place(self, number: int) -> str:
        """The state after cell `number`, in words."""
        return place(self._stage.effects, number)

    # In memory

    def _to_cells(self, cells: int) -> Way:
        effects = self._stage.effects
        typed = len(effects.shown_since(0))
        if not typed:
            raise HoldfastError("there is nothing to undo: no cell has run in this namespace")
        span = effects.before_last(cells)
        if span is None:
            raise HoldfastError(f"there are not {cells} cells to undo, only {typed}", SEE)
        standby = self._lineage.standbys.kept_after(span.first, span.end)
        if standby is None:
            raise HoldfastError(self._too_far(span, typed), SEE)
        where = f"the state {self.place(span.first)}"
        return Way(standby, where, effects.until(standby.after))

    def _to_before(self, number: int, *, disk: bool) -> Way:
        """Just before one cell: exactly that state, of which one on disk may be a copy."""
        if (number, True) not in self._stage.effects.numbers():
            raise HoldfastError("the namespace does not hold what that cell did")
        gone = self._stage.effects.shown_since(number - 1)
        try:
            return self._to_cells(len(gone))
        except HoldfastError:
            for place, refill in enumerate(self._older_on_disk() if disk else [], 1):
                if self._stage.effects.shown_since(refill.after) == gone:
                    return self._to_disk(place)
            raise

    def _too_far(self, span: Span, typed: int) -> str:
        """How far one can go back instead."""
        text = f"the state {self.place(span.first)} is not kept any more; "
        older = [each for each in self._older_on_disk() if each.after < span.end]
        on_disk = "; nothing as old is on disk"
        if older:
            number = len(self._older_on_disk()) - len(older) + 1
            what = f"%undo disk{f' {number}' if number > 1 else ''}"
            on_disk = f"; on disk is that {self.place(older[0].after)} ({what})"
        for cells in range(typed, 0, -1):
            reached = self._stage.effects.before_last(cells)
            if reached is not None and self._lineage.standbys.kept_after(reached.first, reached.end):
                earliest = f"the earliest that is kept is that {self.place(reached.first)} (%undo {cells})"
                return text + earliest + on_disk
        why = self._lineage.refusal
        return text + "no earlier one is" + (f": {why}" if why else "") + on_disk

    def _cells(self) -> list[EarlierState]:
        found: list[tuple[str, str, Standby]] = []
        standbys, effects = self._lineage.standbys, self._stage.effects
        cells = 1
        while (span := effects.before_last(cells)) is not None:
            standby = standbys.kept_after(span.first, span.end)
            if standby is not None and not standbys.goes_next(standby):
                how = f"%undo {cells}" if cells > 1 else "%undo"
                found.append((how, self.place(span.first), standby))
            cells += 1
        return self._costing(found)

    # Abandoned

    def _to_branch(self, kind: Kind) -> Way:
        branch = self._branches.of(kind)
        if branch is None:
            raise HoldfastError(_NOTHING[kind], SEE)
        where = f"the state {place(branch.effects, NO_END)}, {_LEFT[kind]}"
        if kind == "restart":
            where = f"the namespace before the restart, {place(branch.effects, NO_END)}"
        return Way(branch.standby, where, branch.effects, branch)

    def _abandoned(self) -> list[EarlierState]:
        return self._costing(
            [
                (_HOW[each.kind], f"{place(each.effects, NO_END)}, {_LEFT[each.kind]}", each.standby)
                for each in self._branches.all
            ]
        )

    def _costing(self, found: list[tuple[str, str, Standby]]) -> list[EarlierState]:
        """With what each costs, as of the budget's last look."""
        budget, now = self._lineage.budget, time.monotonic()
        return [
            EarlierState(how, state, now - each.taken_at, "memory", cost.own if cost else None)
            for how, state, each in found
            for cost in [budget.cost(each.pid)]
        ]

    # On disk

    def _to_disk(self, number: int) -> Way:
        older = self._older_on_disk()
        if number > len(older):
            raise HoldfastError(
                "nothing older than this state is on disk"
                if not older
                else f"there are not {number} older states on disk, only {len(older)}",
                SEE,
            )
        refill = older[number - 1]
        where = f"the state {self.place(refill.after)}, from disk"
        return Way(refill, where, self._stage.effects.until(refill.after))

    def _on_disk(self) -> list[EarlierState]:
        kept = {each.id: each for each in self._checkpoints.usable()}
        return [
            EarlierState(
                "%undo disk" if number == 1 else f"%undo disk {number}",
                self.place(refill.after),
                max(0.0, time.time() - kept[refill.checkpoint].at),
                "disk",
                kept[refill.checkpoint].bytes_total,
                lost_in_words(kept[refill.checkpoint].lost),
            )
            for number, refill in enumerate(self._older_on_disk(), 1)
        ]

    def _older_on_disk(self) -> list[Refill]:
        """Of states without some cell that somebody typed, newest first."""
        effects = self._stage.effects
        return [each for each in self._checkpoints.steps() if effects.shown_since(each.after)]


_NOTHING: dict[Kind, str] = {
    "undo": "there is nothing to go forward to, or it is not kept any more",
    "crash": "nothing was given up after crashes, or it is not kept any more",
    "restart": "there is no restart to undo, or its namespace is not kept any more",
}


def place(effects: Effects, number: int) -> str:
    """The state after cell `number`, in words."""
    count = effects.last_shown(number)
    return f"after In[{count}]" if count else "at the start"
