"""How long a cell took."""

from __future__ import annotations

import pytest

from holdfast.console.elapsed import Stopwatch, words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.04, "0.0 s"),
        (2.44, "2.4 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (185, "3 min 5 s"),
        (3599.6, "1 h 0 min"),
        (7_830, "2 h 10 min"),
    ],
)
def test_two_figures_are_enough(seconds: float, said: str) -> None:
    assert words(seconds) == said


def test_a_cell_that_never_began_took_no_time() -> None:
    assert Stopwatch().seconds == 0


def test_the_time_in_which_the_user_is_asked_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("holdfast.console.elapsed.time.monotonic", lambda: now[0])
    watch = Stopwatch()
    watch.start()
    now[0] += 3
    with watch.paused():
        now[0] += 40
        assert watch.seconds == 3  # as it is said of a cell that is interrupted at its question
    now[0] += 2
    assert watch.seconds == 5
