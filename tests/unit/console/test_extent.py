"""Following the cursor, compared with a terminal emulator."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.console.extent import EXACT_CHARACTERS, Extent, columns

WIDTH = 10

pieces = st.sampled_from(
    [
        *("a", "hello", "x" * WIDTH, "y" * 23, "\n", "\r", "\b", "\t"),
        *("é", "\x1b[31mred\x1b[0m", "\x1b]0;t\x07"),
    ]
)


steps = ("A", "2A", "B", "3B", "2C", "3D", "4G", "E", "F")
moves = st.sampled_from(["a", "hello", "x" * 23, "\n", "\r", *(f"\x1b[{step}" for step in steps)])


def emulated(text: str) -> tuple[int, int]:
    screen = pyte.Screen(WIDTH, 200)
    pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
    return screen.cursor.y, screen.cursor.x


@given(st.lists(pieces, max_size=12).map("".join))
def test_the_cursor_is_where_a_terminal_has_it(text: str) -> None:
    extent = Extent(WIDTH)
    extent.follow(text)
    assert (extent.row, extent.column) == emulated(text)


@given(st.lists(pieces, max_size=12))
def test_it_makes_no_difference_in_how_many_writes_the_text_comes(texts: list[str]) -> None:
    whole, parts = Extent(WIDTH), Extent(WIDTH)
    whole.follow("".join(texts))
    for text in texts:
        parts.follow(text)
    assert (parts.row, parts.column) == (whole.row, whole.column)


@given(st.lists(moves, max_size=12).map("".join))
def test_programs_that_move_the_cursor_are_followed(text: str) -> None:
    below = "\n" * 50  # so that there is room to go up
    extent = Extent(WIDTH)
    extent.follow(below + text)
    assert (extent.row, extent.column) == emulated(below + text)


@pytest.mark.parametrize(("save", "restore"), [("\x1b7", "\x1b8"), ("\x1b[s", "\x1b[u")])
def test_a_place_is_come_back_to(save: str, restore: str) -> None:
    extent = Extent(WIDTH)
    extent.follow(f"a\nbc{save}\n\n\nlater{restore}")
    assert (extent.row, extent.column) == (1, 2)


def test_an_escape_that_draws_a_picture_takes_no_place_however_long_it_is() -> None:
    extent = Extent(WIDTH)
    extent.follow("line\n" + f"\x1b_Gm=1;{'A' * 3 * EXACT_CHARACTERS}\x1b\\" + "x")
    assert (extent.row, extent.column) == (1, 1)


def test_a_step_of_absurd_length_goes_nowhere_far() -> None:
    extent = Extent(WIDTH)
    extent.follow(f"\x1b[{'9' * 5000}B\x1b[999999B")
    assert extent.row <= 10_000


def test_of_a_long_text_the_lines_are_counted() -> None:
    extent = Extent(80)
    extent.follow("line\n" * EXACT_CHARACTERS + "end")
    assert (extent.row, extent.column) == (EXACT_CHARACTERS, 3)


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("", 0)])
def test_wide_and_combining_characters_take_their_columns(text: str, width: int) -> None:
    assert columns(text) == width
