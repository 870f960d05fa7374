"""Colours and escapes."""

from __future__ import annotations

import pytest

from holdfast.console import ansi


def test_a_colour_ends_with_the_text() -> None:
    assert ansi.paint("text", ansi.WHO) == "\x1b[33;1mtext\x1b[0m"


def test_who_wants_no_colour_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert ansi.paint("text", ansi.WHO) == "text"


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
    "question",
    [
        "\x05",
        "\x1bZ",
        "\x1b[c",
        "\x1b[>0c",
        "\x1b[6n",
        "\x1b[?996n",
        "\x1b[?2026$p",
        "\x1b[>q",
        "\x1b[?1;1;0S",
        "\x1b[?u",
        "\x1b[16t",
        "\x1b[21t",
        "\x1b]10;?\x07",
        "\x1b]52;c;?\x1b\\",
        "\x1bP$qm\x1b\\",
        "\x1bP+q544e\x1b\\",
        "\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\",
        "\x1b]10;?;?\x07",
        "\x1b]4;1;?;2;red\x07",
        "\x1b]21;foreground=?\x1b\\",
        "\x1b]1337;ReportCellSize\x07",
        "\x1bP+Q636f6c6f7273\x1b\\",
        "\x1b[?4m",
        "\x1b[1;1;1;1;1;1*y",
        "\x1b[1$w",
        "\x9b\x85",
    ],
)
def test_what_a_terminal_would_answer_into_the_prompt_is_not_asked(question: str) -> None:
    assert ansi.unasking(f"a{question}b") == "ab"


@pytest.mark.parametrize("text", ["\x1b[\x1b[6n6n", "\x1b[\x056n", "\x1b[\x9b6n"])
def test_a_question_around_a_question_is_not_asked_either(text: str) -> None:
    assert "\x1b[6n" not in ansi.unasking(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain?",
        "\x1b[1;31mred\x1b[0m",
        "\r\x1b[2K\x1b[1A",
        "\x1b]0;really?\x07",
        "\x1b]8;;http://x/?q=1\x1b\\link\x1b]8;;\x1b\\",
        "\x1b[?25l\x1b[?1049h",
        "\x1b[8;30;80t",
        "\x1b[2S",
        "\x1b[u",
        "\x1b_Ga=T,q=2;abc\x1b\\",
    ],
)
def test_what_is_no_question_is_left_as_it_is(text: str) -> None:
    assert ansi.unasking(text) == text


@pytest.mark.parametrize(
    ("text", "waits"),
    [
        ("text", ""),
        ("a\x1b", "\x1b"),
        ("a\x1b[3", "\x1b[3"),
        ("a\x1b[31m", ""),
        ("a\x1b]0;t", "\x1b]0;t"),
        ("a\x1b]0;t\x07", ""),
        ("a\x1b]0;t\x1b", "\x1b]0;t\x1b"),
        ("a\x1b]0;t\x1b\\", ""),
        ("a\x1b7b", ""),
    ],
)
def test_an_escape_that_is_not_whole_is_found(text: str, waits: str) -> None:
    assert text[ansi.unfinished(text) :] == waits
