"""Who may stand at the door over TCP and not be let in: how many, and who is not heard for a while."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access.connections import Connection
from holdfast.access.threshold import KNOWN, SHUT_OUT, Threshold, source_of
from holdfast.settings import Listen

BOUNDS = Listen(strangers=6, strangers_each=3, failures=4, shut_out_seconds=60)
ALL = 1_000
ports = itertools.count(1)


def stranger(address: str = "10.0.0.1", *, let_in: bool = False) -> Connection:
    port = next(ports)
    return Connection(port, address, port, let_in)


def fail(threshold: Threshold, address: str, times: int, now: float = 0.0) -> None:
    for _ in range(times):
        threshold.failed(address, now)


def test_as_many_as_may_stand_there_are_left_alone() -> None:
    threshold = Threshold(BOUNDS)
    there = [stranger(f"10.0.0.{number // 3}") for number in range(6)]
    assert threshold.look(there, ALL, 0.0) == []


def test_of_one_address_the_oldest_go_and_who_is_let_in_is_not_counted() -> None:
    threshold = Threshold(BOUNDS)
    first, *rest = (stranger() for _ in range(3))
    inside = [stranger(let_in=True) for _ in range(10)]
    assert threshold.look([*inside, first, *rest], ALL, 0.0) == []
    assert threshold.look([*inside, stranger(), first, *rest], ALL, 1.0) == [first]


def test_of_all_those_go_whose_address_has_most() -> None:
    threshold = Threshold(BOUNDS)
    many = [stranger("10.0.0.1") for _ in range(3)]
    few = [stranger("10.0.0.2"), stranger("10.0.0.2"), stranger("10.0.0.3"), stranger("10.0.0.4")]
    assert threshold.look([*few, *many], ALL, 0.0) == [many[0]]


def test_who_has_most_inside_goes_only_when_descriptors_run_out() -> None:
    threshold = Threshold(BOUNDS)
    many = [stranger("10.0.0.1", let_in=True) for _ in range(9)]
    one = stranger("10.0.0.2", let_in=True)
    assert threshold.look([one, *many], 10, 0.0) == []
    assert threshold.look([one, *many], 8, 0.0) == many[:2]


def test_whose_tries_come_to_nothing_is_shut_out_for_a_while() -> None:
    threshold = Threshold(BOUNDS)
    for number in range(4):
        threshold.look([stranger("10.0.0.1"), stranger("10.0.0.2", let_in=True)], ALL, float(number))
    assert threshold.shut_out(4.0) == ()
    threshold.look([], ALL, 4.0)
    assert threshold.shut_out(5.0) == ("10.0.0.1",)
    assert threshold.look([again := stranger("10.0.0.1")], ALL, 5.0) == [again]
    assert threshold.shut_out(64.5) == ()


def test_failures_long_ago_do_not_count() -> None:
    threshold = Threshold(BOUNDS)
    for number in range(20):
        fail(threshold, "10.0.0.1", 3, number * 61.0)
    assert threshold.shut_out(0.0) == ()


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
def test_nobody_of_this_host_shuts_out_the_others(address: str) -> None:
    threshold = Threshold(BOUNDS)
    fail(threshold, address, 100)
    assert threshold.shut_out(0.0) == ()


def test_nobody_shuts_out_an_address_from_which_somebody_came_in() -> None:
    threshold = Threshold(BOUNDS)
    fail(threshold, "10.0.0.1", 100)
    threshold.let_in("10.0.0.1")
    fail(threshold, "10.0.0.1", 100)
    assert threshold.shut_out(0.0) == ()


def test_who_had_to_go_for_others_is_not_to_blame() -> None:
    threshold = Threshold(BOUNDS)
    for number in range(20):
        threshold.look([stranger(f"10.0.0.{each}") for each in range(12)], ALL, float(number))
        threshold.look([], ALL, number + 0.5)
        if number == 1:
            blamed = threshold.shut_out(float(number))
    assert blamed == ()


def test_a_change_of_the_list_of_keys_forgives() -> None:
    threshold = Threshold(BOUNDS)
    fail(threshold, "10.0.0.1", 100)
    threshold.forgive()
    assert threshold.shut_out(0.0) == ()


def test_sources_without_end_cost_a_bounded_amount() -> None:
    threshold = Threshold(BOUNDS)
    for number in range(3 * KNOWN):
        fail(threshold, f"10.{number >> 8}.{number & 255}.1", 4)
        threshold.let_in(f"11.{number >> 8}.{number & 255}.1")
    assert len(threshold.shut_out(1.0)) == SHUT_OUT
    assert len(threshold._tries) == len(threshold._known) == KNOWN


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::1"),
    ],
)
def test_a_source_is_an_address_or_a_network_of_64_bits(address: str, source: str) -> None:
    assert source_of(address) == source


@given(
    st.lists(
        st.lists(st.tuples(st.integers(1, 5), st.booleans()), max_size=20),
        max_size=8,
    ),
    st.integers(0, 25),
)
def test_what_stays_is_within_all_bounds_whoever_comes(
    comers: list[list[tuple[int, bool]]], most: int
) -> None:
    threshold, there = Threshold(BOUNDS), []
    for now, new in enumerate(comers):
        there += [stranger(f"10.0.0.{number}", let_in=let_in) for number, let_in in new]
        leaving = threshold.look(there, most, float(now))
        there = [each for each in there if each not in leaving]
        waiting = [each.address for each in there if not each.let_in]
        assert len(there) <= most
        assert len(waiting) <= BOUNDS.strangers
        assert all(waiting.count(address) <= BOUNDS.strangers_each for address in waiting)
