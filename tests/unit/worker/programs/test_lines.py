"""What of a program's output is shown, held back as a possible question, or taken for an echo."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.worker.programs.lines import HELD_CHARACTERS, Echo, Lines, Takeover, plain

PIECES = st.lists(st.text("ab\n\r\x1b[?1;mh~é", max_size=12), max_size=8)


@given(PIECES)
def test_nothing_is_lost_and_nothing_comes_twice(pieces: list[str]) -> None:
    lines = Lines()

    shown = "".join(map(lines.feed, pieces)) + lines.take()

    assert shown == "".join(pieces)


@given(PIECES)
def test_only_the_end_of_an_unfinished_line_is_held(pieces: list[str]) -> None:
    lines = Lines()
    shown = "".join(map(lines.feed, pieces))

    assert "\n" not in lines.held
    assert not shown or shown.endswith("\n")
    assert lines.open == bool(lines.held)


def test_a_line_that_never_ends_is_shown_all_the_same() -> None:
    lines = Lines()

    assert lines.feed("x" * (HELD_CHARACTERS + 1)) == "x" * (HELD_CHARACTERS + 1)
    assert lines.open


def test_a_line_stays_open_after_its_beginning_was_shown() -> None:
    lines = Lines()
    lines.feed("Name: ")
    lines.take()

    assert lines.open
    lines.feed("\n")
    assert not lines.open


def test_marks_for_pasted_text_are_left_out() -> None:
    lines = Lines()

    assert lines.feed("\x1b[?2004hone\n\x1b[?2004l\rtwo\n") == "one\ntwo\n"


@pytest.mark.parametrize(
    ("written", "question"),
    [
        ("Name: ", "Name: "),
        ("\x1b[1mContinue?\x1b[0m [Y/n] ", "Continue? [Y/n] "),
        ("  3%\r100%\rPassword: ", "Password: "),
        ("\r\x1b[K>>> ", ">>> "),
        ("\x1b]0;user@host: ~\x07user@host:~$ ", "user@host:~$ "),
        ("", ""),
    ],
)
def test_a_question_is_what_one_sees_of_the_last_line(written: str, question: str) -> None:
    assert plain(written) == question


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r\x1b"), max_size=20),
    st.text("ab\n", max_size=9),
    st.integers(0, 30),
)
def test_an_echo_is_taken_out_in_whatever_pieces_it_comes(typed: str, follows: str, cut: int) -> None:
    echo = Echo()
    echo.expect(typed)
    shown = "".join("^" + chr(ord(c) + 64) if c < " " and c != "\t" else c for c in typed)
    whole = f"{shown}\r\n{follows}"

    assert echo.without(whole[:cut]) + echo.without(whole[cut:]) == follows


@given(st.text("ab", max_size=5), st.text("abc\r\n", max_size=12), st.integers(0, 12))
def test_what_is_no_echo_is_shown(typed: str, written: str, cut: int) -> None:
    echo = Echo()
    echo.expect(typed)

    shown = echo.without(written[:cut]) + echo.without(written[cut:]) + echo.give_up()

    assert shown == written or written == written.partition("\n")[0] + "\n" + shown


def test_an_echo_with_colours_and_marks_is_one() -> None:
    echo = Echo()
    echo.expect("1+1")

    assert echo.without("1\x1b[33m+\x1b[39m1\x1b[?2004l\r\n2\n") == "2\n"


@pytest.mark.parametrize("sequence", ["\x1b[?1049h", "\x1b[?47h"])
def test_who_goes_to_the_other_screen_takes_all_of_it(sequence: str) -> None:
    assert Takeover().find(f"before{sequence}after", keys=False) == len("before")


@pytest.mark.parametrize("sequence", ["\x1b[?1h\x1b=", "\x1b[6n", "\x1b[H", "\x1b[12;40H"])
def test_who_reads_keys_and_goes_about_the_screen_takes_it_too(sequence: str) -> None:
    assert Takeover().find(sequence, keys=True) == 0
    assert Takeover().find(sequence, keys=False) is None


def test_a_takeover_that_comes_in_pieces_is_seen() -> None:
    takeover = Takeover()

    assert takeover.find("text\x1b[?10", keys=False) is None
    assert takeover.find("49hscreen", keys=False) == 0


def test_what_was_drawn_before_keys_were_read_is_none() -> None:
    takeover = Takeover()

    assert takeover.find("\x1b[H\x1b[2J", keys=False) is None  # clear
    assert takeover.find("$ ", keys=True) is None
