"""When one interrupt after the other means: at any price."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.settings import Interrupt
from holdfast.supervisor.cells.insistence import Insistence, Step

INTERRUPT, WARN, FORCE = Step.INTERRUPT, Step.WARN, Step.FORCE


def steps(*presses: tuple[int, float], bounds: Interrupt = Interrupt()) -> list[Step]:  # noqa: B008 - frozen
    insistence = Insistence(bounds)
    return [insistence.press(turn, now) for turn, now in presses]


def test_the_second_warns_and_the_third_forces() -> None:
    assert steps((1, 0), (1, 5), (1, 10)) == [INTERRUPT, WARN, FORCE]


def test_after_a_forced_one_it_begins_anew() -> None:
    assert steps((1, 0), (1, 5), (1, 10), (1, 11), (1, 12)) == [INTERRUPT, WARN, FORCE, INTERRUPT, WARN]


def test_a_hasty_finger_only_interrupts() -> None:
    assert steps((1, 0), (1, 0.1), (1, 0.2), (1, 0.3), (1, 2)) == [
        INTERRUPT,
        WARN,
        INTERRUPT,
        INTERRUPT,
        FORCE,
    ]


def test_each_cell_is_insisted_on_for_itself() -> None:
    assert steps((1, 0), (2, 1), (3, 2), (3, 3), (4, 9)) == [INTERRUPT, INTERRUPT, INTERRUPT, WARN, INTERRUPT]


def test_what_was_said_long_ago_is_forgotten() -> None:
    assert steps((1, 0), (1, 1), (1, 60), (1, 120)) == [INTERRUPT, WARN, INTERRUPT, INTERRUPT]


def test_a_cell_that_reacts_is_not_insisted_on() -> None:
    insistence = Insistence(Interrupt())
    for now in range(10):
        assert insistence.press(1, now) is INTERRUPT
        insistence.heard()


def test_it_can_be_switched_off() -> None:
    assert set(steps(*((1, now) for now in range(0, 20, 2)), bounds=Interrupt(insist=False))) == {INTERRUPT}


@given(st.lists(st.tuples(st.integers(1, 3), st.floats(0, 40))))
def test_nothing_is_forced_that_was_not_announced_in_good_time(gaps: list[tuple[int, float]]) -> None:
    bounds, insistence, now = Interrupt(), Insistence(Interrupt()), 0.0
    warned: tuple[int, float] | None = None
    for turn, gap in gaps:
        now += gap
        step = insistence.press(turn, now)
        if step is FORCE:
            assert warned is not None
            assert warned[0] == turn
            assert bounds.reading_seconds <= now - warned[1] <= bounds.memory_seconds
        if step is WARN:
            warned = turn, now
