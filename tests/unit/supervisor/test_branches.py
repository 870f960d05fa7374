"""Which abandoned states are kept. Their control sockets are real, the sleepers are not needed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import msgspec
import pytest

from holdfast.link.messages import StandbyTaken
from holdfast.settings import Settings
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.standbys import Standbys
from holdfast.supervisor.travel.branches import Branches, Kind, Past
from holdfast.supervisor.travel.effects import Effects


class Forest:
    """A session of which states are abandoned, one after the other."""

    def __init__(self, most: int = 3) -> None:
        settings = Settings()
        standby = msgspec.structs.replace(settings.standby, branches=most)
        self.standbys = Standbys(Loop(), 5, lambda: None)
        self.branches = Branches(Loop(), msgspec.structs.replace(settings, standby=standby), self.standbys)
        self.branches.snapshot = lambda: Past(self.effects, 9, "0", 0)
        self.effects = Effects(99)
        self.ends: list[socket.socket] = []

    def abandon(self, kind: Kind, *cells: int) -> None:
        """The state with the effects of these cells."""
        self.effects = Effects(99)
        for each in cells:
            self.effects.add(each, each, shown=True)
        ours, theirs = socket.socketpair()
        self.ends.append(theirs)
        standby = self.standbys.add(ours.detach(), StandbyTaken(0, cells[-1], 0, 0.0))
        self.standbys.leave(standby.after) if kind == "undo" else self.standbys.retire()

    @property
    def kept(self) -> list[tuple[str, list[int]]]:
        return [(each.kind, each.effects.since(0)) for each in self.branches.all]

    def close(self) -> None:
        self.branches.drop_all()
        for each in self.ends:
            each.close()


@pytest.fixture
def forest() -> Iterator[Forest]:
    made = Forest()
    yield made
    made.close()


def test_the_newest_of_each_kind_is_kept_and_the_one_abandoned_last_comes_first(forest: Forest) -> None:
    forest.abandon("restart", 1)
    forest.abandon("undo", 2, 3)
    forest.abandon("undo", 2, 4)
    assert forest.kept == [("undo", [2, 4]), ("restart", [1])]


def test_what_has_no_cells_of_its_own_takes_nothing_elses_place(forest: Forest) -> None:
    forest.abandon("undo", 1, 2, 3)
    forest.abandon("undo", 1, 2)
    assert forest.kept == [("undo", [1, 2, 3])]


def test_the_oldest_goes_first(forest: Forest) -> None:
    forest.abandon("restart", 1)
    forest.abandon("undo", 2)
    gone = forest.branches.drop_oldest()
    assert gone is not None
    assert gone.after == 1
    assert forest.kept == [("undo", [2])]
    forest.branches.drop_oldest()
    assert forest.branches.drop_oldest() is None


def test_no_more_are_kept_than_was_said() -> None:
    for most in (0, 1):
        forest = Forest(most)
        forest.abandon("restart", 1)
        forest.abandon("undo", 2)
        assert len(forest.kept) == most
        forest.close()
