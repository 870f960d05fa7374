"""Clients of another supervisor on their way back to a door: how many, and how long they are waited for."""

from __future__ import annotations

import time

RETURN_SECONDS = 0.25
"""So long a client may take to be back with a successor: libzmq tries again after 100 to 200 ms
(`reconnect_ivl`). Before that, heads say little: a newcomer can stand in for one that is on its way."""


class Awaited:
    """Those of one door; nobody at first."""

    def __init__(self) -> None:
        self.count = 0  # while they are waited for
        self._earliest = 0.0  # time.monotonic() before which nobody knows that they are all back
        self._latest = 0.0  # time.monotonic() until which they are waited for

    def expect(self, count: int, seconds: float) -> None:
        """Wait for so many, at most so long."""
        now = time.monotonic()
        self.count, self._latest = count, now + seconds
        self._earliest = now + min(RETURN_SECONDS, seconds)

    def are_on_the_way(self, here: int) -> bool:
        """Whether somebody has yet to come, where so many are, and is in time."""
        now = time.monotonic()
        return self.count > 0 and (now < self._earliest or (here < self.count and now < self._latest))

    @property
    def may_still_come(self) -> bool:
        """Whether there is time left, though they are not waited for any more."""
        return time.monotonic() < self._latest

    def no_longer(self) -> None:
        """Wait no longer."""
        self.count = 0
