"""How times and folders read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli import text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0s"), (59.4, "59s"), (60, "1m00s"), (130, "2m10s"), (3660, "1h01m"), (90_000, "1d1h"), (-5, "0s")],
)
def test_a_duration_is_short(seconds: float, words: str) -> None:
    assert text.duration(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3, "now"), (300, "5 min ago"), (7300, "2 h ago"), (100_000, "yesterday"), (300_000, "3 days ago")],
)
def test_a_time_in_the_past_reads_as_one_would_say_it(seconds: float, words: str) -> None:
    assert text.ago(seconds) == words


def test_the_home_folder_is_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ana")
    assert text.short_folder("/home/ana") == "~"
    assert text.short_folder("/home/ana/x") == "~/x"
    assert text.short_folder("/home/anabel") == "/home/anabel"
    monkeypatch.setenv("HOME", "/")
    assert text.short_folder("/etc") == "~/etc"


def test_columns_stand_under_each_other() -> None:
    assert (
        text.table([("NAME", "STATE"), ("a", "idle"), ("longer", "")])
        == "NAME    STATE\na       idle\nlonger"
    )


@pytest.mark.parametrize(
    "escaped",
    ["\x1b[31mred\x1b[0m", "\x1b[1;38;5;9mred\x1b[m", "\x1b]8;;http://x\x1b\\red\x1b]8;;\x07", "r\x1bMed"],
)
def test_without_a_terminal_no_escapes_are_left(escaped: str) -> None:
    assert text.plain(escaped) == "red"


@given(st.text(st.characters(exclude_characters="\x1b")))
def test_text_without_escapes_stays_as_it_is(words: str) -> None:
    assert text.plain(words) == words
