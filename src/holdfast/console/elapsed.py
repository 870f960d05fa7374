"""How long a cell took, and how that is said. Pure, but for the clock."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """The time since `start`, without that in which the user was asked something. 0 if never started."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._paused = 0.0
        self._asked: float | None = None
        """Since when the user is being asked."""

    def start(self) -> None:
        """The cell begins."""
        self._since = time.monotonic()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What passes meanwhile does not count."""
        self._asked = time.monotonic()
        try:
            yield
        finally:
            self._paused, self._asked = self._paused + time.monotonic() - self._asked, None

    @property
    def seconds(self) -> float:
        """What it shows now."""
        if self._since is None:
            return 0.0
        end = time.monotonic() if self._asked is None else self._asked  # not answered: interrupted
        return end - self._since - self._paused


def words(seconds: float) -> str:
    """`2.4 s`, `3 min 5 s`, `2 h 10 min`: two figures at most, however long."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
