"""What a session has on disk of its namespace: the parts that care for it, as one for `session`."""

from __future__ import annotations

from collections.abc import Callable

from holdfast import paths
from holdfast.settings import Checkpoint as Settings
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.disk.arrival import Arrival
from holdfast.supervisor.disk.checkpoints import FINAL, Checkpoints
from holdfast.supervisor.disk.emptying import Emptying
from holdfast.supervisor.disk.writer import Writer
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.lineage import Lineage, State
from holdfast.supervisor.processes.program import AnyWorker
from holdfast.supervisor.processes.returns import Return


class OnDisk:
    """Of the session `name`. A program that embeds us has nothing there."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        loop: Loop,
        stage: Stage,
        lineage: AnyWorker,
        ledger: Ledger,
        *,
        takes_over: bool,
    ) -> None:
        own = isinstance(lineage, Lineage)
        self.checkpoints = Checkpoints(
            ledger,
            str(paths.session_checkpoints(name)),
            lambda: stage.effects,
            used=settings.enabled and own,
            takes_over=takes_over,
        )
        self.arrival = Arrival(ledger, self.checkpoints, takes_over=takes_over)
        self.emptying = Emptying(stage, lineage, ledger, self.checkpoints)
        self._writer = Writer(loop, lineage.standbys, self.checkpoints, settings)
        self._writer.outstanding = self._is_outstanding
        self._stage = stage
        self._lineage = lineage
        if isinstance(lineage, Lineage):
            lineage.ladder.on_disk = self.checkpoints.steps

    def returned(self, back: Return) -> None:
        """A worker is there."""
        self.arrival.returned(back)
        self._writer.returned(back.after)

    def ended(self, job: Job) -> None:
        """A job has ended."""
        self.emptying.ended(job)

    def stop(self) -> None:
        """The worker is dead: nothing is written before there is another one."""
        self._writer.stop()

    def finish(self, reason: str, then: Callable[[], None]) -> None:
        """The session ends: `then` is called when its last state is on disk, if it is wanted there."""
        self.arrival.ended()
        if reason in FINAL:
            self._writer.stop()
            then()
        else:
            self._writer.finish(then)

    def _is_outstanding(self, after: int) -> bool:
        """Whether the worker is about to keep a state later than that after this cell."""
        lineage, stage = self._lineage, self._stage
        if lineage.state is State.WAKING:
            return True
        idle = lineage.state is State.ALIVE and stage.job is None and lineage.refusal is None
        return idle and bool(stage.effects.since(after))
