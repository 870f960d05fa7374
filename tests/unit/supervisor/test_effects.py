"""Which state is meant by "before the last n cells"."""

from __future__ import annotations

from holdfast.supervisor.travel.effects import NO_END, Effects, Span


def cells(*typed: bool) -> Effects:
    """Cells with numbers 10, 20, 30 and so on; those that somebody typed are counted from 1."""
    effects = Effects(100)
    count = 0
    for place, shown in enumerate(typed, 1):
        count += shown
        effects.add(10 * place, count or 1, shown=shown)
    return effects


def test_each_step_back_is_a_cell_that_somebody_typed() -> None:
    effects = cells(True, True, False, True)
    assert effects.before_last(0) == Span(40, NO_END)
    assert effects.before_last(1) == Span(20, 40)  # also after the frontend's own cell, 30
    assert effects.before_last(2) == Span(10, 20)
    assert effects.before_last(3) == Span(0, 10)
    assert effects.before_last(4) is None


def test_states_between_two_typed_cells_are_alike() -> None:
    effects = cells(True, True, False, True)
    assert effects.alike(20, 30)
    assert not effects.alike(30, 40)
    assert not effects.alike(0, 10)
    assert effects.last_shown(30) == 2
    assert effects.last_shown(9) is None


def test_a_cell_that_nobody_typed_is_not_named_as_the_next_one() -> None:
    effects = cells(True, False, True, False)
    assert effects.drop_since(10) == [2]
    assert effects.since(0) == [10]


def test_what_is_undone_is_forgotten_and_the_oldest_when_there_are_too_many() -> None:
    effects = cells(True, True, True)
    assert effects.drop_since(10) == [2, 3]
    assert effects.shown_since(0) == [1]
    few = Effects(2)
    for number in (1, 2, 3):
        few.add(number, number, shown=True)
    assert few.shown_since(0) == [2, 3]
