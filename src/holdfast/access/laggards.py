"""Readers who do not read: found by their connections' queues in the kernel, and cut off.

ZeroMQ bounds what waits for a reader by messages, not bytes, and when it is too much it drops what comes, and
tells nobody whose it was. So what is sent is counted here, until all of it was read. That can be seen: the
connections are descriptors of this process, the kernel tells what it keeps for each (SIOCOUTQ, tcp(7) and
unix(7)), and while libzmq's threads sleep nothing else waits but for a connection that is full.

The queue of one that is read from is filled again when it is almost empty: it is never the same for long. Of
one whose reader was stopped, or whose host is gone, it stands still.

To be cut off costs a reader who comes to himself nothing but the way back: ZeroMQ connects anew, and our own
clients ask for what they have missed. docs/decisions/0028-slow-readers.md has the alternatives.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import sys
import termios
import time
from typing import Final

from holdfast.access import connections
from holdfast.access.connections import Address
from holdfast.access.iothreads import IoThreads
from holdfast.settings import Wire

OVERHEAD: Final = 1_024
"""Bytes that ZeroMQ needs for a message of seven frames besides what is in them."""

_LOOKS: Final = 4
"""So many times it is looked whether all was read before it is too much: a look takes half a millisecond."""

_SLOW: Final = 3
"""Who reads, but too slowly, is given so many times as long as who does not read at all."""

_TIMES: Final = 4
"""Answers, for which nobody is made to wait, may be so many times as much before it is known who is slow."""


class Unread:
    """What was sent on one channel since all was read."""

    def __init__(self, limits: Wire, address: Address) -> None:
        self._most = limits.subscriber_bytes
        self._seconds = limits.subscriber_seconds
        self._address = address
        self._threads = IoThreads()
        self._bytes = 0
        self._looked_at = 0  # of those
        self._laggards: _Laggards | None = None
        self._since = 0.0  # time.monotonic(), from when on these are watched

    def add(self, size: int) -> None:
        """A message of so many bytes was sent."""
        self._bytes += size + OVERHEAD
        if self._bytes - self._looked_at > self._most // _LOOKS:
            self._looked_at = self._bytes
            self._forget_if_read(_Laggards(self._address))

    @property
    def too_much(self) -> bool:
        """Whether no more should be sent before it was read."""
        return self._bytes > self._most

    def look(self) -> int:
        """While it is too much: see whether it was read, and who is too slow. How many were cut off."""
        now = time.monotonic()
        if self._laggards is None:
            self._laggards, self._since = _Laggards(self._address), now
        if self._forget_if_read(self._laggards):
            return 0
        excess = self._bytes > _TIMES * self._most
        patience = now - self._since
        if patience < self._seconds and not excess:
            return 0
        cut = self._laggards.cut(slow_ones=excess or patience >= _SLOW * self._seconds)
        if excess:
            self.forget()
        return cut

    def forget(self) -> None:
        """All was read, or nobody is connected any more."""
        self._bytes = self._looked_at = 0
        if self._laggards is not None:
            self._laggards.let_be()
            self._laggards = None

    def _forget_if_read(self, laggards: _Laggards) -> bool:
        read = self._threads.wait_until_idle(0) and laggards.have_read() and self._threads.wait_until_idle(0)
        if read:
            self.forget()
        if laggards is not self._laggards:
            laggards.let_be()
        return read


class _Laggards:
    """Those who are connected to one listening socket, looked at again and again."""

    def __init__(self, address: Address) -> None:
        self._connections = connections.duplicates(address)
        self._before = {each: _queued(each) for each in self._connections}
        self._stuck = {each for each, queued in self._before.items() if queued}

    def have_read(self) -> bool:
        """Whether nothing is left for any of them. Whose queue is another one than before reads."""
        queued = {each: _queued(each) for each in self._connections}
        self._stuck = {each for each in self._stuck if queued[each] == self._before[each]}
        return not any(queued.values())

    def cut(self, *, slow_ones: bool) -> int:
        """Close the connections of those who have read nothing since the first look; how many they are.

        If there are none, and `slow_ones` are meant too, of all who have something left to read.
        """
        late = self._stuck or {each for each in self._connections if slow_ones and _queued(each)}
        for each in late:
            with contextlib.suppress(OSError):  # it is closed already
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._stuck = set()
        self._connections = [each for each in self._connections if each not in late]
        return len(late)

    def let_be(self) -> None:
        """Look no more."""
        for each in self._connections:
            each.close()


def _queued(each: socket.socket) -> int:
    """Bytes that the other side has not read, or not acknowledged, yet."""
    try:
        return int.from_bytes(fcntl.ioctl(each, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0
