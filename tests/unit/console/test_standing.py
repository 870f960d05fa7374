"""A prompt that nobody reads yet gives way to what comes, as if it had never stood there."""

from __future__ import annotations

import pytest

from holdfast.console.screen import Screen
from kit.page import Page


@pytest.mark.parametrize("above", ["", "whole line\n", "half a line"])
def test_what_is_written_next_takes_its_place(screen: Screen, page: Page, above: str) -> None:
    screen.write(f"first\n{above}")
    screen.stand("In [1]: ")
    assert page.lines[-1] == "In [1]:"
    screen.write("…\nnext\n")
    assert page.lines == ["first", *f"{above}…".split("\n"), "next"]


def test_it_goes_once(screen: Screen, page: Page) -> None:
    screen.stand("In [1]: ")
    assert screen.standing.taken_away()
    assert not screen.standing.taken_away()
    assert not screen.standing.left()


def test_at_the_bottom_of_the_screen_nothing_else_goes(screen: Screen, page: Page) -> None:
    numbers = [f"line {number}" for number in range(100)]
    screen.write("\n".join(numbers) + "\n")
    screen.stand("In [1]: ")
    screen.write("next\n")
    assert page.lines[-3:] == ["line 98", "line 99", "next"]
