"""What a kind of fault is: the words in which the files of kinds write them down. Nothing runs here."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kit.kernel import Place
from kit.wire import Cell

if TYPE_CHECKING:
    from faults.scene import Scene

DEATH_SECONDS = 2.0
"""From sending a cell that dies to its reply and idle."""

Act = Callable[["Scene"], Cell | None]
"""A fault from outside. The cell it returns is looked at like one that is the fault itself."""

Probe = str | tuple[str, object] | Callable[["Scene"], object]
"""What must be true after the fault: an expression, one with its value, or an act."""


class Level(enum.Enum):
    """How much comes back, and from where."""

    GOES_ON = "goes on"
    """Nobody died: the same worker, nothing to restore."""
    RESUME = "resume"
    """A standby has taken over: everything as before the cell."""
    SALVAGE = "salvage"
    """A fresh interpreter with the values that a standby could give away."""
    DISK = "disk"
    """A fresh interpreter with what a checkpoint on disk holds."""


@dataclass(frozen=True)
class Kind:
    """One fault, or one variant of it."""

    number: int
    """In the list of the research; variants share it."""
    name: str
    fault: str | Act = ""
    """A cell, or an act from outside."""
    level: Level = Level.RESUME
    cause: str = ""
    """A pattern: in the recovery's cause; if nobody dies, in the cell's error (none is expected if empty)."""
    setup: str = ""
    """A cell that runs once, after the usual one."""
    mess: bool = True
    """Whether the cell makes a mess of the namespace before it dies."""
    lost: Sequence[str] = ()
    """What the notice must name as not restored. In the first round only: then it is gone already."""
    probes: Sequence[Probe] = ()
    within: float = DEATH_SECONDS
    libraries: Sequence[str] = ()
    """It is skipped without them."""
    needs: Sequence[Callable[[], str | None]] = ()
    """Each says why it can't be made on this machine, if so: skipped."""
    place: Place = nullcontext
    """Where the session's files lie."""
    settings: str = ""
    """TOML, beside what every kind has."""
    rounds: int = 2
    """The same fault again right after: 1 only where that has no meaning."""
    steady: bool = True
    """Whether other deaths, before and after, leave its state as it is."""
    slow: bool = False
    """Left out of the tests, which have a minute for all; `make faults` runs it."""
    not_tested: str = ""
    """Why it can't be made at all."""

    def __str__(self) -> str:
        return f"{self.number:02}-{self.name.replace(' ', '_')}"
