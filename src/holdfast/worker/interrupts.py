"""What SIGINT does to the worker.

Between cells nothing; in Python code KeyboardInterrupt, as users know it; while the loop waits for an
awaiting cell, that cell's task is cancelled; while a message is half sent, the interrupt waits for its end.

A signal carries no address, and it may come late (its cell has ended) or early (its cell has not begun).
So the supervisor writes down which job it means before it sends one: no interrupt hits the wrong cell, and
none is lost. A SIGINT without that, from the user's own code or shell, is for whatever runs.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from types import FrameType

from holdfast.link.ring import RingWriter


class Interrupts:
    """The SIGINT handler of the worker's main thread."""

    def __init__(self, ring: RingWriter) -> None:
        self.sending = 0  # how many sends the main thread is inside of: a torn message would end the link
        self._ring = ring
        self._pending = False  # a SIGINT came during a send
        self._turn = 0  # of the job that runs, or ran last
        self._cancel: Callable[[], object] | None = None  # cancels the running job's task; None between jobs

    def install(self) -> None:
        """Take over SIGINT. Call in the main thread."""
        signal.signal(signal.SIGINT, self._handle)

    def begin(self, turn: int, cancel: Callable[[], object]) -> None:
        """A job runs from here on. KeyboardInterrupt if it was interrupted before it began."""
        self._pending = False
        self._turn = turn
        self._cancel = cancel
        if self._ring.interrupted_turn() == turn:
            self._ring.interrupt_heard()
            raise KeyboardInterrupt

    def end(self) -> None:
        """No job runs: a SIGINT that comes late is for nobody."""
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
        meant = self._ring.interrupted_turn()
        if meant > self._turn:
            return  # it has not begun: `begin` sees to it
        if meant:
            self._ring.interrupt_heard()
        if self._cancel is None or (meant and meant != self._turn):
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
