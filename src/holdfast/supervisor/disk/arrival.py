"""What a session begins with: known when its first worker is there. Who asks earlier waits for it."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.protocol.operations import Arrived, MissingCell
from holdfast.supervisor.disk import lostcells
from holdfast.supervisor.disk.checkpoints import Checkpoints, Outcome
from holdfast.supervisor.disk.story import story
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.processes.returns import Return

UNTOLD = "untold"
"""Key of a fact: what nobody has been told of, so far, of how the session ended before."""


class Arrival:
    """Of one run of the supervisor."""

    def __init__(self, ledger: Ledger, checkpoints: Checkpoints, *, takes_over: bool) -> None:
        """`takes_over`: there is a worker already, which another supervisor has had; nothing is to tell."""
        self._ledger = ledger
        self._checkpoints = checkpoints
        self._outcome: Outcome | None = Outcome() if takes_over else None
        self._given_up = False
        self._is_told = takes_over
        self._waiting: list[Callable[[Arrived], None]] = []
        promised = checkpoints.newest
        self.lost = promised.lost if promised and not takes_over else []
        """Variables that are not back, as far as is known."""
        self._untold = ledger.journal.get(UNTOLD) or None
        self._promise = Outcome(promised, promised, self.lost, unwritten=checkpoints.unwritten)
        self.story = self._untold if takes_over else self._worded(self._promise)
        """How it ended before, what is back, and what came after that; None if there is nothing to tell.

        Until the first worker is there it says what is promised."""

    def returned(self, back: Return) -> None:
        """A worker is there."""
        if self._outcome is not None:
            self._checkpoints.pin(back)
            return
        self._outcome = self._checkpoints.begun(back)
        self.story, self.lost = self._worded(self._outcome), self._outcome.lost
        self._keep(self.story)
        self._tell()

    def given_up(self) -> None:
        """No worker can be started: nothing is back, but nobody shall wait."""
        self._given_up = True
        self._tell()

    def tell(self, then: Callable[[Arrived], None]) -> None:
        """`then` is told what the session begins with, at once if that is known."""
        self._waiting.append(then)
        if self._outcome is not None or self._given_up:
            self._tell()

    def told(self) -> None:
        """Somebody has been told the story: whoever begins the session next need not."""
        self._untold, self._is_told = None, True
        self._keep(None)

    def ended(self) -> None:
        """The session ends in order: what nobody was told of is kept for who begins it next."""
        if not self._is_told:
            self._keep(self._worded(self._outcome or self._promise))

    def _keep(self, story: str | None) -> None:
        if (story or "") != (self._ledger.journal.get(UNTOLD) or ""):
            self._ledger.set(UNTOLD, story or "")

    def _worded(self, outcome: Outcome) -> str | None:
        """What an earlier run had to tell, and ended in order before anybody heard of it, is told as well."""
        return story(self._ledger.journal.previous, outcome, lostcells.lost(self._ledger)) or self._untold

    def _tell(self) -> None:
        arrived = Arrived(self.story, self._missing())
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then(arrived)
        if waiting:
            self.told()

    def _missing(self) -> list[MissingCell]:
        """Cells whose effects were there when the session ended, or about to be, and are not back."""
        undone = lostcells.undone(self._ledger)
        return [
            MissingCell(cell.count or 0, cell.code, failed=cell.status in ("error", "interrupted"))
            for cell in lostcells.lost(self._ledger)
            if cell.id not in undone and lostcells.had_effects(cell)
        ]
