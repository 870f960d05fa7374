"""From the journal: what the session was when its supervisor was killed. Its successor goes on with that."""

from __future__ import annotations

import time

import msgspec

from holdfast.journal.records import CellRecord
from holdfast.supervisor.aftermath.coroner import Coroner
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.cells.turns import Turns
from holdfast.supervisor.clients.entrance import Entrance
from holdfast.supervisor.clients.output import Output
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.lineage import State
from holdfast.supervisor.processes.program import AnyWorker, Host
from holdfast.supervisor.processes.returns import Death
from holdfast.supervisor.succession import bookmark
from holdfast.supervisor.succession.origin import job_of
from holdfast.supervisor.succession.safekeeping import COMMS, LISTENERS

SOURCES = 256
"""The latest cells whose code is at hand for tracebacks of crashes."""

_LOST = (
    "holdfast: the supervisor was killed: up to {} bytes that C code or subprocesses printed in that moment"
    " are lost.\n"
)


class Takeover:
    """What is known of it, and to whom it is told."""

    def __init__(self, ledger: Ledger, stage: Stage, turns: Turns, loop: Loop) -> None:
        self._ledger = ledger
        self._stage = stage
        self._turns = turns
        self._loop = loop
        self._mark = bookmark.of(ledger.journal)

    def doors(self) -> dict[str, int]:
        """The doors that were open, and how many listened at each."""
        return msgspec.json.decode(self._ledger.journal.get(LISTENERS) or "{}", type=dict[str, int])

    def namespace(self) -> str:
        """Take up the namespace that the worker has; its header.session."""
        journal, stage = self._ledger.journal, self._stage
        for effect in journal.effects(self._ledger.namespace_after):
            stage.effects.add(effect.id, effect.count, shown=effect.shown)
        stage.comms.restore(journal.get(COMMS) or "{}")
        stage.remember(journal.cells(SOURCES))
        return self._ledger.resume_namespace()

    def go_on(
        self, owner: Host, lineage: AnyWorker, output: Output, entrance: Entrance, coroner: Coroner
    ) -> None:
        """Take up the text, the processes, and what clients wait for. One of the processes may have died."""
        mark = self._mark
        lost = output.take_over(mark.place, mark.parent, mark.stream)
        died = lineage.adopt(owner, mark)
        self._requests(entrance)
        self._ledger.event("adopted", self._turns.running_cell(), piped_lost=lost)
        if lost:
            self._stage.tell_last(_LOST.format(lost))
        if lineage.state is State.ALIVE:
            self._stage.send_again()
            self._loop.later(0, owner.look)
            if died is not None:
                self._loop.later(0, lambda: lineage.on_died(died.pid, died.status))
            self._turns.next()
            return
        if self._stage.job is not None:  # its worker has died, and the successor was on its way
            coroner.see(Death(died.status if died else None, False, None, time.monotonic()), None)
        if lineage.state is State.STARTING:
            lineage.resume()

    def _requests(self, entrance: Entrance) -> None:
        """Take up what clients wait for: replies that may not have left, the cell that runs, the queue."""
        waiting = self._ledger.journal.unanswered()
        if not waiting:
            return
        cells: dict[int, CellRecord] = {
            cell.id: cell for cell in self._ledger.journal.cells(after=waiting[0].id - 1)
        }
        for each in waiting:
            cell = cells[each.id]
            job = job_of(cell, each.request, entrance.door_of)
            if each.reply is not None:
                self._stage.replies.again(job, each.reply)
            elif cell.started is not None:
                self._stage.resume(job, cell.started, each.turn or 0)
            else:
                self._turns.resume(job)
