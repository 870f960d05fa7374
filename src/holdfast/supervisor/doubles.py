"""A double as the supervisor sees it: a disposable copy of a standby that serves on a link of its own.

Whoever needs one makes it, asks over it, and lets it go. Nobody waits for it longer than they said.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable

from holdfast.link.channel import Channel
from holdfast.link.messages import Frame, Lent
from holdfast.supervisor.loop import Loop, Timer
from holdfast.supervisor.standbys import Standby
from holdfast.supervisor.template import heard


class Double:
    """Of `standby`; there from the first moment on, as what is said waits for it."""

    def __init__(
        self, loop: Loop, standby: Standby, on_frame: Callable[[Frame], None], on_end: Callable[[], None]
    ) -> None:
        """`on_frame` is told what it says, `on_end` that it is gone without having been let go."""
        self._loop = loop
        self._on_frame = on_frame
        self._on_end = on_end
        self._pid: int | None = None
        self._deadline: Timer | None = None
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._link = Channel(ours)
        with theirs:
            standby.lend(theirs)
        loop.on_readable(ours.fileno(), self._listen)

    def send(self, frame: Frame, seconds: float) -> None:
        """Ask it something. Unless `answered` or let go within so many seconds, it is gone."""
        link = self._link
        link.send(frame)
        if link.pending and not link.ended:
            self._loop.on_writable(link.fileno(), self._flush)
        self.answered()
        self._deadline = self._loop.later(seconds, self._gone)

    def answered(self) -> None:
        """What was asked is answered: there is no hurry any more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def let_go(self) -> None:
        """It is not needed any more: it ends at once, whatever it is doing."""
        self.answered()
        if self._link.fileno() >= 0:
            self._loop.forget(self._link.fileno())
            self._link.close()
            if self._pid is not None:  # else it ends when it finds its link closed
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)

    def _listen(self) -> None:
        link = self._link
        for frame in heard(link):
            if isinstance(frame, Lent):
                self._pid = frame.pid
            elif link.fileno() >= 0:  # else it was let go on account of what it said before
                self._on_frame(frame)
        if link.ended and link.fileno() >= 0:
            self._gone()

    def _gone(self) -> None:
        self.let_go()
        self._on_end()

    def _flush(self) -> None:
        self._link.flush()
        if not self._link.pending or self._link.ended:
            self._loop.on_writable(self._link.fileno(), None)
