"""The supervisor's one loop: sockets, descriptors, deadlines. Nothing here knows what they are for.

epoll(7) watches plain descriptors and, for each ZeroMQ socket, the descriptor by which it says that something
has happened to it (zmq_getsockopt(3), ZMQ_FD and ZMQ_EVENTS). That sign is given once: who has used a socket
may have taken it with him, so the sockets that were used are asked before the loop waits. (zmq_poll(3) asks
all of them each time, with two system calls each.)
"""

from __future__ import annotations

import heapq
import itertools
import os
import select
import signal
import time
from collections.abc import Callable, Iterable

import zmq

Watched = zmq.Socket[bytes] | int

_TO_READ = ~select.EPOLLOUT  # the end of a connection and its failure are to be read, too
_EVENTS, _POLLIN = int(zmq.EVENTS), int(zmq.POLLIN)


class Timer:
    """A call that is due once."""

    __slots__ = ("call", "due")

    def __init__(self, due: float, call: Callable[[], None]) -> None:
        self.due = due  # time.monotonic()
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        """Make it never happen."""
        self.call = None


class Deadline:
    """At most one call that is due: setting it anew replaces it."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._timer: Timer | None = None

    def set(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, `seconds` from now, unless cancelled or set anew."""
        self.cancel()
        self._timer = self._loop.later(seconds, call)

    def cancel(self) -> None:
        """Make it never happen."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Loop:
    """Calls back when something is readable (or writable), or due."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._readers: dict[int, Callable[[], object]] = {}
        self._writers: dict[int, Callable[[], object]] = {}
        self._once: set[int] = set()  # descriptors that are told of once for all that is there
        self._urgent: dict[int, Callable[[], None]] = {}
        self._sockets: dict[zmq.Socket[bytes], Callable[[], None]] = {}
        self._used: set[zmq.Socket[bytes]] = set()  # may have something to read that no sign tells of
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()  # of timers due at the same time
        self._running = False
        self.before_waiting: Callable[[], Iterable[zmq.Socket[bytes]]] = lambda: ()
        """Called each time nothing is left to do; returns the sockets that it has used."""

    def on_readable(self, source: Watched, call: Callable[[], None], *, once: bool = False) -> None:
        """Call when `source` has something to read. A ZeroMQ socket is then read until it has nothing.

        Who leaves something there calls `look_again`.
        `once`: what has been read stays where it is, so only what is new is told of (EPOLLET, epoll(7)).
        """
        if isinstance(source, int):
            if once:
                self._once.add(source)
            self._watch(source, self._readers, call)
        else:
            self._sockets[source] = call
            self._watch(_sign_of(source), self._readers, lambda: self._serve_socket(source))
            self._used.add(source)

    def look_again(self, socket: zmq.Socket[bytes]) -> None:
        """A ZeroMQ socket may have more to read: after what else is there to do."""
        if socket in self._sockets:
            self._used.add(socket)

    def on_urgent(self, fd: int, call: Callable[[], None]) -> None:
        """Call when `fd` says that something has happened (POLLPRI), until it can't any more."""
        self._urgent[fd] = call
        self._epoll.register(fd, select.EPOLLPRI)

    def on_writable(self, fd: int, call: Callable[[], None] | None) -> None:
        """Call when `fd` takes bytes again; None: not any more."""
        if call is not None:
            self._watch(fd, self._writers, call)
        elif self._writers.pop(fd, None) is not None:
            if fd in self._readers:
                self._epoll.modify(fd, self._wanted(fd))
            else:
                self._epoll.unregister(fd)

    def forget(self, source: Watched) -> None:
        """Watch `source` no longer. To be called before it is closed."""
        if isinstance(source, int):
            fd = source
        else:
            fd = _sign_of(source)
            del self._sockets[source]
            self._used.discard(source)
        self._once.discard(fd)
        known = [watchers.pop(fd, None) for watchers in (self._readers, self._writers, self._urgent)]
        if any(known):
            self._epoll.unregister(fd)

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
            self._used.update(self.before_waiting())
            patience = 0.0 if self._serve_used() or self._used else self._patience()
            for fd, event in self._epoll.poll(patience):
                self._serve(fd, event)
            self._call_what_is_due()

    def stop(self) -> None:
        """Return from `run` after what is being served."""
        self._running = False

    def _watch(self, fd: int, watchers: dict[int, Callable[[], object]], call: Callable[[], object]) -> None:
        known = fd in self._readers or fd in self._writers
        watchers[fd] = call
        if known:
            self._epoll.modify(fd, self._wanted(fd))
        else:
            self._epoll.register(fd, self._wanted(fd))

    def _wanted(self, fd: int) -> int:
        return (
            (select.EPOLLIN if fd in self._readers else 0)
            | (select.EPOLLOUT if fd in self._writers else 0)
            | (select.EPOLLET if fd in self._once else 0)
        )

    def _serve(self, fd: int, event: int) -> None:
        if fd in self._urgent:
            call = self._urgent[fd]
            if event & select.EPOLLERR:
                self.forget(fd)
            call()
            return
        if event & _TO_READ and fd in self._readers:
            self._readers[fd]()
        if event & select.EPOLLOUT and fd in self._writers:
            self._writers[fd]()

    def _serve_used(self) -> bool:
        """Read the sockets that were used; whether there was anything to read. Some are used by that."""
        served = False
        for _ in range(len(self._used)):
            if self._used:
                served = self._serve_socket(self._used.pop()) or served
        return served

    def _serve_socket(self, socket: zmq.Socket[bytes]) -> bool:
        """Have it read, if it has something; whether it has."""
        self._used.discard(socket)
        if not int(socket.getsockopt(_EVENTS)) & _POLLIN:
            return False
        self._sockets[socket]()
        return True

    def _patience(self) -> float:
        """Seconds until the next timer; -1 without one (epoll_wait(2))."""
        while self._timers and self._timers[0][2].call is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return -1
        return max(0.0, self._timers[0][0] - time.monotonic())

    def _call_what_is_due(self) -> None:
        if not self._timers:
            return
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            call = heapq.heappop(self._timers)[2].call
            if call is not None:
                call()


def _sign_of(socket: zmq.Socket[bytes]) -> int:
    """The descriptor by which libzmq says that something has happened to the socket."""
    return int(socket.getsockopt(zmq.FD))
