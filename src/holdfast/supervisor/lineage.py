"""Who lives: the template, the live worker, its sleeping standbys; who died, and who takes over.

    STARTING ──Ready──▶ ALIVE ──Died──▶ WAKING ──Woken──▶ ALIVE   (go_back: WAKING, kill: DYING; then Died)
        ▲                                 │ the ladder's next step is a fresh worker
        └──────────── Fork ───────────────┘ (with values: Ready, Load, Loaded ──▶ ALIVE)
    STARTING, and fresh workers die fresh.TRIES times in a row ──▶ PARKED
    any ──leave──▶ LEAVING ──Died, or too late──▶ the owner ends the session

Nothing here knows cells or clients: the owner is told of frames, deaths and returns.
"""

from __future__ import annotations

import contextlib
import enum
import os
from typing import Protocol

from holdfast.link.messages import (
    Died,
    Forked,
    ForkFailed,
    Frame,
    Leave,
    Loaded,
    Loading,
    NoStandby,
    NotLoaded,
    Ready,
    Renew,
    StandbyTaken,
    Start,
    Woken,
)
from holdfast.settings import Settings
from holdfast.supervisor.fresh import Newcomer
from holdfast.supervisor.headroom import is_scarce
from holdfast.supervisor.ladder import Ladder, Refill, Step, Wake
from holdfast.supervisor.live import Live
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.returns import Death, Return
from holdfast.supervisor.standbys import Standby, Standbys
from holdfast.supervisor.template import Template


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

    def on_frame(self, frame: Frame) -> None:
        """The worker said something that is not about processes."""

    def on_death(self, death: Death) -> str | None:
        """The worker is dead; everything it said has been told. The code that ran, "" if none did.

        None: no successor is wanted.
        """

    def on_return(self, back: Return) -> None:
        """A worker is there."""

    def on_left_behind(self) -> None:
        """The worker is dead, as an older state is wanted; everything it said has been told."""

    def on_parked(self) -> None:
        """No worker can be started."""

    def on_left(self) -> None:
        """The worker has left, as it was told to."""


class Lineage:
    """The processes of one session below the supervisor."""

    def __init__(
        self,
        loop: Loop,
        start: Start,
        outputs: tuple[int, int],
        settings: Settings,
        checkpoints: str,
    ) -> None:
        """`start` and `outputs` (stdout, stderr): descriptors of ours. `checkpoints`: a folder."""
        self.state = State.STARTING
        self.standbys = Standbys(loop, settings.standby.keep, self._on_newest_lost)
        self.ladder = Ladder(loop, self.standbys, settings, checkpoints)
        self.refusal: str | None = None  # why the worker could not take its newest standby
        self._owner: Owner
        self._loop = loop
        self._start = start
        self._outputs = outputs
        self._settings = settings
        self._template: Template
        self._worker: Live | None = None
        self._waking: Standby | None = None  # told to wake, has not answered yet
        self._checkpoints = checkpoints
        self._newcomer = Newcomer(checkpoints)
        self._going_back = False  # the worker is killed in favour of the newest standby
        self._deadline = Deadline(loop)  # of a start, a wake or a leave

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker, if there is one."""
        return self._worker.pid if self._worker is not None else None

    def begin(self, owner: Owner) -> None:
        """Start the template and, through it, the first worker, with what is on disk."""
        self._owner = owner
        self._start_template()
        self._take_over()

    def send(self, frame: Frame) -> None:
        """Say something to the worker."""
        if self._worker is not None:
            self._worker.send(frame)

    def interrupt(self) -> None:
        """SIGINT for the worker and what it started."""
        if self._worker is not None:
            self._worker.interrupt()

    def kill(self, why: str | None = None) -> None:
        """Kill the worker; somebody takes over. `why` is the cause that clients read."""
        self.state = State.DYING if why and self.state is State.ALIVE else self.state  # is given no more
        if self._worker is not None:
            self._worker.kill(why)

    def restart(self) -> None:
        """Give the session a fresh worker on purpose: no standby of the old one comes back by itself."""
        self.ladder.stop()
        self.standbys.retire(self._settings.life.undo_restart_seconds)
        self._going_back = False
        self._give_up()
        self._newcomer = Newcomer(self._checkpoints)
        self._fork_fresh()

    def go_back(self, standby: Standby) -> None:
        """Have the idle worker replaced by an older state: `standby` wakes as soon as it is gone."""
        self.standbys.choose(standby)
        self._going_back, self.state = True, State.WAKING
        self.kill()

    def leave(self) -> None:
        """Have the worker leave as Python does, exit handlers and all; `on_left` follows in bounded time."""
        self.ladder.stop()
        self.standbys.drop_all()
        was, self.state = self.state, State.LEAVING
        if was is State.ALIVE and self._worker is not None:
            self._worker.interrupt()
            self._worker.send(Leave())
            self._deadline.set(self._settings.life.stop_seconds, self._owner.on_left)
        else:
            self._owner.on_left()

    def end(self) -> None:
        """End all processes that are left."""
        self._hang_up()
        self._template.end(self._settings.life.stop_seconds)

    def reap(self) -> None:
        """A child of ours has ended. We adopt a dead template's children (subreaper, prctl(2))."""
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if self._template.reap(ended.si_pid):
                    continue
                pid, status, usage = os.wait4(ended.si_pid, 0)
                self._on_died(Died(pid, status, usage.ru_maxrss))

    # The template

    def _start_template(self) -> None:
        self._template = Template(
            self._loop, self._start, self._outputs, self._on_template, self._on_template_gone
        )

    def _on_template(self, message: Frame) -> None:
        if isinstance(message, Forked) and self._worker is not None:
            self._worker.pid = message.pid
        elif isinstance(message, Died):
            self._on_died(message)
        elif isinstance(message, ForkFailed):
            self._on_fresh_failed()

    def _on_template_gone(self) -> None:
        """Somebody killed the template. Worker and standbys are our children now, and live on."""
        self._start_template()
        if self.worker_pid is None:
            self._on_fresh_failed()

    def _fork_fresh(self) -> None:
        self.state = State.STARTING
        self._new_worker().give(self._template.fork)
        self._deadline.set(self._settings.life.start_seconds, self._on_fresh_failed)

    def _on_fresh_failed(self) -> None:
        self._give_up()
        if self._newcomer.failed():
            self._fork_fresh()
        elif self._newcomer.refill is not None:
            self._take_over()
        else:
            self.state = State.PARKED
            self._owner.on_parked()

    # The worker

    def _new_worker(self) -> Live:
        self._hang_up()
        self._worker = Live(self._loop, self._owner.look)
        return self._worker

    def _give_up(self) -> None:
        """Whoever is or may become the worker is not wanted; its end, if it comes, is nobody's any more."""
        self.kill()
        self._hang_up()

    def _hang_up(self) -> None:
        self._deadline.cancel()
        if self._worker is not None:
            self._worker.hang_up()
            self._worker = None

    def listen(self) -> None:
        """Hear what the worker has said."""
        if (worker := self._worker) is not None:
            for frame in worker.heard():
                self._hear(worker, frame)
            worker.end_if_cut_off()

    def _hear(self, worker: Live, frame: Frame) -> None:
        if isinstance(frame, StandbyTaken) and (self._going_back or self.state is State.STARTING):
            os.close(worker.take_fd())  # of the state that is being left, or not there yet
        elif isinstance(frame, StandbyTaken):
            self.refusal = None
            self.ladder.grades.note(self.standbys.add(worker.take_fd(), frame))
            if is_scarce(worker.pid):
                self.standbys.drop_oldest()
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
            self._give_up()
            self._take_over()
        elif isinstance(frame, Woken) and self._waking is not None:
            worker.pid = frame.pid
            self._waking.let_go()
            after, self._waking = self._waking.after, None
            self._arrived(Return("standby", after, frame.not_restored, frame.comms))
        else:
            self._owner.on_frame(frame)

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
        self._owner.on_return(back)

    def _on_died(self, died: Died) -> None:
        worker = self._worker
        if self.standbys.died(died.pid) or worker is None or died.pid != worker.pid:
            return
        death = worker.death(died.status)
        for frame in worker.heard():  # its last words
            self._hear(worker, frame)
        worker.pid = None
        if self.state is State.LEAVING:
            self._owner.on_left()
        elif self.state is State.STARTING:
            self._on_fresh_failed()
        elif self.state is State.WAKING:
            if self._going_back:
                self._owner.on_left_behind()
                self.ladder.begin()
            self._take_over()
        elif (code := self._owner.on_death(death)) is not None:
            self.ladder.crashed(code, on_request=death.asked is not None)
            self._take_over()

    # Who takes over

    def _on_newest_lost(self) -> None:
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
        worker = self._new_worker()
        worker.give(step.standby.wake)
        worker.pid = step.standby.pid
        self._deadline.set(self._settings.standby.wake_seconds, self._on_wake_failed)

    def _on_wake_failed(self) -> None:
        """It does not answer: go on with the next step."""
        self._give_up()
        self._take_over()
