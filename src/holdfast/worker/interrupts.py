"""What SIGINT does to the worker. Nothing here knows cells but by the one callback it is given.

Between cells nothing; in Python code KeyboardInterrupt, as users know it; while the loop waits for an
awaiting cell, that cell's task is cancelled; while a message is half sent, the interrupt waits for its end.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType


class Interrupts:
    """The SIGINT handler of the worker's main thread."""

    def __init__(self) -> None:
        self.sending = 0  # how many sends the main thread is inside of: a torn message would end the link
        self._pending = False  # a SIGINT came during a send
        self._cancel: Callable[[], object] | None = (
            None  # cancels the running cell's task; None between cells
        )

    def install(self) -> None:
        """Take over SIGINT. Call in the main thread."""
        signal.signal(signal.SIGINT, self._handle)

    def begin(self, cancel: Callable[[], object]) -> None:
        """A cell runs from here on: SIGINT is for it."""
        self._pending = False
        self._cancel = cancel

    def end(self) -> None:
        """No cell runs: a SIGINT that comes late is for nobody."""
        self._cancel = None
        self._pending = False

    def sent(self) -> None:
        """A send of the main thread is over: raise the KeyboardInterrupt that had to wait for it."""
        self.sending -= 1
        if self._pending and not self.sending:
            self._pending = False
            if self._cancel is not None:
                raise KeyboardInterrupt

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self._cancel is None:
            return
        if self.sending:
            self._pending = True
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        if loop is not None and asyncio.current_task(loop) is None:
            self._cancel()  # the loop waits: KeyboardInterrupt here would end the loop, not the cell
            return
        raise KeyboardInterrupt
