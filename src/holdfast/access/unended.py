"""Messages that do not end: which guest's connection brings more than one may be, and no end of it. Pure.

ZeroMQ hands a message over when its last frame is there. What has come until then it keeps, as many frames as
somebody likes to send, and tells nobody. But the system counts what each connection has brought, and of each
message ZeroMQ tells by which connection it came: so it is known how much has come since the last one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from holdfast.access.connections import Connection
from holdfast.settings import MEBIBYTE, Wire

OVERHEAD: Final = MEBIBYTE
"""Bytes of encryption, of frames' sizes and of the signature, with the largest message that may be."""

IDLE: Final = 1_024
"""Bytes a second that are no part of a message: heartbeats of some 60 bytes each, several a second."""

LOOKS: Final = 5
"""In a row at which it is too much. What has come whole is read between two of them."""


class _Since(NamedTuple):
    """What is known of a connection since its last message."""

    messages: int
    """That had come by its descriptor, at the look at which that had changed."""
    received: int
    """Bytes, at that look."""
    time: float
    over: int = 0
    """Looks in a row at which it was too much."""


class Unended:
    """Of one door."""

    def __init__(self, limits: Wire) -> None:
        self._most = limits.max_bytes + OVERHEAD
        self._counts: Counter[int] = Counter()  # of messages, by descriptor
        self._since: dict[tuple[str, int], _Since] = {}
        self.doubtful = False
        """Whether it should soon be looked again."""

    def heard(self, descriptor: int) -> None:
        """A message has come by it."""
        self._counts[descriptor] += 1

    def look(self, connections: Iterable[Connection], now: float) -> list[Connection]:
        """Those to hang up on. `now`: `time.monotonic()`."""
        before, self._since = self._since, {}
        leaving = []
        for each in connections:
            since = self._seen(each, before.get(each[1:3]), now)
            if since.over < LOOKS:
                self._since[each[1:3]] = since
            else:
                leaving.append(each)
        self.doubtful = any(since.over for since in self._since.values())
        return leaving

    def _seen(self, each: Connection, before: _Since | None, now: float) -> _Since:
        messages = self._counts[each.descriptor]
        if before is None or before.messages != messages:
            return _Since(messages, each.received, now)
        unheard = each.received - before.received - IDLE * (now - before.time)
        return before._replace(over=before.over + 1 if unheard > self._most else 0)
