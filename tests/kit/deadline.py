"""A moment by which something must have happened: the only notion of time that tests have."""

from __future__ import annotations

import time


class Deadline:
    """So many seconds from now on, on the monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left, never negative."""
        return max(0.0, self._end - time.monotonic())

    def left_ms(self) -> int:
        """The same in milliseconds for a poll(2), rounded up so that it never spins."""
        left = self.left()
        return int(left * 1000) + 1 if left else 0

    @property
    def passed(self) -> bool:
        """Whether nothing is left."""
        return not self.left()
