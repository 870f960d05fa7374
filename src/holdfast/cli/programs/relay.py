"""Signals that we get while a program runs are for the program: what it makes of them is its affair.

Of Ctrl-C `output.finish` hears first, wherever it waits.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""They end a program that does nothing about them."""

_DYING = (*_ENDING, signal.SIGINT)


class Relay:
    """Takes the signals while the block lasts. Before there is a program, those that would end us do."""

    def __init__(self) -> None:
        self._group = 0  # of the program's processes; 0: there is none
        self.passed: set[int] = set()
        """What the program was sent."""
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup(1)
                self._before[number] = signal.signal(number, self._end)
        self._before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._pass_on)
        self._before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, self._stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def begin(self, worker: int) -> None:
        """The program runs in this process, which leads its group."""
        self._group = worker

    def over(self) -> None:
        """It runs no more."""
        self._group = 0

    def interrupt(self, otherwise: Callable[[], object]) -> None:
        """Ctrl-C, for all of the program as its terminal would have it; `otherwise`: it has not begun."""
        self.passed.add(signal.SIGINT)
        if not self._group:
            otherwise()
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._group, signal.SIGINT)

    def die_as_it_did(self, status: int) -> None:
        """If a signal has ended the program, that was meant for us: a shell's loop ends at Ctrl-C by that."""
        number = status - 128
        if number in self.passed and number in _DYING:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    def _end(self, number: int, frame: FrameType | None) -> None:
        if not self._group:
            raise SystemExit(128 + number)
        self._pass_on(number, frame)

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if self._group:
            self.passed.add(number)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._group, number)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: the program stands still with us, and goes on with us."""
        with contextlib.suppress(ProcessLookupError):
            if self._group:
                os.killpg(self._group, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        with contextlib.suppress(ProcessLookupError):
            if self._group:
                os.killpg(self._group, signal.SIGCONT)
