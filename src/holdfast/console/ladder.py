"""What a press of Ctrl-C means while a cell runs. Pure: the time comes as an argument.

First it interrupts. Pressed again at once, the cell does not listen: the user is told what a third press
will do. The third does it: the worker is killed, and the state before the cell comes back.
"""

from __future__ import annotations

from enum import Enum, auto

AGAIN_SECONDS = 2.0
"""A second press within this time means: it did not help."""

FORCE_SECONDS = 30.0
"""So long a third press means what was told; after that it is a first one."""


class Step(Enum):
    """What to do now."""

    INTERRUPT = auto()
    WARN = auto()
    FORCE = auto()


class Ladder:
    """The presses during one cell."""

    def __init__(self) -> None:
        self._last: tuple[Step, float] | None = None

    def press(self, now: float) -> Step:
        """Ctrl-C was pressed at `now` (seconds of any clock)."""
        step = Step.INTERRUPT
        if self._last is not None:
            last, when = self._last
            if last is Step.INTERRUPT and now - when <= AGAIN_SECONDS:
                step = Step.WARN
            elif last is Step.WARN and now - when <= FORCE_SECONDS:
                step = Step.FORCE
        self._last = (step, now)
        return step

    def heard(self) -> None:
        """The cell has reacted: it asks something."""
        self._last = None
