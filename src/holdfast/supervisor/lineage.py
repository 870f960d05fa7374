"""Who lives: the template, the live worker, its sleeping standbys; who died, and who takes over.

    STARTING ──Ready──▶ ALIVE ──Died──▶ WAKING ──Woken──▶ ALIVE
        ▲                                 │ no standby answers
        └──────────── Fork ───────────────┘
    STARTING, and the fresh worker dies `tries` times in a row ──▶ PARKED

Nothing here knows cells or clients: the owner is told of frames, deaths and returns.
"""

from __future__ import annotations

import contextlib
import enum
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from holdfast.errors import LinkError
from holdfast.link.channel import Channel
from holdfast.link.messages import (
    Asleep,
    Died,
    Fork,
    Forked,
    ForkFailed,
    Frame,
    NoStandby,
    Ready,
    StandbyTaken,
    Start,
    Wake,
    Woken,
)
from holdfast.settings import Life
from holdfast.settings import Standby as StandbySettings
from holdfast.supervisor.loop import Loop, Timer

TRIES = 3
"""Fresh workers that may die before they are ready, in a row: a start-up file that crashes does so again."""

_PF_EXITING = 0x4  # linux/sched.h


class State(enum.Enum):
    """Of the worker."""

    STARTING = "starting"
    ALIVE = "alive"
    WAKING = "waking"
    PARKED = "parked"


class Death(msgspec.Struct, frozen=True):
    """How a worker ended."""

    status: int
    """waitpid(2)'s."""
    severed: bool
    """It lost its link while it lived."""
    asked: str | None
    """Why we killed it, if we did."""
    seen: float
    """time.monotonic() when it was seen."""


class Owner(Protocol):
    """Who is told."""

    def on_frame(self, frame: Frame) -> None:
        """The worker said something that is not about processes."""

    def on_death(self, death: Death) -> None:
        """The worker is dead; everything it said has been told. A successor is on its way."""

    def on_return(self, level: str, after: int, not_restored: list[str]) -> None:
        """A worker is there: `fresh`, or a `standby` with the state after cell `after`."""

    def on_parked(self) -> None:
        """No worker can be started."""


class Standby:
    """A sleeping fork."""

    def __init__(self, control: Channel, generation: int, taken: StandbyTaken) -> None:
        self.control = control
        self.generation = generation  # counted from 1 over the session
        self.after = taken.after  # the last cell whose effects it holds
        self.pid: int | None = None  # known once it sleeps
        self.taken_at = time.monotonic()
        self.took_ms = taken.took_ms


class Lineage:
    """The processes of one session below the supervisor."""

    def __init__(
        self, loop: Loop, start: Start, outputs: tuple[int, int], life: Life, standby: StandbySettings
    ) -> None:
        """`start` and `outputs` (stdout, stderr) name descriptors of ours that every process inherits."""
        self.state = State.STARTING
        self.worker_pid: int | None = None
        self.standbys: list[Standby] = []  # oldest first
        self.refusal: str | None = None  # why the worker could not take its newest standby
        self.python_banner = ""
        self._owner: Owner
        self._loop = loop
        self._start = start
        self._outputs = outputs
        self._life = life
        self._settings = standby
        self._generation = 0
        self._tries = 0  # fresh workers that died before they were ready, in a row
        self._link: Channel | None = None
        self._severed = False
        self._asked: str | None = None
        self._timer: Timer | None = None  # deadline of a start or of a wake
        self._template: subprocess.Popen[bytes] | None = None
        self._template_link: Channel

    def begin(self, owner: Owner) -> None:
        """Start the template and, through it, the first worker."""
        self._owner = owner
        self._start_template()
        self._fork_fresh()

    def send(self, frame: Frame) -> None:
        """Say something to the worker."""
        if self._link is not None:
            self._link.send(frame)
            self._watch_outbox(self._link)

    def interrupt(self) -> None:
        """SIGINT for the worker and what it started: its process group, in which no standby is."""
        if self.worker_pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.worker_pid, signal.SIGINT)

    def kill(self, why: str) -> None:
        """Kill the worker; its standby takes over. `why` is the cause that clients read."""
        self._asked = why
        if self.worker_pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.worker_pid, signal.SIGKILL)

    def restart(self) -> None:
        """Give the session a fresh worker on purpose: no standby of the old namespace may come back."""
        for standby in self.standbys[:]:
            self._drop(standby)
        pid, self.worker_pid = self.worker_pid, None
        self._hang_up()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._tries = 0
        self._fork_fresh()

    def end(self) -> None:
        """End all processes: the template takes the worker along, standbys leave by themselves."""
        for standby in self.standbys[:]:
            self._drop(standby)
        self._hang_up()
        if self._template is not None:
            self._loop.forget(self._template_link.fileno())
            self._template_link.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._template.wait(self._life.stop_seconds)
            if self._template.returncode is None:
                self._template.kill()
                self._template.wait()
            self._template = None

    # The template

    def _start_template(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        start = msgspec.structs.replace(self._start, link=theirs.fileno())
        argument = msgspec.json.encode(start).decode()
        self._template = subprocess.Popen(
            [sys.executable, "-P", "-m", "holdfast.worker", argument],
            stdin=subprocess.DEVNULL,
            stdout=self._outputs[0],
            stderr=self._outputs[1],
            pass_fds=(start.link, start.fault, start.ring, start.room),
            start_new_session=True,
        )
        theirs.close()
        self._template_link = Channel(ours)
        self._loop.on_readable(ours.fileno(), self._on_template)

    def _on_template(self) -> None:
        for message in self._heard(self._template_link):
            if isinstance(message, Forked):
                self.worker_pid = message.pid
            elif isinstance(message, Died):
                self._on_died(message)
            elif isinstance(message, ForkFailed):
                self._on_fresh_failed()
        if self._template_link.ended and self._template is not None:
            self._on_template_gone()

    def _on_template_gone(self) -> None:
        """Somebody killed the template, and so our ways to know and to fork. All begins anew."""
        assert self._template is not None
        self._loop.forget(self._template_link.fileno())
        self._template_link.close()
        self._template.wait()
        pid = self.worker_pid
        self._start_template()
        if pid is not None and self.state is State.ALIVE:
            self.kill("its template was killed")
        if pid is not None:
            self._on_died(Died(pid, signal.SIGKILL, 0))
        else:
            self._on_fresh_failed()

    def _fork_fresh(self) -> None:
        self.state = State.STARTING
        self._severed, self._asked = False, None
        self._template_link.send(Fork(), self._new_link())
        self._close_theirs()
        self._deadline(self._life.start_seconds, self._on_fresh_failed)

    def _on_fresh_failed(self) -> None:
        self._hang_up()
        self._tries += 1
        if self._tries < TRIES:
            self._fork_fresh()
        else:
            self.state = State.PARKED
            self._owner.on_parked()

    # The worker

    def _new_link(self) -> int:
        """Make the link to the next worker; returns the worker's end, which `_close_theirs` closes."""
        self._hang_up()
        ours, self._theirs = socket.socketpair()
        ours.setblocking(False)
        self._link = Channel(ours)
        self._loop.on_readable(ours.fileno(), self._on_link)
        return self._theirs.fileno()

    def _close_theirs(self) -> None:
        self._theirs.close()

    def _hang_up(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._link is not None:
            self._loop.forget(self._link.fileno())
            self._link.close()
            self._link = None

    def _watch_outbox(self, link: Channel) -> None:
        def flush() -> None:
            link.flush()
            if not link.pending:
                self._loop.on_writable(link.fileno(), None)

        if link.pending and not link.ended:
            self._loop.on_writable(link.fileno(), flush)

    def _on_link(self) -> None:
        link = self._link
        if link is None:
            return
        for frame in self._heard(link):
            self._hear(link, frame)
        if link.ended and self._link is link:
            self._on_link_ended()

    def _heard(self, channel: Channel) -> list[Frame]:
        try:
            return channel.receive()
        except LinkError:
            channel.ended = True  # it speaks nonsense: whoever it is, it is not a worker any more
            return []

    def _hear(self, link: Channel, frame: Frame) -> None:
        if isinstance(frame, StandbyTaken):
            self._on_standby(link, frame)
        elif isinstance(frame, NoStandby):
            self.refusal = frame.reason
        elif isinstance(frame, Ready):
            self.python_banner = frame.banner
            self._arrived("fresh", 0, frame.notes)
        elif isinstance(frame, Woken):
            self.worker_pid = frame.pid
            self._waking.control.close()
            self._arrived("standby", self._waking.after, frame.not_restored)
        self._owner.on_frame(frame)

    def _arrived(self, level: str, after: int, notes: list[str]) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._tries = 0
        self.state = State.ALIVE
        self._owner.on_return(level, after, notes)

    def _on_link_ended(self) -> None:
        """The worker closed its link. Dying, mostly; if it lives on it is of no use to anybody."""
        assert self._link is not None
        self._loop.forget(self._link.fileno())
        self._severed = _lives(self.worker_pid)
        if self.worker_pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.worker_pid, signal.SIGKILL)

    def _on_died(self, died: Died) -> None:
        for standby in self.standbys:
            if standby.pid == died.pid:
                self._drop(standby)
                return
        if died.pid != self.worker_pid:
            return
        seen = time.monotonic()
        if self._link is not None:
            for frame in self._heard(self._link):  # its last words
                self._hear(self._link, frame)
        self.worker_pid = None
        if self.state is State.STARTING:
            self._on_fresh_failed()
        elif self.state is State.WAKING:
            self._wake_next()
        else:
            death = Death(died.status, self._severed, self._asked, seen)
            self._severed, self._asked = False, None
            self.state = State.WAKING
            self._owner.on_death(death)
            self._wake_next()

    # The standbys

    def _on_standby(self, link: Channel, taken: StandbyTaken) -> None:
        control = Channel(socket.socket(fileno=link.take_fd()))
        control.sock.setblocking(False)
        self._generation += 1
        standby = Standby(control, self._generation, taken)
        self.refusal = None
        self.standbys.append(standby)
        self._loop.on_readable(control.fileno(), lambda: self._on_control(standby))
        while len(self.standbys) > self._settings.keep:
            self._drop(self.standbys[0])

    def _on_control(self, standby: Standby) -> None:
        for message in self._heard(standby.control):
            if isinstance(message, Asleep):
                standby.pid = message.pid
        if standby.control.ended and standby in self.standbys:
            self._drop(standby)

    def _drop(self, standby: Standby) -> None:
        """Let a standby go: it sees its control socket closed and ends."""
        self.standbys.remove(standby)
        self._loop.forget(standby.control.fileno())
        standby.control.close()

    def _wake_next(self) -> None:
        """Wake the newest standby; when none is left, fork a fresh worker."""
        self.state = State.WAKING
        if not self.standbys:
            self._fork_fresh()
            return
        standby = self._waking = self.standbys.pop()
        self._loop.forget(standby.control.fileno())
        standby.control.send(Wake(), self._new_link())
        self._close_theirs()
        for message in self._heard(standby.control):
            if isinstance(message, Asleep):
                standby.pid = message.pid
        self.worker_pid = standby.pid
        self._deadline(self._settings.wake_seconds, self._on_wake_failed)

    def _on_wake_failed(self) -> None:
        if self.worker_pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.worker_pid, signal.SIGKILL)
        else:
            self._wake_next()

    def _deadline(self, seconds: float, call: Callable[[], None]) -> None:
        self._timer = self._loop.later(seconds, call)


def _lives(pid: int | None) -> bool:
    """Whether the process runs and is not on its way out (proc(5), stat: state and flags)."""
    if pid is None:
        return False
    with contextlib.suppress(OSError, IndexError):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0] not in "ZX" and not int(fields[6]) & _PF_EXITING
    return False
