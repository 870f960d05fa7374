"""Whose turn is it? From a job's arrival to what its end means for those that wait.

enqueue ──▶ queue ──worker free──▶ stage ──ended──▶ the next one; after an error the cells are aborted
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from holdfast.access.doors import Door
from holdfast.access.iothreads import IoThreads
from holdfast.protocol import notices
from holdfast.protocol.connection import Channel
from holdfast.settings import Settings
from holdfast.supervisor.aftermath.coroner import without_a_worker
from holdfast.supervisor.cells.meanwhile import Meanwhile
from holdfast.supervisor.cells.queue import Job, Queue
from holdfast.supervisor.cells.room import Room
from holdfast.supervisor.cells.stage import Ended, Stage
from holdfast.supervisor.clients.broadcast import Broadcast, Parent
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.lineage import State
from holdfast.supervisor.processes.program import AnyWorker

_QUEUED: Final[tuple[Channel, ...]] = ("shell", "control")
"""Channels on which cells come."""

_ROUNDS = 100
"""Before what goes on coming in counts as sent later: some thousands of cells."""

_IN_VAIN = 4
"""Of these, in which nothing comes though ZeroMQ's thread is at work: it may be busy with output for long."""

_ARRIVING_SECONDS = 0.005
"""For ZeroMQ's thread to take in what has arrived; it takes microseconds, but may have to wait for a core."""


class Turns:
    """The queue in front of the stage."""

    def __init__(
        self,
        settings: Settings,
        loop: Loop,
        stage: Stage,
        lineage: AnyWorker,
        broadcast: Broadcast,
    ) -> None:
        self._queue = Queue(Room(settings.wire))
        self.meanwhile = Meanwhile(loop, self._queue, stage, lineage, broadcast, settings.meanwhile)
        self._stage = stage
        self._lineage = lineage
        self._broadcast = broadcast
        self.on_start: Callable[[Job], None]
        """Told of each job that starts."""
        self.take_in: Callable[[Door, Channel], bool]
        """Reads what has been sent on a channel; whether there was anything."""
        self._threads = IoThreads()

    def enqueue(self, job: Job) -> None:
        """Take a job: it starts at once, or waits its turn. HoldfastError if no more can wait."""
        if job.errand is None:
            self._queue.check_room(job)
        if job.request is not None:
            self._stage.accept(job, starts=self._free() and self._queue.empty)
        self._queue.add(job)
        self.next()
        if job.request is not None and job.count is None:
            self._tell_its_place(job)
        if job.is_question:
            self.meanwhile.consider()

    def resume(self, job: Job) -> None:
        """A cell that another supervisor has accepted waits its turn."""
        self._queue.add(job)

    @property
    def waiting(self) -> list[Job]:
        """Cells that wait, in their order."""
        return self._queue.cells

    def withdraw(self, msg_id: str) -> bool:
        """The cell of that request is not to run: it is answered `aborted`. False if it does not wait."""
        job = self._queue.take_cell(msg_id)
        if job is not None:
            self._stage.replies.abort(job)
        return job is not None

    def next(self) -> None:
        """Start the next job, if the worker is free."""
        if self._free() and (job := self._queue.next()):
            self._stage.start(job)
            self.on_start(job)

    def ended(self, ended: Ended | None) -> None:
        """A job has ended: what that means for the others."""
        if ended is None:
            return
        self.meanwhile.over()
        request = ended.job.request
        if request is not None and ended.by_worker:
            self._lineage.standbys.proven()
        if request is not None and ended.status != "ok" and request.stop_on_error and not request.silent:
            self._abort_what_was_sent()
        self.next()

    def abort_all(self) -> None:
        """Nothing that waits will run: cells are told."""
        self.meanwhile.over()
        for job in self._queue.take_all():
            if job.request is not None:
                self._stage.replies.abort(job)

    def give_up(self, cause: str) -> None:
        """Nobody will finish the job that runs."""
        if self._stage.job is not None:
            self._stage.on_crash(without_a_worker(self._stage.job, cause))

    def give_up_all(self, cause: str) -> None:
        """Nobody will do anything: what runs and what waits gets an error."""
        self.meanwhile.over()
        self.give_up(cause)
        for job in self._queue.take_all():
            self._stage.start(job)
            self.give_up(cause)

    def running_cell(self) -> int | None:
        """Journal id of the cell that runs."""
        job = self._stage.job
        return job.number if job is not None and job.request is not None else None

    def running_code(self) -> str:
        """What that cell says; "" if none does, as none runs or it has not begun."""
        job = self._stage.job
        return job.request.code if job is not None and job.request is not None and self._stage.begun else ""

    def _tell_its_place(self, job: Job) -> None:
        """To who sent it, if that is a client of ours: it waits."""
        if job.door.ours:
            place = notices.Queued(len(self._queue.cells) - 1, self._stage.running)
            self._broadcast.notice(notices.QUEUED, place, Parent(job.message.header_raw, job.number))

    def _free(self) -> bool:
        return self._stage.job is None and self._lineage.state is State.ALIVE

    def _abort_what_was_sent(self) -> None:
        """An error: every cell that was sent before it was known is answered `aborted`."""
        in_vain = 0
        for _ in range(_ROUNDS):
            all_there = self._threads.wait_until_idle(_ARRIVING_SECONDS)
            in_vain += not self._take_in_some()
            if in_vain and (all_there or in_vain == _IN_VAIN):
                break
        for job in self._queue.take_cells():
            self._stage.replies.abort(job)

    def _take_in_some(self) -> bool:
        """Of what was sent and not yet read; whether there was any."""
        took = [self.take_in(door, channel) for door in self._broadcast.doors for channel in _QUEUED]
        return any(took)
