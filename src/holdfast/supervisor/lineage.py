"""Who lives: the template, the live worker, its sleeping standbys; who died, and who takes over.

    STARTING ──Ready──▶ ALIVE ──Died──▶ WAKING ──Woken──▶ ALIVE      (go_back: WAKING, and Died follows)
        ▲                                 │ no standby answers
        └──────────── Fork ───────────────┘
    STARTING, and fresh workers die TRIES times in a row ──▶ PARKED
    any ──leave──▶ LEAVING ──Died, or too late──▶ the owner ends the session

Nothing here knows cells or clients: the owner is told of frames, deaths and returns.
"""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from holdfast.link.channel import Channel
from holdfast.link.messages import (
    Died,
    Forked,
    ForkFailed,
    Frame,
    Leave,
    NoStandby,
    Ready,
    Renew,
    StandbyTaken,
    Start,
    Woken,
)
from holdfast.settings import Life
from holdfast.settings import Standby as StandbySettings
from holdfast.supervisor.headroom import is_scarce
from holdfast.supervisor.loop import Loop, Timer
from holdfast.supervisor.standbys import Standby, Standbys
from holdfast.supervisor.template import Template, heard

TRIES = 3
"""Fresh workers that may die before they are ready, in a row: a start-up file that crashes does so again."""

_PF_EXITING = 0x4  # linux/sched.h


class State(enum.Enum):
    """Of the worker."""

    STARTING = "starting"
    ALIVE = "alive"
    WAKING = "waking"
    PARKED = "parked"
    LEAVING = "leaving"


class Death(msgspec.Struct, frozen=True):
    """How a worker ended."""

    status: int | None
    """waitpid(2)'s; None if it was no child of ours, so that nobody told us."""
    severed: bool
    """It lost its link while it lived."""
    asked: str | None
    """Why we killed it, if we did."""
    seen: float
    """time.monotonic() when it was seen."""


class Owner(Protocol):
    """Who is told."""

    def look(self) -> None:
        """The worker has said something: `listen`, in order with its text."""

    def on_frame(self, frame: Frame) -> None:
        """The worker said something that is not about processes."""

    def on_death(self, death: Death) -> bool:
        """The worker is dead; everything it said has been told. Whether a successor is wanted."""

    def on_return(self, level: str, after: int, not_restored: list[str], comms: list[str]) -> None:
        """A worker is there: `fresh`, or a `standby` with the state after cell `after` and these comms."""

    def on_left_behind(self) -> None:
        """The worker is dead, as an older state is wanted; everything it said has been told."""

    def on_parked(self) -> None:
        """No worker can be started."""

    def on_left(self) -> None:
        """The worker has left, as it was told to."""


class Lineage:
    """The processes of one session below the supervisor."""

    def __init__(
        self, loop: Loop, start: Start, outputs: tuple[int, int], life: Life, standby: StandbySettings
    ) -> None:
        """`start` and `outputs` (stdout, stderr) name descriptors of ours that every process inherits."""
        self.state = State.STARTING
        self.worker_pid: int | None = None
        self.standbys = Standbys(loop, standby.keep, self._on_newest_lost)
        self.refusal: str | None = None  # why the worker could not take its newest standby
        self._owner: Owner
        self._loop = loop
        self._start = start
        self._outputs = outputs
        self._life = life
        self._wake_seconds = standby.wake_seconds
        self._tries = 0  # fresh workers that died before they were ready, in a row
        self._template: Template
        self._link: Channel | None = None
        self._waking: Standby | None = None  # told to wake, has not answered yet
        self._severed = False  # the worker lost its link while it lived
        self._asked: str | None = None  # why we killed the worker
        self._going_back = False  # the worker is killed in favour of the newest standby
        self._timer: Timer | None = None  # deadline of a start, a wake or a leave

    def begin(self, owner: Owner) -> None:
        """Start the template and, through it, the first worker."""
        self._owner = owner
        self._start_template()
        self._fork_fresh()

    def send(self, frame: Frame) -> None:
        """Say something to the worker."""
        link = self._link
        if link is not None:
            link.send(frame)
            if link.pending and not link.ended:
                self._loop.on_writable(link.fileno(), self._flush)

    def interrupt(self) -> None:
        """SIGINT for the worker and what it started: its process group, in which no standby is."""
        if self.worker_pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.worker_pid, signal.SIGINT)

    def kill(self, why: str) -> None:
        """Kill the worker; its standby takes over. `why` is the cause that clients read."""
        self._asked = why
        _kill(self.worker_pid)

    def restart(self) -> None:
        """Give the session a fresh worker on purpose: no standby of the old one comes back by itself."""
        self.standbys.retire(self._life.undo_restart_seconds)
        pid, self.worker_pid = self.worker_pid, None
        self._going_back = False
        self._hang_up()
        _kill(pid)
        self._tries = 0
        self._fork_fresh()

    def go_back(self, standby: Standby) -> None:
        """Have the idle worker replaced by an older state: `standby` wakes as soon as it is gone."""
        self.standbys.choose(standby)
        self._going_back, self.state = True, State.WAKING
        _kill(self.worker_pid)

    def leave(self) -> None:
        """Have the worker leave as Python does, exit handlers and all; `on_left` follows in bounded time."""
        self.standbys.drop_all()
        was, self.state = self.state, State.LEAVING
        if was is State.ALIVE and self.worker_pid is not None:
            self.interrupt()
            self.send(Leave())
            self._deadline(self._life.stop_seconds, self._owner.on_left)
        else:
            self._owner.on_left()

    def end(self) -> None:
        """End all processes that are left."""
        self._hang_up()
        self._template.end(self._life.stop_seconds)

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
        if isinstance(message, Forked):
            self.worker_pid = message.pid
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
        self._severed, self._asked = False, None
        with self._new_link() as theirs:
            self._template.fork(theirs)
        self._deadline(self._life.start_seconds, self._on_fresh_failed)

    def _on_fresh_failed(self) -> None:
        pid, self.worker_pid = self.worker_pid, None
        self._hang_up()
        _kill(pid)
        self._tries += 1
        if self._tries < TRIES:
            self._fork_fresh()
        else:
            self.state = State.PARKED
            self._owner.on_parked()

    # The worker

    def _new_link(self) -> socket.socket:
        """Make the link to the next worker; returns the worker's end."""
        self._hang_up()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._link = Channel(ours)
        self._loop.on_readable(ours.fileno(), self._owner.look)
        return theirs

    def _hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._link is not None:
            self._loop.forget(self._link.fileno())
            self._link.close()
            self._link = None

    def _flush(self) -> None:
        link = self._link
        if link is not None:
            link.flush()
            if not link.pending or link.ended:
                self._loop.on_writable(link.fileno(), None)

    def listen(self) -> None:
        """Hear what the worker has said."""
        link = self._link
        if link is None:
            return
        for frame in heard(link):
            self._hear(link, frame)
        if link.ended and self._link is link:
            self._loop.forget(link.fileno())
            # If it lives, it was cut off; else it is dying, and this is how it looks. Seen again after our
            # kill, it is dying too: the first look counts.
            self._severed = self._severed or lives(self.worker_pid)
            _kill(self.worker_pid)

    def _hear(self, link: Channel, frame: Frame) -> None:
        if isinstance(frame, StandbyTaken) and self._going_back:
            os.close(link.take_fd())  # of the state that is being left: it must not be the newest
        elif isinstance(frame, StandbyTaken):
            self.refusal = None
            self.standbys.add(link.take_fd(), frame)
            if is_scarce(self.worker_pid):
                self.standbys.drop_oldest()
        elif isinstance(frame, NoStandby):
            self.refusal = frame.reason
        elif isinstance(frame, Ready):
            self.worker_pid = frame.pid
            self._arrived("fresh", 0, frame.notes, [])
        elif isinstance(frame, Woken) and self._waking is not None:
            self.worker_pid = frame.pid
            self._waking.control.close()
            after, self._waking = self._waking.after, None
            self._arrived("standby", after, frame.not_restored, frame.comms)
        else:
            self._owner.on_frame(frame)

    def _arrived(self, level: str, after: int, notes: list[str], comms: list[str]) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tries = 0
        self.state = State.ALIVE
        self._owner.on_return(level, after, notes, comms)

    def _on_died(self, died: Died) -> None:
        if self.standbys.died(died.pid) or died.pid != self.worker_pid:
            return
        seen = time.monotonic()
        if self._link is not None:
            for frame in heard(self._link):  # its last words
                self._hear(self._link, frame)
        self.worker_pid = None
        if self.state is State.LEAVING:
            self._owner.on_left()
        elif self.state is State.STARTING:
            self._on_fresh_failed()
        elif self.state is State.WAKING:
            if self._going_back:
                self._severed, self._asked = False, None
                self._owner.on_left_behind()
            self._wake_next()
        else:
            death = Death(died.status, self._severed, self._asked, seen)
            self._severed, self._asked = False, None
            if self._owner.on_death(death):
                self._wake_next()

    # Who takes over

    def _on_newest_lost(self) -> None:
        if self.state is State.ALIVE:
            self.send(Renew())

    def _wake_next(self) -> None:
        """Wake the newest standby; when none is left, fork a fresh worker."""
        self.state, self._going_back = State.WAKING, False
        self._waking = self.standbys.take()
        if self._waking is None:
            self._fork_fresh()
            return
        with self._new_link() as theirs:
            self._waking.wake(theirs)
        self.worker_pid = self._waking.pid
        self._deadline(self._wake_seconds, self._on_wake_failed)

    def _on_wake_failed(self) -> None:
        """It does not answer: go on with the next older one. Its end, if it comes, is nobody's any more."""
        pid, self.worker_pid = self.worker_pid, None
        _kill(pid)
        self._wake_next()

    def _deadline(self, seconds: float, call: Callable[[], None]) -> None:
        self._timer = self._loop.later(seconds, call)


def _kill(pid: int | None) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def lives(pid: int | None) -> bool:
    """Whether the process runs and is not on its way out (proc(5), stat: state and flags)."""
    if pid is None:
        return False
    with contextlib.suppress(OSError, IndexError):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0] not in "ZX" and not int(fields[6]) & _PF_EXITING
    return False
