"""Whose message never ends: told by what has come since the last one."""

from __future__ import annotations

from holdfast.access.connections import Connection
from holdfast.access.unended import IDLE, LOOKS, OVERHEAD, Unended
from holdfast.settings import Wire

MOST = 1_000_000
BOUND = MOST + OVERHEAD
PACE = 0.02


def guest(received: int, descriptor: int = 7, port: int = 5_000) -> Connection:
    return Connection(descriptor, "10.0.0.1", port, let_in=True, received=received)


def looks(
    watched: Unended, there: list[Connection], times: int = LOOKS, begin: float = 0.0
) -> list[Connection]:
    """Who has to go at one of so many looks."""
    return [each for number in range(times) for each in watched.look(there, begin + number * PACE)]


def test_who_sends_more_than_a_message_may_be_and_does_not_end_it_goes_once() -> None:
    watched = Unended(Wire(max_bytes=MOST))
    watched.look([guest(300)], 0.0)
    endless = guest(300 + BOUND + 100_000)
    assert looks(watched, [endless], LOOKS - 1) == []
    assert watched.doubtful
    assert watched.look([endless], 1.0) == [endless]
    assert watched.look([endless], 1.1) == []
    assert not watched.doubtful


def test_a_message_that_ends_in_time_is_one_that_may_be() -> None:
    watched = Unended(Wire(max_bytes=MOST))
    watched.look([guest(300)], 0.0)
    assert looks(watched, [guest(300 + BOUND)], 2 * LOOKS) == []
    assert looks(watched, [guest(301 + 2 * BOUND)], LOOKS - 1) == []
    watched.heard(7)
    assert looks(watched, [guest(301 + 2 * BOUND)], 2 * LOOKS) == []


def test_many_messages_together_may_be_more() -> None:
    watched = Unended(Wire(max_bytes=MOST))
    for number in range(100):
        watched.heard(7)
        assert watched.look([guest(number * BOUND)], number * PACE) == []
    assert not watched.doubtful


def test_heartbeats_of_a_month_are_no_message() -> None:
    watched = Unended(Wire(max_bytes=MOST))
    for day in range(30):
        seconds = day * 86_400
        assert looks(watched, [guest(300 + IDLE * seconds)], begin=seconds) == []


def test_the_messages_of_another_connection_are_its_own() -> None:
    watched = Unended(Wire(max_bytes=MOST))
    watched.look([guest(0), guest(0, 8, 5_001)], 0.0)
    for number in range(LOOKS):
        watched.heard(8)
        there = [guest(2 * BOUND), guest(2 * BOUND, 8, 5_001)]
        leaving = watched.look(there, number * PACE)
    assert leaving == there[:1]


def test_a_new_connection_with_the_descriptor_of_an_ended_one_is_new() -> None:
    watched = Unended(Wire(max_bytes=MOST))
    looks(watched, [guest(0), guest(3 * BOUND)], 1)
    assert looks(watched, [guest(2 * BOUND, 7, 5_002)], 2 * LOOKS) == []
