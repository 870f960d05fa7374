"""`%reset` in a cell: when it has ended, a barrier that no recovery crosses.

A cell that crashes after its `%reset` is rolled back as any other. From memory one can still go back to
before it (`undo`): that is asked for.
"""

from __future__ import annotations

from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.disk.checkpoints import Checkpoints
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.processes.program import AnyWorker


class Emptying:
    """Of one session's namespace, by its user."""

    def __init__(self, stage: Stage, lineage: AnyWorker, ledger: Ledger, checkpoints: Checkpoints) -> None:
        self._stage = stage
        self._lineage = lineage
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._by: Job | None = None  # the cell that did it, and runs

    def noted(self) -> None:
        """The cell that runs has emptied the namespace."""
        self._by = self._stage.job

    def ended(self, job: Job) -> None:
        """A job has ended: if it did that, there is no way back but on request."""
        by, self._by = self._by, None
        if by is job and job.request is not None:
            self._ledger.event("reset", job.number)
            self._lineage.standbys.put_barrier()
            self._checkpoints.forget()
