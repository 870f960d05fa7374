"""Keeps some descriptors free, however many of the user's own processes connect.

libzmq ends the process in which none is left for somebody who comes to a unix socket (ipc_listener.cpp), and
nothing else could be done without one either: no standby taken, no question answered, no command heard.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from holdfast.access import connections
from holdfast.access.doors import Door
from holdfast.supervisor.loop import Loop

RESERVE = 64
"""Descriptors: for standbys, copies of one, commands, and a dozen clients that come at the same moment."""

PACE = 0.02
"""Seconds between two looks while people come."""

TIMES = 10
"""So many times as long as a look takes nothing is looked at: among ten thousands it takes a while."""


class Crowd:
    """At the doors that are unix sockets."""

    def __init__(self, loop: Loop, doors: Sequence[Door]) -> None:
        self._loop = loop
        self._doors = doors
        self._here: set[int] = set()  # connections that were there while enough was free
        self._next = 0.0  # time.monotonic() of the next look, at the earliest
        self._planned = False
        self._said = False

    def somebody_comes(self) -> None:
        """A connection was judged: there is one more."""
        if not self._planned:
            self._planned = True
            self._loop.later(max(0.0, self._next - time.monotonic()), self._look)

    def _look(self) -> None:
        """If too few are free, hang up on who was not here when there were enough."""
        self._planned = False
        begun = time.monotonic()
        paths = frozenset(path for door in self._doors for path in door.paths)
        there = connections.held(paths)
        if connections.free() < RESERVE:
            for each in there:
                if each.port not in self._here:
                    connections.hang_up(each, paths)
                    self._complain()
        else:
            self._here = {each.port for each in there}
        self._next = time.monotonic() + max(PACE, TIMES * (time.monotonic() - begun))

    def _complain(self) -> None:
        if not self._said:
            self._said = True
            words = "too few descriptors are left (ulimit -n): clients that come now are hung up on"
            print(words, file=sys.stderr, flush=True)
