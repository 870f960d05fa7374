"""When does an interrupt mean: at any price? Pure: the time comes as an argument.

    first ──▶ INTERRUPT    second, of the same job ──▶ WARN: what a third would do    third ──▶ FORCE

A Jupyter frontend has one button for all three. It is pressed in haste, so a third one counts only after
there was time to read what it would do; and what was read long ago is forgotten.
"""

from __future__ import annotations

from enum import Enum, auto

from holdfast.settings import Interrupt


class Step(Enum):
    """What to do now."""

    INTERRUPT = auto()
    WARN = auto()
    FORCE = auto()


class Insistence:
    """Of all interrupts of a session."""

    def __init__(self, bounds: Interrupt) -> None:
        self._bounds = bounds
        self._turn = 0  # of the job that was interrupted last
        self._last: tuple[Step, float] | None = None  # the press that counts, and when; None: none does

    def press(self, turn: int, now: float) -> Step:
        """Job number `turn` was interrupted at `now` (seconds of any clock)."""
        if not self._bounds.insist:
            return Step.INTERRUPT
        if turn != self._turn or self._last is None or now - self._last[1] > self._bounds.memory_seconds:
            step = Step.INTERRUPT
        elif self._last[0] is Step.INTERRUPT:
            step = Step.WARN
        elif now - self._last[1] < self._bounds.reading_seconds:
            return Step.INTERRUPT  # the warning stands as it was
        else:
            step = Step.FORCE
        self._turn = turn
        self._last = None if step is Step.FORCE else (step, now)
        return step

    def heard(self) -> None:
        """The job has reacted: it asks for input, as a debugger does."""
        self._last = None
