"""Which of the sleeping forks are kept. Their control sockets are real, the sleepers are not needed."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from holdfast.link.messages import StandbyTaken
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.standbys import Standby, Standbys
from holdfast.supervisor.travel import headroom

Taken = Callable[..., Standbys]


@pytest.fixture
def taken() -> Iterator[Taken]:
    """Makes standbys that were taken after the given cells, of which five are kept."""
    ends: list[socket.socket] = []
    standbys = Standbys(Loop(), 5, lambda: None)

    def take(*cells: int) -> Standbys:
        for cell in cells:
            ours, theirs = socket.socketpair()
            ends.append(theirs)
            standbys.add(ours.detach(), StandbyTaken(0, cell, 0, 0.0))
        return standbys

    yield take
    standbys.drop_all()
    for each in ends:
        each.close()


def kept(standbys: Standbys) -> list[int]:
    return [cell for cell in range(20) if standbys.kept_after(cell, cell + 1) is not None]


def test_the_oldest_goes_when_each_holds_another_cell(taken: Taken) -> None:
    assert kept(taken(1, 2, 3, 4, 5, 6, 7)) == [3, 4, 5, 6, 7]


def test_several_of_one_cell_do_not_cost_the_way_back_to_others(taken: Taken) -> None:
    assert kept(taken(1, 2, 3, 4, 4, 4, 4, 4, 4)) == [1, 2, 3, 4]
    assert kept(taken(5, 5, 5)) == [2, 3, 4, 5]


def test_the_one_that_is_gone_back_to_is_woken_next(taken: Taken) -> None:
    standbys = taken(1, 2, 3, 4)
    chosen = standbys.kept_after(2, 3)
    assert chosen is not None
    standbys.choose(chosen, 3)
    assert standbys.newest is chosen
    assert kept(standbys) == [1, 2]


def test_what_was_thrown_away_is_not_what_a_crash_would_wake(taken: Taken) -> None:
    standbys = taken(1, 2)
    standbys.put_barrier()
    assert standbys.successor is None
    successor = taken(3).successor
    assert successor is not None
    assert successor.after == 3


def test_the_newest_of_those_that_are_left_is_the_one_that_is_told_of(taken: Taken) -> None:
    standbys = taken(1, 2, 3, 4)
    told: list[tuple[str, int]] = []

    def note(why: str, standby: Standby) -> None:
        told.append((why, standby.after))
        standby.let_go()

    standbys.on_abandoned = note
    standbys.leave(3)
    standbys.retire()
    assert told == [("undo", 4), ("restart", 2)]
    assert standbys.newest is None


def test_little_memory_costs_the_way_back_and_not_what_crashes_need(taken: Taken) -> None:
    standbys = taken(1, 2, 3, 4)
    for _ in range(9):
        standbys.drop_oldest()
    assert kept(standbys) == [3, 4]
    assert headroom.available() > 0
    assert not headroom.is_scarce(None)
