"""What a run has found: what may not be, with the act that showed it; and the figures."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

WRONG = "wrong value"
LOST = "silent loss"
BROKEN = "named loss of what was kept"
HANG = "hang"
DIED = "died by itself"
LEFT = "left behind"
GROWN = "grown"

GROWTH_BYTES = 64 * 1024 * 1024
"""Of the supervisor's memory, from its first look to its last: its caches have an end, a leak has none."""


@dataclass
class Found:
    """Something that may not be."""

    what: str
    act: str
    details: str


@dataclass
class Tally:
    """Of one run."""

    cells: int = 0
    looks: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    """How much came back, in the words of the notices."""
    named: list[str] = field(default_factory=list)
    """Losses that the notice has named."""
    found: list[Found] = field(default_factory=list)
    slowest: float = 0.0
    """Seconds, from a death that could come to the notice that another worker is there."""
    slowest_at: str = ""
    memory: list[int] = field(default_factory=list)
    """Resident bytes of the supervisor, at each look of one life of it."""
    processes: int = 0
    """The most that there were at once."""
    began: float = field(default_factory=time.monotonic)

    def killed(self, name: str, seconds: float) -> None:
        """The session has come through a fault."""
        self.kills[name] += 1
        if seconds > self.slowest:
            self.slowest, self.slowest_at = seconds, name

    def growth(self) -> int:
        """Bytes."""
        return self.memory[-1] - self.memory[0] if self.memory else 0

    def counted(self, what: str) -> int:
        """How often something was found."""
        return sum(found.what == what for found in self.found)

    def line(self) -> str:
        """Where we are."""
        minutes = (time.monotonic() - self.began) / 60
        return (
            f"{minutes:6.1f} min  {self.cells} cells, {self.kills.total()} kills, {self.looks} looks; "
            f"{self.counted(WRONG)} wrong, {self.counted(LOST)} lost silently, {len(self.named)} named, "
            f"{self.counted(HANG)} hangs; slowest recovery {self.slowest * 1e3:.0f} ms, "
            f"supervisor {self.growth() / 1e6:+.1f} MB, at most {self.processes} processes"
        )

    def summary(self) -> list[str]:
        """Everything."""
        kinds = ", ".join(f"{name} {count}" for name, count in sorted(self.kills.items()))
        levels = ", ".join(f"{name} {count}" for name, count in self.levels.most_common())
        lines = [self.line().strip(), f"kills: {kinds or 'none'}; the slowest: {self.slowest_at}"]
        lines.append(f"back from: {levels or 'nowhere'}")
        lines += [f"named: {text}" for text in self.named[:10]]
        for found in self.found:
            lines += [f"{found.what.upper()}: {found.details}", f"    at {found.act}"]
        return lines
