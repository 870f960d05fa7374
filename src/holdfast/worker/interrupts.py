"""What SIGINT does to the worker.

Between cells nothing; in Python code KeyboardInterrupt, as users know it; while the loop waits for an
awaiting cell, that cell's task is cancelled; while a message is half sent, the interrupt waits for its end.

A signal carries no address, and it may come late (its cell has ended) or early (its cell has not begun).
So the supervisor writes down which job it means before it sends one: no interrupt hits the wrong cell, and
none is lost. A SIGINT without that, from the user's own code or shell, is for whatever runs. Which job has
begun stands in the same memory, so it is known also of a worker that died.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, TypeVar

from holdfast.link.ring import RingWriter

_Function = TypeVar("_Function", bound=Callable[..., Any])
_unbroken: set[CodeType] = set()


def unbroken(function: _Function) -> _Function:
    """No KeyboardInterrupt is raised in a line of this function itself: it has an answer to give in any case.

    A second interrupt, while the first one is being answered, would else take the answer away. One that comes
    before the work has begun is found by `check`.
    """
    _unbroken.add(function.__code__)
    return function


class Interrupts:
    """The SIGINT handler of the worker's main thread."""

    def __init__(self, ring: RingWriter) -> None:
        self.sending = 0  # how many sends the main thread is inside of: a torn message would end the link
        self._ring = ring
        self._pending = False  # a SIGINT came during a send, or where none may be raised
        self._turn = 0  # of the job that runs, or ran last
        self._cancel: Callable[[], object] | None = None  # cancels the running job's task; None between jobs
        self._listener: Callable[[], None] | None = None  # is told instead

    def install(self) -> None:
        """Take over SIGINT. Call in the main thread."""
        signal.signal(signal.SIGINT, self._handle)

    def begin(self, turn: int, cancel: Callable[[], object]) -> None:
        """A job runs from here on. KeyboardInterrupt if it was interrupted before it began."""
        self._pending = False
        self._turn = turn
        self._cancel = cancel
        if turn > 0:  # else it is a double's: those have no turn
            self._ring.begin(turn)
        if self._ring.interrupted_turn() == turn:
            self._ring.interrupt_heard()
            raise KeyboardInterrupt

    def has_begun(self, turn: int) -> bool:
        """Whether this job was begun, here or in a worker before: it must not be a second time."""
        return turn <= max(self._turn, self._ring.begun() or 0)

    def check(self) -> None:
        """The job's own work begins: KeyboardInterrupt if it was interrupted on the way here."""
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt

    @unbroken
    def end(self) -> None:
        """No job runs: a SIGINT that comes late is for nobody."""
        self._cancel = None
        self._pending = False

    def woken(self) -> None:
        """This process was a standby: what its predecessor was interrupted in has ended with it."""
        self.end()
        if self.has_begun(self._ring.interrupted_turn()):
            self._ring.interrupt_heard()

    @contextmanager
    def as_python_has_them(self) -> Iterator[None]:
        """Leave SIGINT to whoever runs in this block: trio replaces Python's own handler, and no other."""
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, self._handle)
            if self._ring.interrupted_turn() == self._turn:
                self._ring.interrupt_heard()

    @contextmanager
    def told(self, listener: Callable[[], None]) -> Iterator[None]:
        """In this block an interrupt is no KeyboardInterrupt, but for the program that `listener` knows."""
        before, self._listener = self._listener, listener
        try:
            yield
        finally:
            self._listener = before

    def sent(self) -> None:
        """A send of the main thread is over: raise the KeyboardInterrupt that had to wait for it."""
        self.sending -= 1
        if self._pending and not self.sending:
            self._pending = False
            if self._cancel is not None:
                raise KeyboardInterrupt

    def _handle(self, _number: int, frame: FrameType | None) -> None:
        meant = self._ring.interrupted_turn()
        if meant > self._turn:
            return  # it has not begun: `begin` sees to it
        if meant:
            self._ring.interrupt_heard()
        if self._cancel is None or (meant and meant != self._turn):
            return
        if self._listener is not None:
            self._listener()
            return
        if self.sending or (frame is not None and frame.f_code in _unbroken):
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
