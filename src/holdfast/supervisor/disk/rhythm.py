"""When the next checkpoint is due: when the session rests, at the latest after a while, and not all the time.

Pure: whoever asks says what time it is, on a clock that never goes back.
"""

from __future__ import annotations

from holdfast.settings import Checkpoint as Settings


class Rhythm:
    """Of one session's writes."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._first: float | None = None  # the oldest change that no write holds
        self._last = 0.0  # the newest one
        self._began = 0.0  # the last write
        self._not_before = 0.0  # the next one

    def changed(self, now: float) -> None:
        """The state is another one."""
        self._last = now
        if self._first is None:
            self._first = now

    def began(self, now: float) -> None:
        """A write begins; it holds all that has changed until now."""
        self._began, self._first = now, None

    def ended(self, now: float) -> None:
        """It has ended, well or not."""
        self._not_before = now + self._settings.share * (now - self._began)

    def due(self, now: float) -> float | None:
        """Seconds until the next one; None: there is nothing to write."""
        if self._first is None:
            return None
        settings = self._settings
        rested = min(self._last + settings.rest_seconds, self._first + settings.latest_seconds)
        return max(0.0, rested - now, self._not_before - now)
