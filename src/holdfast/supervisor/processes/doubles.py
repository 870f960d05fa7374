"""A double as the supervisor sees it: a disposable copy of a standby that serves on a link of its own.

Whoever needs one makes it, asks over it, and lets it go. Nobody waits for it longer than they said.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable

import msgspec

from holdfast.errors import HoldfastError
from holdfast.link.messages import Frame, LeftBehind, Lent
from holdfast.supervisor.loop import Deadline, Loop
from holdfast.supervisor.processes.line import Line
from holdfast.supervisor.processes.standbys import Standby


class Double:
    """Of `standby`; there from the first moment on, as what is said waits for it."""

    def __init__(
        self, loop: Loop, standby: Standby, on_frame: Callable[[Frame], None], on_end: Callable[[str], None]
    ) -> None:
        """`on_frame` is told what it says, `on_end` how it has gone without having been let go."""
        self._on_frame = on_frame
        self._on_end = on_end
        self.left = LeftBehind()  # what it has not, of what the worker had
        self._pid: int | None = None
        self._deadline = Deadline(loop)
        self._unmade = Deadline(loop)
        self._line: Line | None = None
        try:
            self._borrow(loop, standby)
        except OSError as error:  # no descriptors: that is said as if it had ended at once
            why = f"no copy could be made: {error.strerror}"
            self._unmade.set(0, lambda: self._gone(why))

    def _borrow(self, loop: Loop, standby: Standby) -> None:
        tether, self._tether = os.pipe2(os.O_CLOEXEC)  # ours is closed by our own end, too
        try:
            self._line, theirs = Line.pair(loop, self._listen)
        except OSError:
            os.close(self._tether)
            raise
        else:
            with theirs:
                standby.lend(theirs, tether)
        finally:
            os.close(tether)

    def send(self, frame: Frame, seconds: float) -> None:
        """Ask it something. Unless `answered` or let go within so many seconds, it is gone."""
        if self._line is not None:
            self._line.send(frame)
        self.within(seconds)

    def within(self, seconds: float) -> None:
        """It is heard of within so many seconds from now, or is gone."""
        self._deadline.set(seconds, lambda: self._gone(f"it took more than {seconds:g} s"))

    def answered(self) -> None:
        """What was asked is answered: there is no hurry any more."""
        self._deadline.cancel()

    def let_go(self) -> None:
        """It is not needed any more: it ends at once, whatever it is doing."""
        self.answered()
        self._unmade.cancel()
        if self._line is not None and not self._line.closed:
            self._line.close()
            os.close(self._tether)
            if self._pid is not None:  # else it ends when it finds its link closed
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)

    def _listen(self) -> None:
        line = self._line
        assert line is not None
        for frame in line.heard():
            if isinstance(frame, Lent):
                self._pid, self.left = frame.pid, frame.left
            elif not line.closed:  # else it was let go on account of what it said before
                self._take(frame)
        if line.ended and not line.closed:
            self._gone("its copy ended" if self._pid is not None else "no copy of it could be made")

    def _take(self, frame: Frame) -> None:
        try:
            self._on_frame(frame)
        except (HoldfastError, msgspec.MsgspecError) as error:  # the user's code runs in it, too
            self._gone(f"its copy spoke nonsense: {error}")

    def _gone(self, how: str) -> None:
        self.let_go()
        self._on_end(how)
