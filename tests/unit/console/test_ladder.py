"""Presses of Ctrl-C, by the clock."""

from __future__ import annotations

import pytest

from holdfast.console.ladder import Ladder, Step

INTERRUPT, WARN, FORCE = Step.INTERRUPT, Step.WARN, Step.FORCE


@pytest.mark.parametrize(
    ("times", "steps"),
    [
        ([0], [INTERRUPT]),
        ([0, 1], [INTERRUPT, WARN]),
        ([0, 3], [INTERRUPT, INTERRUPT]),
        ([0, 1, 2], [INTERRUPT, WARN, FORCE]),
        ([0, 1, 15], [INTERRUPT, WARN, FORCE]),
        ([0, 1, 60], [INTERRUPT, WARN, INTERRUPT]),
        ([0, 1, 2, 3], [INTERRUPT, WARN, FORCE, INTERRUPT]),
        ([0, 3, 4], [INTERRUPT, INTERRUPT, WARN]),
    ],
)
def test_a_press_means_more_when_the_one_before_did_not_help(times: list[float], steps: list[Step]) -> None:
    ladder = Ladder()
    assert [ladder.press(time) for time in times] == steps
