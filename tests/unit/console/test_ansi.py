"""Colours, escapes, sizes."""

from __future__ import annotations

import pytest

from holdfast.console import ansi


def test_a_colour_ends_with_the_text() -> None:
    assert ansi.paint("text", ansi.WHO) == "\x1b[33;1mtext\x1b[0m"


def test_who_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert ansi.paint("text", ansi.WHO) == "text"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é漢\n\t", "plain é漢\n\t"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\rb\x07", r"a\rb\x07"),
        ("\x9b2J", r"\x9b2J"),
    ],
)
def test_control_characters_of_others_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert ansi.visible(text) == shown


@pytest.mark.parametrize(
    "escape",
    [
        "\x1b[0m",
        "\x1b[38;5;12m",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1b_Gq=2;abc\x1b\\",
        "\x1b(B",
    ],
)
def test_an_escape_is_found_whole(escape: str) -> None:
    match = ansi.ESCAPE.match(escape + "text")
    assert match is not None
    assert match[0] == escape


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12_345, "12.3 kB"), (5 * 10**9, "5 GB")]
)
def test_sizes_are_said_to_three_figures(count: int, text: str) -> None:
    assert ansi.size(count) == text
