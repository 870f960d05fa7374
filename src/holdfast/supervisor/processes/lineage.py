"""Who lives: the template, the live worker, its sleeping standbys; who died, and who takes over.

    STARTING ──Ready──▶ ALIVE ──Died──▶ WAKING ──Woken──▶ ALIVE   (go_back: WAKING, kill: DYING; then Died)
        ▲                                 │ the ladder's next step is a fresh worker
        └──────────── Fork ───────────────┘ (with values: Ready, Load, Loaded ──▶ ALIVE)
    STARTING, and fresh workers die fresh.TRIES times in a row ──▶ PARKED
    any ──leave──▶ LEAVING ──Died, or too late──▶ the owner ends the session

Nothing here knows cells or clients: the owner is told of frames, deaths and returns.
"""

from __future__ import annotations

import enum
from typing import Protocol

from holdfast.errors import LinkError
from holdfast.link.messages import (
    FRESH,
    Died,
    Forked,
    ForkFailed,
    Frame,
    Leave,
    Loaded,
    Loading,
    NoStandby,
    NotLoaded,
    Orphan,
    Ready,
    Renew,
    StandbyTaken,
    Woken,
)
from holdfast.settings import Settings
from holdfast.supervisor.aftermath.ladder import Ladder, Refill, Step, Wake
from holdfast.supervisor.aftermath.recovery import cause_of
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.fresh import Newcomer
from holdfast.supervisor.processes.live import Live
from holdfast.supervisor.processes.nursery import Nursery
from holdfast.supervisor.processes.returns import Death, Return
from holdfast.supervisor.processes.seat import Seat
from holdfast.supervisor.processes.standbys import Standby, Standbys, dismiss
from holdfast.supervisor.succession.bookmark import Bookmark
from holdfast.supervisor.travel.branches import Branches
from holdfast.supervisor.travel.budget import Budget

NO_DESCRIPTOR = "no descriptor is left to reach it by (ulimit -n)"
STANDBY_ENDED = "the one that held it has ended by itself"


class State(enum.Enum):
    """Of the worker."""

    STARTING = "starting"
    ALIVE = "alive"
    DYING = "dying"
    WAKING = "waking"
    PARKED = "parked"
    LEAVING = "leaving"


class Owner(Protocol):
    """Who is told."""

    def look(self) -> None:
        """The worker has said something: `listen`, in order with its text."""

    def has_enough(self) -> bool:
        """Whether nothing more can be heard of it for now."""

    def on_frame(self, frame: Frame) -> None:
        """The worker said something that is not about processes."""

    def on_death(self, death: Death) -> str | None:
        """The worker is dead; everything it said has been told. The code that ran, "" if none did.

        None: no successor is wanted.
        """

    def on_return(self, back: Return) -> None:
        """A worker is there."""

    def interrupt(self, *, may_insist: bool) -> None:
        """Interrupt the running cell, if one runs; `may_insist`: who asks has no other way to force."""

    def on_left_behind(self) -> None:
        """The worker is dead, as an older state is wanted; everything it said has been told."""

    def on_parked(self) -> None:
        """No worker can be started."""

    def on_left(self) -> None:
        """The worker has left, as it was told to."""


class Lineage:
    """The processes of one session below the supervisor."""

    def __init__(self, loop: Loop, nursery: Nursery, settings: Settings, checkpoints: str) -> None:
        """`checkpoints`: a folder."""
        self.state = State.STARTING
        self.standbys = Standbys(loop, settings.standby.keep, self._on_newest_lost)
        self.branches = Branches(loop, settings, self.standbys)
        self.budget = Budget(loop, settings.standby, self.standbys, self.branches, lambda: self.worker_pid)
        self.ladder = Ladder(loop, self.standbys, settings, checkpoints)
        self.refusal: str | None = None  # why the worker could not take its newest standby
        self._owner: Owner
        self._settings = settings
        self._nursery = nursery
        self.reap, self.seat = nursery.reap, Seat(loop)
        self.send, self.interrupt = self.seat.send, self.seat.interrupt
        self._waking: Standby | None = None  # told to wake, has not answered yet
        self._awaited: int | None = None  # the last cell that it holds
        self._checkpoints = checkpoints
        self._newcomer = Newcomer(checkpoints)
        self._going_back = False  # the worker is killed in favour of the newest standby
        self._deadline = Deadline(loop)  # of a start, a wake or a leave

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, if there is one."""
        return self.seat.pid

    def begin(self, owner: Owner) -> None:
        """Start the template and, through it, the first worker, with what is on disk."""
        self._owner = owner
        self._nursery.begin(self)
        self._take_over()

    def adopt(self, owner: Owner, mark: Bookmark) -> Died | None:
        """Go on with the processes that there are; `mark`: what was written down of the worker last.

        How that worker has died, if it has: `on_died` does what follows. `resume`: there was none yet.
        """
        found, self._owner = self._nursery.inheritance, owner
        assert found is not None
        self._nursery.begin(self)
        for control, orphan in found.orphans:
            self._take_in(control, orphan)
        if found.link is not None:
            if self.seat.take_over(found.link, found.pid, mark, owner.look):
                self.state = State.ALIVE
            elif found.after != FRESH:
                self._await_woken(found.after)
        self._nursery.watch(self.worker_pid)
        return found.deaths.get(mark.pid or 0)

    def resume(self) -> None:
        """There is no worker: find one, from the bottom of the ladder."""
        self._give_up()
        self.ladder.begin()
        self._take_over()

    def kill(self, why: str | None = None) -> None:
        """Kill the worker; somebody takes over. `why` is the cause that clients read."""
        self.state = State.DYING if why and self.state is State.ALIVE else self.state  # is given no more
        self.seat.kill(why)

    def restart(self) -> None:
        """Give the session a fresh worker on purpose. The standbys of the old one have been retired."""
        self.ladder.stop()
        self._give_up()
        self._going_back, self._newcomer = False, Newcomer(self._checkpoints)
        self._fork_fresh()

    def go_back(self, target: Standby | Refill, since: int) -> None:
        """Have the idle worker replaced by another state, without the cells from number `since` on."""
        self.ladder.aim(target, since)
        self._going_back, self.state = True, State.WAKING
        self.kill()

    def leave(self) -> None:
        """Have the worker leave as Python does, exit handlers and all; `on_left` follows in bounded time."""
        self.ladder.stop()
        self._nursery.farewell()
        self.budget.drop_all()
        was, self.state = self.state, State.LEAVING
        if was is State.ALIVE and self.seat.worker is not None:
            self._owner.interrupt(may_insist=False)  # a cell that runs; what users have started goes on
            self.send(Leave())
            self._deadline.set(self._settings.life.stop_seconds, self._owner.on_left)
        else:
            self._owner.on_left()

    def end(self) -> None:
        """End all processes that are left."""
        self._deadline.cancel()
        self.seat.clear()
        self._nursery.end(self._settings.life.stop_seconds)

    def on_template(self, message: Frame) -> None:
        """The template said something."""
        if isinstance(message, Forked) and self.seat.worker is not None:
            self.seat.worker.pid = message.pid
        elif isinstance(message, ForkFailed):
            self._on_fresh_failed()
        elif isinstance(message, Orphan) and (control := _descriptor(self._nursery)) is not None:
            self._take_in(control, message)  # else it waits for another supervisor

    def on_template_renewed(self) -> None:
        """Another template is there."""
        if (worker := self.seat.worker) is not None and worker.pid is not None:
            self._nursery.keep(worker, FRESH)
            self._nursery.watch(worker.pid)
        else:
            self._on_fresh_failed()

    def _take_in(self, control: int, orphan: Orphan) -> None:
        """A standby that was another supervisor's. One from before a restart is of no use to us."""
        if orphan.life == self._nursery.life and self.state not in (State.PARKED, State.LEAVING):
            taken = StandbyTaken(0, orphan.after, orphan.pid, 0.0, orphan.fingerprint, orphan.taken)
            self.ladder.grades.note(self.standbys.add(control, taken))
        else:
            dismiss(control)

    def _fork_fresh(self) -> None:
        self.state = State.STARTING
        self._nursery.fork(self.seat.new(self._owner.look))
        self._deadline.set(self._settings.life.start_seconds, self._on_fresh_failed)

    def _on_fresh_failed(self) -> None:
        self._give_up()
        if self._newcomer.failed():
            self._fork_fresh()
        elif self._newcomer.refill is not None:
            self._slip("no fresh interpreter came to an end with them")
        else:
            self.state = State.PARKED
            self._owner.on_parked()

    def _give_up(self) -> None:
        """Whoever is or may become the worker is not wanted; its end, if it comes, is nobody's any more."""
        self.kill()
        self._deadline.cancel()
        self.seat.clear()

    def listen(self) -> None:
        """Hear what the worker has said."""
        if (worker := self.seat.worker) is not None:
            for frame in worker.heard(self._owner.has_enough):
                self._hear(worker, frame)
            worker.end_if_cut_off()

    def _hear(self, worker: Live, frame: Frame) -> None:
        if isinstance(frame, StandbyTaken):
            self._on_taken(worker, frame)
        elif isinstance(frame, NoStandby):
            self.refusal = frame.reason
        elif isinstance(frame, Ready):
            worker.pid = frame.pid
            self._on_ready(frame)
        elif isinstance(frame, Loading):
            self._newcomer.loads(frame.name)
            self._deadline.set(self._settings.life.load_seconds, self._on_fresh_failed)
        elif isinstance(frame, Loaded):
            self._arrived(self._newcomer.loaded(frame))
        elif isinstance(frame, NotLoaded):
            self._slip(frame.what, some=frame.some)
        elif isinstance(frame, Woken) and self._awaited is not None:
            worker.pid = frame.pid
            if self._waking is not None:
                self._waking.risen()
            after, self._awaited, self._waking = self._awaited, None, None
            self._arrived(Return("standby", after, left=frame.left, comms=frame.comms))
        else:
            self._owner.on_frame(frame)

    def _on_taken(self, worker: Live, taken: StandbyTaken) -> None:
        if (control := _descriptor(worker)) is None:
            self.refusal = NO_DESCRIPTOR
            return
        if self._going_back or self.state is State.STARTING:  # of a state that is left, or not there yet
            dismiss(control)
            return
        self.refusal = None
        self.ladder.grades.note(self.standbys.add(control, taken))
        self.budget.look()

    def _on_ready(self, ready: Ready) -> None:
        then = self._newcomer.ready(ready)
        if isinstance(then, Return):
            self._arrived(then)
        else:
            self.send(then)
            self._deadline.set(self._settings.life.load_seconds, self._on_fresh_failed)

    def _arrived(self, back: Return) -> None:
        self._deadline.cancel()
        self.state = State.ALIVE
        self._nursery.watch(self.worker_pid)
        self._owner.on_return(self.ladder.climbed(back))

    def on_died(self, pid: int, status: int | None) -> None:
        """A process has ended, with waitpid(2)'s status, if that is known."""
        worker = self.seat.worker
        if self.standbys.died(pid) or worker is None or pid != worker.pid:
            return
        death = worker.death(status)
        for frame in worker.heard():  # its last words
            self._hear(worker, frame)
        worker.pid = None
        if self.state is State.LEAVING:
            self._owner.on_left()
        elif self.state is State.STARTING:
            self._on_fresh_failed()
        elif self.state is State.WAKING and self._going_back:
            self._owner.on_left_behind()
            self._take_over()
        elif self.state is State.WAKING:
            self._slip(f"it ended on the way: {cause_of(status)}")
        elif (code := self._owner.on_death(death)) is not None:
            self.ladder.crashed(code, on_request=death.asked is not None)
            self._take_over()

    def _on_newest_lost(self) -> None:
        self.refusal = STANDBY_ENDED  # until there is another one
        if self.state is State.ALIVE:
            self.send(Renew())

    def _take_over(self) -> None:
        """The next step of the ladder."""
        self.state, self._going_back = State.WAKING, False
        self.ladder.climb(self._step)

    def _step(self, step: Step) -> None:
        if not isinstance(step, Wake):
            self._newcomer = Newcomer(self._checkpoints, step if isinstance(step, Refill) else None)
            self._fork_fresh()
            return
        self._waking = step.standby
        worker = self.seat.new(self._owner.look)
        worker.pid = step.standby.pid
        self._nursery.keep(worker, step.standby.after)
        worker.give(step.standby.wake)
        self._await_woken(step.standby.after)

    def _await_woken(self, after: int) -> None:
        self.state, self._awaited = State.WAKING, after
        self._deadline.set(self._settings.standby.wake_seconds, lambda: self._slip("it did not wake in time"))

    def _slip(self, why: str, *, some: bool = False) -> None:
        """The last step did not hold: go on with the next."""
        self.ladder.slipped(why, some=some)
        self._give_up()
        self._take_over()


def _descriptor(of: Live | Nursery) -> int | None:
    """The one that came along; None if we could have no more (recvmsg(2) leaves it away then)."""
    try:
        return of.take_fd()
    except LinkError:
        return None
