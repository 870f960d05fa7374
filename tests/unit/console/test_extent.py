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
    assert parts == whole


def test_moving_up_and_down_is_followed() -> None:
    extent = Extent(WIDTH)
    extent.follow("a\nb\nc\x1b[2A\x1b[B")
    assert extent.row == 1


def test_of_a_long_text_the_lines_are_counted() -> None:
    extent = Extent(80)
    extent.follow("line\n" * EXACT_CHARACTERS + "end")
    assert (extent.row, extent.column) == (EXACT_CHARACTERS, 3)


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("漢字", 4), ("e\u0301", 1), ("", 0)])
def test_wide_and_combining_characters_take_their_columns(text: str, width: int) -> None:
    assert columns(text) == width
