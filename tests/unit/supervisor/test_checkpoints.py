"""Which checkpoints the journal's events leave in use."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from holdfast.journal.records import EventRecord
from holdfast.supervisor.disk.checkpoints import Checkpoint, Kept, kept


def written(after: int, series: int = 0) -> tuple[str, dict[str, Any]]:
    made = Checkpoint(id=f"c{after}", series=series, after=after)
    return "checkpoint", {"checkpoint": msgspec.to_builtins(made)}


def left(*events: tuple[str, dict[str, Any]]) -> Kept:
    return kept(
        EventRecord(number, 1, kind, 0.0, None, details) for number, (kind, details) in enumerate(events)
    )


def ids(found: list[Checkpoint]) -> list[str]:
    return [each.id for each in found]


def test_the_last_two_are_kept_newest_first() -> None:
    assert ids(left(written(1), written(2), written(3)).current) == ["c3", "c2"]


@pytest.mark.parametrize(
    "barrier",
    [
        ("restart", {}),
        ("reset", {}),
        ("fresh", {}),
        ("end", {"reason": "shutdown"}),
        ("end", {"reason": "crash"}),
    ],
)
def test_nothing_crosses_a_barrier(barrier: tuple[str, dict[str, Any]]) -> None:
    assert ids(left(written(1), barrier).current) == []
    assert ids(left(written(1), barrier, written(2)).current) == ["c2"]


def test_an_end_in_order_is_no_barrier() -> None:
    assert ids(left(written(1), ("end", {"reason": "stop"})).current) == ["c1"]


def test_a_checkpoint_of_an_undone_state_is_not_used() -> None:
    assert ids(left(written(1), written(2), ("undo", {"cells": [2, 3]})).current) == ["c1"]


def test_what_could_not_be_read_is_set_apart_and_the_next_ones_go_elsewhere() -> None:
    found = left(written(1), written(2), ("not_restored", {}))
    assert (ids(found.current), ids(found.pinned), found.series) == ([], ["c2", "c1"], 1)
    found = left(written(1), ("not_restored", {}), written(5, 1))
    assert (ids(found.current), ids(found.pinned), found.series) == (["c5"], ["c1"], 1)


def test_a_series_is_never_used_again_not_even_behind_a_barrier() -> None:
    assert left(written(1), ("not_restored", {}), ("restart", {})).series == 1


def test_one_that_was_passed_over_in_a_return_is_not_used_again() -> None:
    assert ids(left(written(1), written(2), ("restored", {"after": 1})).current) == ["c1"]
