"""An embedded program as the session's worker: a process that is not ours to start, to copy, or to kill.

    STARTING ──Ready──▶ ALIVE ──Left──▶ LEAVING     it goes on without us; the session ends
        └────── it ended, or its link did ──▶ LEAVING     nobody takes over; the session ends, too

It has `Lineage`'s place towards the session, and `holdfast.embed()` is at the other end of the link.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from typing import Protocol

from holdfast.errors import HoldfastError
from holdfast.link.messages import Died, Frame, Leave, Left, NoStandby, Outfit, Ready
from holdfast.processes import lives
from holdfast.settings import Life
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.line import Line
from holdfast.supervisor.processes.lineage import Lineage, Owner, State
from holdfast.supervisor.processes.returns import Death, Return
from holdfast.supervisor.processes.seat import Seat
from holdfast.supervisor.processes.standbys import Standbys
from holdfast.supervisor.succession.bookmark import Bookmark


class Host(Owner, Protocol):
    """The session, which is told some more than by a lineage."""

    def end(self, reason: str) -> None:
        """End the session."""

    def on_gone(self) -> None:
        """After `on_death`: nobody takes over."""


class Program:
    """The process at the other end of `link`."""

    def __init__(self, loop: Loop, link: int, outfit: tuple[int, int, int, int, int], life: Life) -> None:
        """`outfit`: the descriptors that it is sent."""
        self.state = State.STARTING
        self.standbys = Standbys(loop, 0, lambda: None)  # there never is one
        self.refusal: str | None = None  # why there is none
        self.seat = Seat(loop)  # nobody sits there: what a program says is not kept, for nobody can take over
        self._owner: Host
        self._loop = loop
        self._outfit = outfit
        self._life = life
        self._sock = socket.socket(fileno=link)
        self._sock.set_inheritable(False)
        self._line: Line
        self.worker_pid: int | None = _peer(self._sock)
        self._process = os.pidfd_open(self.worker_pid)
        self._deadline = Deadline(loop)  # when the session ends

    def begin(self, owner: Host) -> None:
        """Let it begin: it waits for its outfit."""
        self._owner = owner
        self._line = Line(self._loop, self._sock, owner.look, rests=True)
        self._line.send(Outfit(), *self._outfit)
        self._loop.on_readable(self._process, self._on_ended)

    def adopt(self, owner: Host, mark: Bookmark) -> Died | None:
        """Nobody takes over from who talks to a program, which goes on when its supervisor is gone."""
        raise NotImplementedError

    def resume(self) -> None:
        """See `adopt`."""

    def on_died(self, pid: int, status: int | None) -> None:
        """Its own end is seen by ourselves."""

    def send(self, frame: Frame) -> None:
        """Say something to it."""
        self._line.send(frame)

    def interrupt(self) -> None:
        """SIGINT for it alone: who else is in its process group is its own affair."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._process, signal.SIGINT)

    def kill(self, why: str) -> None:  # noqa: ARG002 - a lineage's signature
        """Refuse: nobody takes over from a program."""
        raise HoldfastError(
            "this session is an embedded program, which nothing could bring back",
            f"kill {self.worker_pid}",
        )

    def restart(self) -> None:
        """Refuse: a program begins where it does."""
        raise HoldfastError("this session is an embedded program, which can't be restarted from here")

    def leave(self) -> None:
        """Let it go on; `on_left` follows in bounded time, also while a cell does not listen."""
        was, self.state = self.state, State.LEAVING
        if was is State.LEAVING:
            self._left_within(0)
            return
        self._owner.interrupt(may_insist=False)
        self.send(Leave())
        self._left_within(self._life.stop_seconds)

    def end(self) -> None:
        """Hang up. If it is still busy, it goes on when it has noticed."""
        self._deadline.cancel()
        self._loop.forget(self._process)
        self._line.close()
        os.close(self._process)

    def reap(self) -> None:
        """It is no child of ours, and we have none."""

    def listen(self) -> None:
        """Hear what it has said."""
        line = self._line
        more = True
        while more:
            for frame in line.heard():
                self._hear(frame)
            more = line.more and not self._owner.has_enough()
        if line.ended and not line.closed:
            line.look_away()
            if lives(self.worker_pid):
                self._gone(severed=True)  # else it is dying, and we are told when it has

    def _hear(self, frame: Frame) -> None:
        if isinstance(frame, NoStandby):
            self.refusal = frame.reason
        elif isinstance(frame, Ready):
            self.state = State.ALIVE
            self._owner.on_return(Return("fresh", notes=frame.notes))
        elif isinstance(frame, Left):
            asked, self.state = self.state is State.LEAVING, State.LEAVING
            if asked:
                self._left_within(0)
            else:
                self._owner.end("exit")
        else:
            self._owner.on_frame(frame)

    def _on_ended(self) -> None:
        self._loop.forget(self._process)
        self.listen()  # its last words
        self._gone(severed=False)

    def _gone(self, *, severed: bool) -> None:
        if self.state is State.LEAVING:
            self._left_within(0)
            return
        self.state = State.LEAVING
        if self._owner.on_death(Death(None, severed, None, time.monotonic())) is not None:
            self._owner.on_gone()

    def _left_within(self, seconds: float) -> None:
        """Never at once: whoever calls us has more to do with what `on_left` closes."""
        self._deadline.set(seconds, self._owner.on_left)


AnyWorker = Lineage | Program
"""Where a session's cells run."""


def _peer(sock: socket.socket) -> int:
    """Process id of who made the link (SO_PEERCRED, unix(7))."""
    credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid: int = struct.unpack("3i", credentials)[0]
    return pid
