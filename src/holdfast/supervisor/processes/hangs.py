"""Notices a worker that hangs where none of the user's code runs: in the fork that is to keep its state.

A lock in a library's fork handler, or a handler of the user's, may never come free. The worker then says
nothing more, and the next cell would wait for ever: so it is killed, and an earlier state takes over. Whether
it forks stands in the memory that both sides see. Looked at only after a cell was given to it.
"""

from __future__ import annotations

from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.loop import Loop, Timer
from holdfast.supervisor.processes.program import AnyWorker

CAUSE = "it hung in the fork that was to keep its state, and was stopped"


class Hangs:
    """Of one session's workers."""

    def __init__(self, loop: Loop, seconds: float, stage: Stage, lineage: AnyWorker) -> None:
        """A fork that takes so many seconds hangs."""
        self._loop = loop
        self._seconds = seconds
        self._stage = stage
        self._lineage = lineage
        self._timer: Timer | None = None
        self._seen = 0  # the fork that was under way at the last look
        stage.on_start.append(self._watch)

    def _watch(self) -> None:
        if self._timer is None:
            self._timer = self._loop.later(self._seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        before, self._seen = self._seen, self._stage.output.fork_under_way
        if not self._seen:
            return
        if self._seen == before:
            self._seen = 0
            self._lineage.kill(CAUSE)
        else:
            self._watch()
