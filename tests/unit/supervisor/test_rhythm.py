"""When checkpoints are due: after a rest, at the latest after a while, and for a share of the time only."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.settings import Checkpoint as Settings
from holdfast.supervisor.disk.rhythm import Rhythm

SETTINGS = Settings(rest_seconds=2.0, latest_seconds=60.0, share=10.0)


def test_without_a_change_nothing_is_due() -> None:
    rhythm = Rhythm(SETTINGS)
    assert rhythm.due(5.0) is None
    rhythm.changed(5.0)
    rhythm.began(6.0)
    rhythm.ended(7.0)
    assert rhythm.due(100.0) is None


def test_a_change_is_due_when_the_session_has_rested() -> None:
    rhythm = Rhythm(SETTINGS)
    rhythm.changed(100.0)
    rhythm.changed(101.0)
    assert rhythm.due(101.5) == 1.5
    assert rhythm.due(200.0) == 0.0


def test_what_changes_while_it_is_written_is_due_once_more() -> None:
    rhythm = Rhythm(SETTINGS)
    rhythm.changed(100.0)
    rhythm.began(102.0)
    rhythm.changed(102.5)
    rhythm.ended(103.0)
    assert rhythm.due(103.0) == 10.0  # a write of one second


@given(gaps=st.lists(st.floats(0.0, 1.9), min_size=40))
def test_changes_without_a_rest_are_due_a_minute_after_the_first(gaps: list[float]) -> None:
    rhythm, now = Rhythm(SETTINGS), 1000.0
    for gap in gaps:
        now += gap
        rhythm.changed(now)
    due = rhythm.due(now)
    assert due is not None
    assert now + due <= 1000.0 + gaps[0] + 60.0 + 1e-6 or due == 0.0


@given(steps=st.lists(st.tuples(st.floats(0.0, 30.0), st.floats(0.0, 30.0)), max_size=30))
def test_writing_takes_no_more_than_its_share_of_the_time(steps: list[tuple[float, float]]) -> None:
    rhythm, now, ended = Rhythm(SETTINGS), 1000.0, None
    for wait, took in steps:
        now += wait
        rhythm.changed(now)
        due = rhythm.due(now)
        assert due is not None
        now += due
        if ended is not None:
            assert now - ended[0] >= SETTINGS.share * ended[1] - 1e-6
        rhythm.began(now)
        now += took
        rhythm.ended(now)
        ended = now, took
