"""What an interrupt does, and what one that is insisted on.

an interrupt        SIGINT for the worker and what it started: the cell may end, and nothing else is lost
forced              the worker is killed, and with it what the cell had started; the state before is back

A frontend that can't force insists: see `insistence`.
"""

from __future__ import annotations

import signal
import time

from holdfast.errors import HoldfastError
from holdfast.processes import Process
from holdfast.settings import Settings
from holdfast.supervisor.aftermath import offspring
from holdfast.supervisor.cells.insistence import Insistence, Step
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.lineage import State
from holdfast.supervisor.processes.program import AnyWorker, Program


class Interrupts:
    """Of one session."""

    def __init__(
        self, settings: Settings, loop: Loop, stage: Stage, lineage: AnyWorker, ledger: Ledger
    ) -> None:
        self._loop = loop
        self._stage = stage
        self._lineage = lineage
        self._ledger = ledger
        self._stop_seconds = settings.life.stop_seconds
        self._insistence = Insistence(settings.interrupt)
        stage.on_question = self._insistence.heard

    def interrupt(self, *, force: bool = False, may_insist: bool = True) -> None:
        """Interrupt the running job, if one runs; `force`: at any price. HoldfastError if it can't be had.

        `may_insist`: who asks has no other way to force.
        """
        if force:
            self._force()
        elif self._stage.job is not None:
            step = Step.INTERRUPT
            if may_insist and self._can_go_back():
                step = self._insistence.press(self._stage.running_turn, time.monotonic())
            if step is Step.FORCE:
                self._force()
                return
            self._interrupt()
            if step is Step.WARN:
                self._warn()

    def _interrupt(self) -> None:
        job = self._stage.job
        cell = job.number if job is not None and job.request is not None else None
        self._ledger.event("interrupt", cell)
        self._stage.output.aim_interrupt(self._stage.running_turn)
        self._lineage.interrupt()

    def _force(self) -> None:
        """Kill the worker. One that is going or coming already is what was wanted."""
        lineage, job = self._lineage, self._stage.job
        if lineage.state not in (State.ALIVE, State.STARTING):
            return
        if job is None and self._missing():
            why = lineage.refusal or "the copy that holds it is being made"
            raise HoldfastError(f"nothing runs, and what the last cell did would be lost: {why}", "it again")
        started = self._started()
        also = f", with {len(started)} process{'es' * (len(started) > 1)} it had started" if started else ""
        lineage.kill(f"stopped on request{also}")
        offspring.end(started, signal.SIGTERM)
        if started:
            self._loop.later(self._stop_seconds, lambda: offspring.end(started, signal.SIGKILL))

    def _started(self) -> list[Process]:
        """What the running cell has started, and nobody knows of in the state before it.

        Only what is in the worker's process group, or on a terminal of its own making (`!cmd`): who leaves
        both wants to outlive Ctrl-C, too.
        """
        group = self._lineage.worker_pid
        if self._stage.job is None or group is None or isinstance(self._lineage, Program):
            return []
        newest = self._lineage.standbys.newest
        return offspring.started_since(group, self._stage.began, newest.pid if newest is not None else None)

    def _warn(self) -> None:
        job = self._stage.job
        assert job is not None
        what = f"In[{job.count}]" if job.count is not None else "it"
        missing = self._missing()
        if missing:
            state = f"the state before In[{missing[0]}]: no later one is kept"
        else:
            state = f"the state before {what}"
        self._stage.publish_text(
            job.number,
            "stderr",
            f"holdfast: {what} runs on after two interrupts. Interrupt it once more, and the interpreter is"
            f" stopped; you go back to {state}.\n",
        )

    def _can_go_back(self) -> bool:
        return not isinstance(self._lineage, Program) and self._lineage.standbys.newest is not None

    def _missing(self) -> list[int]:
        """Execution counts of cells that no standby holds."""
        newest, effects = self._lineage.standbys.newest, self._stage.effects
        numbers = effects.since(newest.after if newest is not None else 0)
        return [count for number in numbers if (count := effects.last_shown(number)) is not None]
