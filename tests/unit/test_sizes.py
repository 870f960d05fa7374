"""How sizes read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast import sizes


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1234, "1.2 kB"),
        (90_000_000, "90 MB"),
        (1.25e9, "1.2 GB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_a_size_is_short(count: int, words: str) -> None:
    assert sizes.short(count) == words


@given(st.integers(0, 10**15))
def test_a_size_is_never_off_by_more_than_a_rounding(count: int) -> None:
    number, unit = sizes.short(count).split()
    factor = 1000 ** ["B", "kB", "MB", "GB", "TB"].index(unit)
    assert abs(float(number) * factor - count) <= factor / 2 + 1
