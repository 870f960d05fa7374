"""Long lines of our own on narrow terminals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.console import ansi
from holdfast.console.extent import columns
from holdfast.console.folding import folded


def test_a_line_is_broken_between_words() -> None:
    assert folded("the session goes on", 12) == "the session\ngoes on"


def test_a_line_that_fits_stays_as_it_is() -> None:
    assert folded("  two  words", 12) == "  two  words"


def test_colours_take_no_room() -> None:
    assert folded("\x1b[90mthe session\x1b[0m goes on", 11) == "\x1b[90mthe session\x1b[0m\ngoes on"


def test_wide_characters_take_two_columns() -> None:
    assert folded("漢漢 漢漢", 8) == "漢漢\n漢漢"


@given(st.text("ab 漢\n", max_size=40), st.integers(1, 12))
def test_no_word_is_lost_and_no_line_too_long_but_for_a_word_that_is(text: str, width: int) -> None:
    lines = folded(text, width).split("\n")
    assert " ".join(lines).split() == text.split()
    assert all(columns(line) <= width or " " not in line.strip() for line in lines)
    assert ansi.ESCAPE.search("".join(lines)) is None
