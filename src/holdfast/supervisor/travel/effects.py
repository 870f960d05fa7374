"""Which cells' effects the worker holds: those that ended while it lived. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import msgspec

NO_END: Final = 2**63
"""Greater than the number of any cell."""


class Span(msgspec.Struct, frozen=True):
    """Of cells' numbers: a state that was kept after one of them is the state that is meant."""

    first: int
    """The last cell that is not undone; 0: there is none."""
    end: int
    """The first one that is."""


class _Effect(msgspec.Struct, frozen=True):
    count: int
    shown: bool
    """Somebody typed it, to do something: it is one of those that are counted when one goes back."""


class Effects:
    """Cells of one namespace by their number in the journal, oldest first."""

    def __init__(self, most: int) -> None:
        """The oldest are forgotten when there are more than `most`."""
        self._cells: OrderedDict[int, _Effect] = OrderedDict()
        self._most = most

    def add(self, number: int, count: int, *, shown: bool) -> None:
        """A cell has ended."""
        self._cells[number] = _Effect(count, shown)
        if len(self._cells) > self._most:
            self._cells.popitem(last=False)

    def last_shown(self, number: int) -> int | None:
        """The execution count of the last cell up to number `number` that somebody typed.

        A frontend's own cells have none: what they are told is that of the next one.
        """
        newest_first = ((key, self._cells[key]) for key in reversed(self._cells))
        return next((each.count for key, each in newest_first if each.shown and key <= number), None)

    def alike(self, one: int, other: int) -> bool:
        """Whether nobody has typed a cell between these two: to whom goes back, it is the same state."""
        return one == other or self.last_shown(one) == self.last_shown(other)

    def shown_since(self, number: int) -> list[int]:
        """Execution counts of the cells after cell `number` that somebody typed."""
        return [each.count for key, each in self._cells.items() if each.shown and key > number]

    def since(self, number: int) -> list[int]:
        """The cells that ended after cell `number` did."""
        return [each for each in self._cells if each > number]

    def drop_since(self, number: int) -> list[int]:
        """Forget the cells that ended after cell `number` did; the counts of those that somebody typed."""
        gone = self.shown_since(number)
        for each in self.since(number):
            del self._cells[each]
        return gone

    def until(self, number: int) -> Effects:
        """Those of the cells up to cell `number`."""
        return self._some(lambda each: each <= number)

    def less(self, other: Effects) -> Effects:
        """Those of the cells that `other` does not hold."""
        return self._some(lambda each: each not in other._cells)

    def numbers(self) -> list[tuple[int, bool]]:
        """Each cell's number, and whether somebody typed it."""
        return [(key, each.shown) for key, each in self._cells.items()]

    def before_last(self, cells: int) -> Span | None:
        """The state before the last `cells` cells that somebody typed; None if there are not so many."""
        typed = [key for key, each in self._cells.items() if each.shown]
        if cells > len(typed):
            return None
        ends = [0, *typed, NO_END]
        return Span(ends[len(typed) - cells], ends[len(typed) - cells + 1])

    def _some(self, wanted: Callable[[int], bool]) -> Effects:
        found = Effects(self._most)
        found._cells.update((key, each) for key, each in self._cells.items() if wanted(key))
        return found
