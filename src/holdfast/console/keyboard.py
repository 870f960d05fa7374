"""The keys before anybody reads them: kept as they are typed, not shown, until a prompt takes them.

The terminal's modes are those that prompt_toolkit sets for its prompts, so that it finds nothing to change:
what was typed waits in the terminal's own buffer (n_tty's, 4 kB), Ctrl-C and its likes as keys among others.
"""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from types import FrameType, TracebackType
from typing import Any, Self

_IFLAG, _LFLAG, _CC = 0, 3, 6  # places in what tcgetattr returns (termios(3))

_KEYS = termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR
_LINES = termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG

_DEADLY = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP)
"""They would end us before we could give the terminal back. SIGINT is an exception in Python anyway."""


class Keyboard:
    """Of the terminal on standard input; for a `with` block, at whose end it is as it was before `hold`."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def hold(self) -> None:
        """Keep what is typed from now on. OSError or termios.error if there is no terminal."""
        before = termios.tcgetattr(0)
        keeping = termios.tcgetattr(0)
        keeping[_LFLAG] &= ~_LINES
        keeping[_IFLAG] &= ~_KEYS
        keeping[_CC][termios.VMIN] = 1
        self._before = before
        for number in _DEADLY:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._die)
        termios.tcsetattr(0, termios.TCSANOW, keeping)  # not TCSAFLUSH: what is typed already counts

    def release(self) -> None:
        """The terminal is as it was: a prompt has read, and sets its modes itself from now on."""
        before, self._before = self._before, None
        if before is None:
            return
        with contextlib.suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(0, termios.TCSANOW, before)
        for number in _DEADLY:
            if signal.getsignal(number) == self._die:
                signal.signal(number, signal.SIG_DFL)

    def _die(self, number: int, _frame: FrameType | None) -> None:
        self.release()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
