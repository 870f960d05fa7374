"""What a lineage tells of deaths and returns. Data only."""

from __future__ import annotations

import msgspec

from holdfast.link.messages import LeftBehind, LostName


class Death(msgspec.Struct, frozen=True):
    """How a worker ended."""

    status: int | None
    """waitpid(2)'s; None if it was no child of ours, so that nobody told us."""
    severed: bool
    """It lost its link while it lived."""
    asked: str | None
    """Why we killed it, if we did."""
    seen: float
    """time.monotonic() when it was seen."""


class Slip(msgspec.Struct, frozen=True):
    """A step of the ladder that was tried and did not hold."""

    what: str
    """`standby`, `checkpoint`."""
    after: int
    """The last cell whose effects it held."""
    why: str
    """In words."""


class Return(msgspec.Struct, frozen=True):
    """A worker is there, and what it holds."""

    level: str
    """`fresh`: nothing; `standby`: it was one; `salvage`, `disk`: the values of one, or of a checkpoint."""
    after: int = 0
    """The last cell whose effects it holds."""
    notes: list[str] = []
    """Of start-up files, in words."""
    left: LeftBehind = LeftBehind()
    """What did not come along; where values alone are back, by no variable's name."""
    comms: list[str] = []
    """That it has."""
    names: list[str] = []
    """Variables that are back, where not the whole process is."""
    lost: list[LostName] = []
    """Variables that are not."""
    why: list[str] = []
    """Why a better level was not reached, in words."""
    slips: list[Slip] = []
    """What was tried before, newest state first."""
    stepped_back: bool = False
    """One crash followed the other: an older state was taken, as memory itself may be damaged."""
