"""The live worker as the supervisor sees it: a process, the line to it, and what is known of its end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable

from holdfast.link.messages import Frame
from holdfast.supervisor.line import Line
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.returns import Death

_PF_EXITING = 0x4  # linux/sched.h


class Live:
    """One worker, from the moment on when it is made or woken."""

    def __init__(self, loop: Loop, look: Callable[[], None]) -> None:
        """`look` is called when it has said something; its end of the line is `theirs`, to be given away."""
        self.pid: int | None = None
        self._line, self.theirs = Line.pair(loop, look)
        self._severed = False  # it lost its link while it lived
        self._asked: str | None = None  # why we killed it

    def send(self, frame: Frame) -> None:
        """Say something to it."""
        self._line.send(frame)

    def heard(self) -> list[Frame]:
        """What it has said."""
        return self._line.heard()

    def take_fd(self) -> int:
        """The next descriptor that came along; the caller owns it."""
        return self._line.take_fd()

    def give(self, to: Callable[[socket.socket], None]) -> None:
        """Have `to` send its end of the line to it."""
        with self.theirs:
            to(self.theirs)

    def interrupt(self) -> None:
        """SIGINT for it and what it started: its process group, in which no standby is."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGINT)

    def kill(self, why: str | None = None) -> None:
        """End it at once; `why` is the cause that clients read."""
        self._asked = why or self._asked
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def end_if_cut_off(self) -> None:
        """If its line has ended, no more will be heard of it: it is dying, or must."""
        if self._line.ended and not self._line.closed:
            self._line.look_away()
            # If it lives, it was cut off; else it is dying, and this is how it looks. Seen again after our
            # kill, it is dying too: the first look counts.
            self._severed = self._severed or lives(self.pid)
            self.kill()

    def death(self, status: int | None) -> Death:
        """It has died with this wait status."""
        return Death(status, self._severed, self._asked, time.monotonic())

    def hang_up(self) -> None:
        """Nothing more is wanted of it."""
        self._line.close()


def lives(pid: int | None) -> bool:
    """Whether the process runs and is not on its way out (proc(5), stat: state and flags)."""
    if pid is None:
        return False
    with contextlib.suppress(OSError, IndexError):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0] not in "ZX" and not int(fields[6]) & _PF_EXITING
    return False
