"""Writes cells: what a cell does is drawn from the tricks that the names at hand allow.

A name says of what kind its value is (`list_3` is a list), so a name is all that a trick has to know. Cells
may fail: the plain interpreter fails in the same way.
"""

from __future__ import annotations

import random
from collections.abc import Callable

NAMES = 4
"""Of each kind: few, so that cells meet each other's values and bind names anew."""


class Missing(Exception):
    """A trick needs a value of a kind that is not there."""


class Hand:
    """What a trick works with: chance, and the names that are there."""

    def __init__(self, chance: random.Random, names: set[str]) -> None:
        self.chance = chance
        self.names = names

    def new(self, kind: str) -> str:
        """A name to be bound, be it again."""
        name = f"{kind}_{self.chance.randrange(NAMES)}"
        self.names.add(name)
        return name

    def some(self, *kinds: str) -> str:
        """A name that is bound to a value of one of these kinds; Missing if there is none."""
        found = sorted(name for name in self.names if name.partition("_")[0] in kinds)
        if not found:
            raise Missing(kinds)
        return self.chance.choice(found)

    def gone(self, name: str) -> str:
        """A name that will not be bound any more."""
        self.names.discard(name)
        return name

    def number(self, end: int = 1000) -> int:
        """Below `end`."""
        return self.chance.randrange(end)


Trick = Callable[[Hand], str]
"""Writes the code of one thing to do. Missing if it can't."""


class Author:
    """Draws from the tricks it is given."""

    def __init__(self, chance: random.Random, tricks: list[Trick]) -> None:
        self.names: set[str] = set()
        """What is bound now, as far as it is known."""
        self._chance = chance
        self._tricks = tricks

    def cell(self) -> str:
        """The code of a cell: one trick or a few."""
        return "\n".join(self._part() for _ in range(self._chance.choice((1, 1, 1, 2, 3))))

    def _part(self) -> str:
        hand = Hand(self._chance, self.names)
        while True:
            try:
                return self._chance.choice(self._tricks)(hand)
            except Missing:
                continue
