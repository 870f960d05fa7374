"""The supervisor's one loop: sockets, descriptors, deadlines. Nothing here knows what they are for.

zmq_poll(3) watches ZeroMQ's sockets and plain descriptors alike, so no second mechanism is needed.
"""

from __future__ import annotations

import heapq
import itertools
import math
import os
import signal
import time
from collections.abc import Callable

import zmq

Watched = zmq.Socket[bytes] | int


class Timer:
    """A call that is due once."""

    __slots__ = ("call", "due")

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due  # time.monotonic()
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Make it never happen."""
        self.call = None


class Loop:
    """Calls back when something is readable (or writable), or due."""

    def __init__(self) -> None:
        self._poller = zmq.Poller()
        self._readers: dict[Watched, Callable[[], None]] = {}
        self._writers: dict[int, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()  # of timers due at the same time
        self._running = False
        self.before_waiting: Callable[[], None] = lambda: None  # called each time nothing is left to do

    def on_readable(self, source: Watched, call: Callable[[], None]) -> None:
        """Call when `source` has something to read."""
        self._readers[source] = call
        self._register(source)

    def on_writable(self, fd: int, call: Callable[[], None] | None) -> None:
        """Call when `fd` takes bytes again; None: not any more."""
        if call is None:
            if self._writers.pop(fd, None) is None:
                return
        else:
            self._writers[fd] = call
        self._register(fd)

    def forget(self, source: Watched) -> None:
        """Watch `source` no longer. To be called before it is closed."""
        self._readers.pop(source, None)
        if isinstance(source, int):
            self._writers.pop(source, None)
        if source in self._poller:
            self._poller.unregister(source)

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Call once, `seconds` from now."""
        timer = Timer(time.monotonic() + seconds, call)
        heapq.heappush(self._timers, (timer.due, next(self._order), timer))
        return timer

    def on_signal(self, numbers: dict[int, Callable[[], None]]) -> None:
        """Call in the loop when a signal has come: handlers themselves do nothing but wake it."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda *_: None)

        def read() -> None:
            for number in set(os.read(reader, 4096)):
                if number in numbers:
                    numbers[number]()

        self.on_readable(reader, read)

    def run(self) -> None:
        """Serve until `stop`."""
        self._running = True
        while self._running:
            self.before_waiting()
            for source, event in self._poller.poll(self._patience()):
                self._serve(source, event)
            self._call_what_is_due()

    def stop(self) -> None:
        """Return from `run` after what is being served."""
        self._running = False

    def _register(self, source: Watched) -> None:
        flags = zmq.POLLIN if source in self._readers else 0
        if isinstance(source, int) and source in self._writers:
            flags |= zmq.POLLOUT
        if flags:
            self._poller.register(source, flags)
        elif source in self._poller:
            self._poller.unregister(source)

    def _serve(self, source: Watched, event: int) -> None:
        if event & ~zmq.POLLOUT and source in self._readers:
            self._readers[source]()
        if event & zmq.POLLOUT and isinstance(source, int) and source in self._writers:
            self._writers[source]()

    def _patience(self) -> int:
        """Milliseconds until the next timer, rounded up; -1 without one (zmq_poll(3))."""
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return -1
        return max(0, math.ceil((self._timers[0][0] - time.monotonic()) * 1e3))

    def _call_what_is_due(self) -> None:
        if not self._timers:
            return
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            call = heapq.heappop(self._timers)[2].call
            if call is not None:
                call()
