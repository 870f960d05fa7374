"""What the text of others can do to a terminal: colour, link, move within itself, and nothing else."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Iterable

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.progress import Progress

from holdfast.console import sieve
from holdfast.console.sieve import Lenient, Strict, Trust, sifted

COLUMNS, ROWS = 20, 8

FRAGMENTS = [
    *("\x1b", "[", "]", "P", "_", "k", "\\", "\x07", "\x18", "\x9b", "\x9d", "8;", ";", "?", ">", "0", "2"),
    *(
        "A",
        "F",
        "B",
        "E",
        "J",
        "K",
        "m",
        "h",
        "n",
        "c",
        "(",
        "\n",
        "\r",
        "\b",
        "\t",
        "\x0e",
        "é",
        "漢",
        "plain ",
    ),
    *("\x1b[A", "\x1b[9F", "\x1b[31m", "\x1b[?25l", "\x1b[6n", "\x1b]0;title\x07", "\x1bPq#0~\x1b\\"),
    *("\x1b]8;;https://x.org/\x1b\\", "\x1b]8;;\x07", "\x1b]8;;file:///etc\x07"),
    *("\x1b(0", "\x1b[2;3r", "\x1b7", "\x1bc"),
]
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=4), max_size=24).map("".join)
CUTS = st.lists(st.integers(0, 200), max_size=8)


def pieces(text: str, cuts: Iterable[int]) -> list[str]:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    return [text[begin:end] for begin, end in itertools.pairwise(places)]


def passed(each: Iterable[str]) -> str:
    through = Strict()
    return "".join(map(through.through, each))


class Watched(pyte.Screen):
    """A terminal that tells what it was asked and told, beside its cells."""

    def __init__(self) -> None:
        super().__init__(COLUMNS, ROWS)
        self.answers: list[str] = []

    def write_process_input(self, data: str) -> None:
        self.answers.append(data)

    def state(self) -> tuple[object, ...]:
        charset = self.charset, self.g0_charset, self.g1_charset
        lasting = self.title, self.icon_name, set(self.mode), self.margins, sorted(self.tabstops), charset
        return *lasting, self.cursor.hidden, len(self.savepoints), tuple(self.answers)


@given(TEXTS, CUTS)
def test_it_does_not_matter_where_the_text_is_cut(text: str, cuts: list[int]) -> None:
    assert passed(pieces(text, cuts)) == passed([text])


@given(TEXTS)
def test_what_has_passed_passes_as_it_is(text: str) -> None:
    once = sifted(text, others=True)
    assert sifted(once, others=True) == once


@given(TEXTS, CUTS)
def test_a_terminal_has_other_cells_and_is_otherwise_as_it_was(text: str, cuts: list[int]) -> None:
    screen = Watched()
    before = screen.state()
    stream = pyte.Stream(screen)
    stream.use_utf8 = False  # so that it knows character sets
    stream.feed(passed(pieces(text, cuts)))
    assert screen.state() == before


@given(TEXTS)
def test_only_known_escapes_are_left(text: str) -> None:
    known = r"\x1b\[[\d;:]*m|\x1b\[\d*[A-GJK]|\x1b\]8;[!-~]*;[!-~]*(?:\x07|\x1b\\)"
    rest = re.sub(known, "", sifted(text, others=True), flags=re.ASCII)
    assert not re.search(r"[\x00-\x06\x0b\x0c\x0e-\x1f\x7f-\x9f]", rest)


@given(st.lists(st.sampled_from(["\n", "\x1b[A", "\x1b[5A", "\x1b[B", "\x1b[9B", "\x1b[3F", "\x1b[2E", "x"])))
def test_nothing_that_stood_above_is_touched(steps: list[str]) -> None:
    screen = pyte.HistoryScreen(COLUMNS, ROWS, history=100)
    stream = pyte.Stream(screen)
    stream.feed("mine\r\n")
    stream.feed(sifted("".join(steps), others=True).replace("\n", "\r\n"))
    above = ["".join(row[column].data for column in range(COLUMNS)) for row in screen.history.top]
    assert [*above, *screen.display][0].rstrip() == "mine"


@given(TEXTS)
def test_text_without_escapes_is_not_changed(text: str) -> None:
    plain = re.sub(r"[\x00-\x06\x0b\x0c\x0e-\x1f\x7f-\x9f]", "", text)
    assert sifted(plain, others=True) == plain


@pytest.mark.parametrize(
    "text",
    [
        "plain é漢\n\t\r\b\x07",
        "\x1b[1;31mred\x1b[0m \x1b[38:2::1:2:3m\x1b[m",
        "\r\x1b[K\x1b[2K 5%\x1b[10G\x1b[3C\x1b[2D",
        "one\ntwo\n\x1b[2A\x1b[J",
        "one\ntwo\n\x1b[1F\x1b[1E",
        "\x1b]8;;https://x.org/?q=1\x1b\\link\x1b]8;;\x1b\\",
        "\x1b]8;id=a-1;mailto:ana@x.org\x07link\x1b]8;;\x07",
    ],
)
def test_colours_links_and_progress_bars_are_shown(text: str) -> None:
    assert sifted(text, others=True) == text


def test_a_progress_display_of_rich_looks_the_same() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=60, legacy_windows=False)
    with Progress(console=console, auto_refresh=False) as progress:
        tasks = [progress.add_task(name, total=3) for name in ("one", "two")]
        for number in range(3):
            for task in tasks:
                progress.update(task, advance=1)
            progress.refresh()
            console.print(f"after {number}")
    shown = []
    for text in (out.getvalue(), sifted(out.getvalue(), others=True)):
        screen = pyte.Screen(60, 10)
        pyte.Stream(screen).feed(text.replace("\n", "\r\n"))
        shown.append(screen.display)
    assert shown[0] == shown[1]
    assert "100%" in "".join(shown[1])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b]0;title\x07a\x1b]2;title\x1b\\b\x1bktitle\x1b\\c", "abc"),
        ("\x1b]52;c;eA==\x07a", "a"),
        ("\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\a", "a"),
        ("\x1b[c\x1b[6n\x1b[?u\x1b[>q\x1b[14t\x1b[?1$p\x05\x1bZa", "a"),
        ("\x1bP$qm\x1b\\\x1bPq~~\x1b\\\x1b_Ga=q;AA\x1b\\\x1b^x\x1b\\\x1bXx\x1b\\a", "a"),
        ("\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[?2004h\x1b[4h\x1b[>1u\x1b=\x1b[2;5ra", "a"),
        ("\x1b(0\x0e\x1b#8\x1bc\x1b7\x1b8\x1bM\x1b[s\x1b[u\x1b[5;5H\x1b[2J\x1b[1J\x1b[3J\x1b[5Sa", "a"),
        ("\x1b[>4;2m\x1b[?4m\x1b[1 q\x1b[5da", "a"),
        ("\x9b31ma\x9d0;t\x9c\x85", "31ma0;t"),
        ("\x1b[\x1b[6n6na", "6na"),
        ("\x1b[3\x186n", "6n"),
        ("\x1b]0;never\x1b[31mred", "\x1b[31mred"),
        ("a\x1b[5Ab\n\x1b[9Ac", "ab\n\x1b[1Ac"),
        ("a\nb\x1b[3Fc\x1b[Fd\x1b[9Ee", "a\nb\x1b[1Fc\rd\x1b[1Ee"),
        ("\x1b]8;;file:///etc/passwd\x07a\x1b]8;;\x07", "\x1b]8;;\x1b\\a\x1b]8;;\x07"),
        ("\x1b]8;;https://x.org\x07a\x1b]8;;evil:x\x07b", "\x1b]8;;https://x.org\x07a\x1b]8;;\x1b\\b"),
        ("\x1b]8;;https://é\x07a", "\x1b]8;;\x1b\\a"),
        ("\x1b]1337;File=name=eA==:eA==\x07a", "a"),
        (f"\x1b[{'1' * 90}m", f"{'1' * 10}m"),
    ],
)
def test_nothing_reaches_beyond_the_cells(text: str, left: str) -> None:
    assert sifted(text, others=True) == left


@pytest.mark.parametrize("begin", ["\x1b]0;", "\x1bP", "\x1b_G", "\x1bk", "\x1b]8;;https://x.org/"])
def test_a_string_without_an_end_does_not_swallow_all_that_follows(
    begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sieve, "STRING_CHARACTERS", 1000)
    through = Strict()
    shown = "".join(through.through(each) for each in [begin, *(["x" * 500] * 20), "the end"])
    assert shown.endswith("x" * 500 + "the end")


def test_what_is_held_is_bounded() -> None:
    through = Strict()
    for _ in range(100):
        through.through("\x1b]8;;https://x.org/" + "a" * 1000)
    assert len(through._held) < 2 * sieve.LINK_CHARACTERS
    assert passed(["\x1b[" + "1" * 10_000]) == "1" * 9_920


def test_after_the_cell_nothing_is_held_and_nothing_can_be_gone_back_to() -> None:
    through = Strict()
    assert through.through("a\nb\n\x1b]0;never ends") == "a\nb\n"
    through.restart()
    assert through.through("\x1b[2Aplain") == "plain"


@pytest.mark.parametrize("cut", range(1, 14))
def test_what_is_ones_own_passes_but_asks_nothing(cut: int) -> None:
    own = "\x1b[?1049h\x1b[6n"
    through = Lenient()
    assert through.through(own[:cut]) + through.through(own[cut:]) == "\x1b[?1049h"


def test_an_own_escape_without_an_end_goes_on_in_the_end() -> None:
    through = Lenient()
    shown = "".join(through.through(each) for each in ["\x1bPq", *["~" * 30_000] * 4])
    assert shown == "\x1bPq" + "~" * 120_000


@pytest.mark.parametrize(
    ("trust", "mine", "others"),
    [
        (Trust(), True, False),
        (Trust(), False, True),
        (Trust(elsewhere=True), True, True),
        (Trust(elsewhere=True, escapes="all"), False, False),
    ],
)
def test_whose_text_it_is(trust: Trust, mine: bool, others: bool) -> None:
    assert trust.others(mine=mine) is others
