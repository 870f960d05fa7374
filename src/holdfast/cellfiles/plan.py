"""What of a file has run, and where to go on: the file's cells beside those that a namespace holds. Pure.

A *pass* over the file is a row of held cells that begins with its first one. Cells that others ran may stand
in between; a cell that was run for the file and is not the one that comes next ends the pass. From there on
the namespace holds what the file, as it is now, does not do in this place: that is *stale*.

The pass that got furthest counts, of those the one with the least that is stale. But one that came to the
file's end is over when the file was begun again after it. docs/decisions/0020-cell-files.md says why.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from holdfast.cellfiles.document import Step

PASSES = 64
"""Passes that are looked at, the newest: further back in one namespace nobody goes on."""


class Ran(msgspec.Struct, frozen=True):
    """A cell whose effects the namespace holds."""

    id: int
    count: int
    code: str
    client: str
    failed: bool
    stopped: bool
    """It was interrupted: that is not the error that a cell may end with."""
    ours: bool
    """It was run for this file, and not by somebody at a prompt."""


class Plan(msgspec.Struct, frozen=True):
    """Where to go on."""

    done: list[Ran]
    """The first cells of the file have run: as these."""
    stale: list[Ran]
    """Cells from the first one on that must be undone to be where the next one of the file belongs."""


def made(steps: Sequence[Step], held: Sequence[Ran]) -> Plan:
    """The plan for a file's cells and what the namespace holds, both in order."""
    # The first cell, typed by somebody after a run of the file, is on top of what that did: no beginning.
    first = _first_of_ours(held)
    begins = [
        place
        for place, ran in enumerate(held)
        if steps and _is(ran, steps[0]) and (ran.ours or place < first)
    ]
    passes = [_pass(steps, held, begin) for begin in begins[-PASSES:]]
    if not passes:
        return Plan([], list(held[first:]))
    over = [at for at, each in enumerate(passes, 1) if each.stale and len(each.done) == len(steps)]
    begun_again = passes[over[-1] :] if over else []
    return min(reversed(begun_again or passes), key=lambda each: (-len(each.done), len(each.stale)))


def _pass(steps: Sequence[Step], held: Sequence[Ran], begin: int) -> Plan:
    done: list[Ran] = []
    for place in range(begin, len(held)):
        ran = held[place]
        if len(done) < len(steps) and _is(ran, steps[len(done)]):
            done.append(ran)
        elif ran.ours:
            return Plan(done, list(held[place:]))
    return Plan(done, [])


def _first_of_ours(held: Sequence[Ran]) -> int:
    return next((place for place, ran in enumerate(held) if ran.ours), len(held))


def _is(ran: Ran, step: Step) -> bool:
    """Whether a cell is this one of the file, and came to the end that it should."""
    return ran.code == step.code and not ran.stopped and (step.may_fail or not ran.failed)
