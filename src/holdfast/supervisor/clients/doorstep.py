"""Looks after those who have come to the door over TCP: when, and who is hung up on.

somebody connects     looked at at once, and then every 20 ms while others do
nobody does           looked at together with the list of keys (`abroad.py`)
too much comes        of somebody who is let in, and no message ends: looked again every 20 ms
"""

from __future__ import annotations

import resource
import sys
import time

from holdfast.access import connections, turnaway
from holdfast.access.doors import Door
from holdfast.access.threshold import Threshold, source_of
from holdfast.supervisor.loop import Loop

PACE = 0.02
"""Seconds between two looks while people come: libzmq accepts some hundreds in that time."""

CROWD = 0.5
"""Of the descriptors that we may have: with none left nobody could be served, nor anything be written."""


class Doorstep:
    """Of the door over TCP."""

    def __init__(self, loop: Loop, threshold: Threshold, door: Door) -> None:
        self._loop = loop
        self._threshold = threshold
        self._listeners = door.listening
        self._unended = door.unended
        self._ports = frozenset(each.getsockname()[1] for each in self._listeners)
        self._looked = 0.0
        self._planned = False
        self._shut_out: tuple[str, ...] = ()
        for listener in self._listeners:
            loop.on_readable(listener.fileno(), self._soon, once=True)

    def forget(self) -> None:
        """The door is about to be closed."""
        for listener in self._listeners:
            self._loop.forget(listener.fileno())
        self._listeners = ()

    def throw_out(self, addresses: set[str]) -> None:
        """Hang up on all from there: which of them has to go is not known, and the others come again."""
        sources = set(map(source_of, addresses))
        for each in connections.held(self._ports):
            if source_of(each.address) in sources:
                connections.hang_up(each, self._ports)

    def look(self) -> None:
        """See who is there, and hang up on whom has to go."""
        self._planned = False
        self._looked = now = time.monotonic()
        most = int(CROWD * resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        there = connections.held(self._ports)
        for each in self._threshold.look(there, most, now):
            connections.hang_up(each, self._ports)
        for each in self._unended.look(there, now):
            connections.hang_up(each, self._ports)
            print(f"hung up on {each.address}: a message does not end", file=sys.stderr, flush=True)
        if (out := self._threshold.shut_out(now)) != self._shut_out:
            for source in set(out) - set(self._shut_out):
                print(f"{source} is shut out for a while: it tries, and may not", file=sys.stderr, flush=True)
            self._shut_out = out
            for listener in self._listeners:
                turnaway.turn_away(listener, out)
        if self._unended.doubtful:
            self._soon()

    def _soon(self) -> None:
        if not self._planned and self._listeners:
            self._planned = True
            wait = self._looked + PACE - time.monotonic()
            self._loop.later(max(0.0, wait), self._look_if_open)

    def _look_if_open(self) -> None:
        if self._listeners:
            self.look()
