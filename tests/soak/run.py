"""A run: acts are drawn or read, played, written down; what is found ends a chapter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from soak import libraries, plain
from soak.acts import CELL, LOOK, RESTART, Act, Transcript
from soak.author import Author
from soak.faults import FAULTS, MOMENTS
from soak.stage import Stage
from soak.verdicts import GROWN, GROWTH_BYTES, Found, Tally

CHAPTER = 120
"""Acts. The plain interpreter goes back by doing a chapter's cells again, so it has an end."""

FAULT_SHARE, LOOK_SHARE = 0.12, 0.05
"""Of the acts. A fault a few cells: several within seconds, with states of some size between them."""

MOST_FOUND = 5
"""Then a run ends: the first one is what somebody will look at."""


class Drawn:
    """Acts by chance, from a seed."""

    def __init__(self, seed: int, kinds: list[str], chosen: list[str]) -> None:
        self._chance = random.Random(seed)
        self._kinds = kinds
        tricks = plain.TRICKS + [trick for name in chosen for trick in libraries.TRICKS[name]]
        self._author = Author(self._chance, tricks)

    def acts(self, names: Callable[[], set[str]]) -> Iterator[Act]:
        """Without end. `names` are those that are bound, as far as the stage knows."""
        while True:
            self._author.names = set()
            yield Act(RESTART)
            for _ in range(CHAPTER):
                act = self._next()
                yield act
                if act.kind != CELL:
                    self._author.names = names()

    def _next(self) -> Act:
        drawn = self._chance.random()
        if drawn < FAULT_SHARE:
            kind = FAULTS[self._chance.choice(self._kinds)]
            code = self._author.cell() if kind.at not in ("idle", "undo") else ""
            return Act(kind.name, code, self._chance.choice(MOMENTS))
        if drawn < FAULT_SHARE + LOOK_SHARE:
            return Act(LOOK)
        return Act(CELL, self._author.cell())


class Run:
    """From a fresh session to its end."""

    def __init__(self, folder: Path, tell: Callable[[str], None] = print) -> None:
        self.tally = Tally()
        self.stage = Stage(self.tally)
        self._folder = folder
        self._tell = tell
        self._transcript = Transcript(folder / "now.jsonl")

    def play(self, acts: Iterable[Act], goes_on: Callable[[], bool]) -> Tally:
        """One act after the other, while `goes_on()`."""
        well, told = True, time.monotonic()
        try:
            for act in acts:
                if not goes_on() or len(self.tally.found) >= MOST_FOUND:
                    break
                if not well and act.kind != RESTART:
                    continue
                if act.kind == RESTART:
                    self._transcript.begin()
                self._transcript.add(act)
                well = self.stage.play(act)
                if not well:
                    self._keep()
                if time.monotonic() - told > 60:
                    told = time.monotonic()
                    self._tell(self.tally.line())
        finally:
            self.stage.close()
        if self.tally.growth() > GROWTH_BYTES:
            self.tally.found.append(Found(GROWN, "the end", f"{self.tally.growth() / 1e6:.0f} MB"))
        return self.tally

    def _keep(self) -> None:
        """What has led to what was found."""
        path = self._folder / f"found-{len(self.tally.found)}.jsonl"
        self._transcript.keep(path)
        found = self.tally.found[-1]
        self._tell(f"{found.what}: {found.details}\n    at {found.act}\n    --replay {path}")
