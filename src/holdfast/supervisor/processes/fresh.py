"""A fresh worker on its way: which values it is to begin with, and how often that is tried."""

from __future__ import annotations

from holdfast.link.messages import Load, Loaded, LostName, Ready
from holdfast.supervisor.aftermath.ladder import Refill
from holdfast.supervisor.processes.returns import Return

TRIES = 3
"""Fresh workers that may die before they are ready, in a row: a start-up file that crashes does so again."""

LEFT_OUT = 20
"""Of a checkpoint's variables, no more are left out one by one: each costs a start, or a load's patience."""

_ENDED = "it ended the interpreter that loaded it, or took too long"


class Newcomer:
    """The fresh worker that is wanted; all its tries."""

    def __init__(self, folder: str, refill: Refill | None = None) -> None:
        """`folder`: where checkpoints are."""
        self.refill = refill
        self._folder = folder
        self._skip: list[str] = []  # variables that have ended one that loaded them
        self._loading: str | None = None  # the variable that it loads now
        self._tries = 0

    def failed(self) -> bool:
        """It has died, or does not answer. Whether another one is to be tried."""
        if self._loading is None:
            self._tries += 1
            return self._tries < TRIES
        self._skip.append(self._loading)
        self._loading = None
        return len(self._skip) <= LEFT_OUT

    def loads(self, name: str) -> None:
        """This variable comes next."""
        self._loading = name

    def ready(self, frame: Ready) -> Return | Load:
        """It is up: what it holds, or what it is to load."""
        if self.refill is None:
            return Return("fresh", notes=frame.notes)
        folder = self.refill.folder or self._folder
        return Load(folder, self.refill.checkpoint, self.refill.after, self._skip, self.refill.most)

    def loaded(self, frame: Loaded) -> Return:
        """It has its values."""
        assert self.refill is not None
        level, why = self.refill.level, self.refill.why
        lost = [LostName(each.name, _ENDED) if each.name in self._skip else each for each in frame.lost]
        return Return(level, self.refill.after, names=frame.names, lost=lost, why=why, left=self.refill.left)
