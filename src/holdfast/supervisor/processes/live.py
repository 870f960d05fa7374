"""The live worker as the supervisor sees it: a process, the line to it, and what is known of its end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator

from holdfast.link.messages import Frame, StandbyTaken
from holdfast.processes import lives
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.line import Line
from holdfast.supervisor.processes.returns import Death

CROWD = 64
"""Messages that may wait in the link for a commit: the kernel counts some 1 KB for each, and takes 200 KB."""


class Live:
    """One worker, from the moment on when it is made, woken or taken over.

    What it says stays in the link until `take_off`. Links are numbered, and messages on each: a supervisor
    that takes over passes over what was written down before it.
    """

    def __init__(self, line: Line, link: int, theirs: socket.socket | None = None) -> None:
        """`theirs`: its end of the line, to be given away."""
        self.pid: int | None = None
        self.link = link
        self.said = 0  # number of the last message that was heard
        self._line = line
        self._theirs = theirs
        self._known = 0  # up to this one it was written down before us
        self._severed = False  # it lost its link while it lived
        self._asked: str | None = None  # why we killed it

    @classmethod
    def new(cls, loop: Loop, look: Callable[[], None], link: int) -> Live:
        """One that is about to be; `look` is called when it has said something."""
        line, theirs = Line.pair(loop, look, keeps=True)
        return cls(line, link, theirs)

    @classmethod
    def taken_over(cls, loop: Loop, look: Callable[[], None], link: int, fd: int, known: int) -> Live:
        """One that another supervisor had; `known`: what it said up to there is written down."""
        worker = cls(Line(loop, socket.socket(fileno=fd), look, keeps=True), link)
        worker.said = worker._known = known
        return worker

    def send(self, frame: Frame) -> None:
        """Say something to it."""
        self._line.send(frame)

    def heard(self, enough: Callable[[], bool] = lambda: False) -> Iterator[Frame]:
        """What it has said; if that is much, only until it is `enough`."""
        more = True
        while more:
            for number, frame in self._line.numbered():
                if self._line.closed:  # on account of what it said before; the descriptors are closed, too
                    return
                if number <= self._known and not isinstance(frame, StandbyTaken):
                    for _ in range(frame.FDS):
                        os.close(self._line.take_fd())
                    continue
                self.said = max(number, self.said)
                yield frame
            more = not self._line.closed and self._line.more and not enough()

    @property
    def crowded(self) -> bool:
        """Much of what it has said waits to be taken off: it can't say much more."""
        return self._line.seen >= CROWD

    def take_off(self) -> None:
        """All that was heard is written down, as far as that matters."""
        if not self._line.closed:
            self._line.take_off(self.said)

    def fileno(self) -> int:
        """Our end of the line."""
        return self._line.fileno()

    def take_fd(self) -> int:
        """The next descriptor that came along; the caller owns it."""
        return self._line.take_fd()

    def give(self, to: Callable[[socket.socket], None]) -> None:
        """Have `to` send its end of the line to it."""
        assert self._theirs is not None
        with self._theirs:
            to(self._theirs)

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
