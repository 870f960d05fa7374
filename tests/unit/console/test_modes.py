"""What a cell has left switched is switched back, and nothing else."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.console.modes import Modes

BOTTOM = "\x1b[999B"


@pytest.mark.parametrize(
    ("written", "back"),
    [
        ("plain", ""),
        ("\x1b[31m", "\x1b[0m"),
        ("\x1b[31mred\x1b[m", ""),
        ("\x1b[31mred\x1b[0m \x1b[A", ""),
        ("\x1b]8;;http://x\x07link", "\x1b]8;;\x1b\\"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", ""),
        ("\x1b[?25lhidden", "\x1b[?25h"),
        ("\x1b[?25l bar \x1b[?25h", ""),
        ("\x1b[?1000h\x1b[?1006h", "\x1b[?1006l\x1b[?1000l"),
        ("\x1b[?1000;1006h\x1b[?1000l", "\x1b[?1006l"),
        ("\x1b[?1049hscreen", "\x1b[?1049l\r\n"),
        ("\x1b[?2004l\x1b[?12h\x1b[?99999999999h", ""),
        ("\x1b[?2031h\x1b[?5h", "\x1b[?5l\x1b[?2031l"),
        ("\x1b[4h\x1b[20l\x1b[12l", "\x1b[12h\x1b[4l"),
        ("\x1b(0", "\x1b(B\x1b)B\x0f"),
        ("\x0e", "\x1b(B\x1b)B\x0f"),
        ("\x1b(B\x1b[m", ""),
        ("\x1b=", "\x1b>"),
        ("\x1b=\x1b>", ""),
        ("\x1b[5;10r", f"\x1b[r{BOTTOM}\r\n"),
        ("\x1b[5;10r\x1b[r", ""),
        ("\x1b[?6h", f"\x1b[?6l{BOTTOM}\r\n"),
        ("\x1b[>1u\x1b[>3u", "\x1b[<u\x1b[<u"),
        ("\x1b[>1u\x1b[>3u\x1b[<u", "\x1b[<u"),
        ("\x1b[>1u\x1b[<9u\x1b[=0u", ""),
        ("\x1b[?1049h\x1b[>1u", "\x1b[<u\x1b[?1049l\r\n"),
        ("\x1b[=5u", "\x1b[=0u"),
        ("\x1b[>4;2m", "\x1b[>4m"),
        ("\x1b[4 q", "\x1b[0 q"),
        ("\x1b[0 q", ""),
        ("\x1b[?1000h\x1b(0\x1bc", ""),
    ],
)
def test_what_a_cell_has_left_switched_is_switched_back_once(written: str, back: str) -> None:
    modes = Modes()
    modes.follow(written)
    assert modes.usual() == back
    modes.follow(back)
    assert modes.usual() == ""


def test_a_colour_that_goes_on_can_be_ended_before_the_rest() -> None:
    modes = Modes()
    modes.follow("\x1b[?25l\x1b[31mred")
    assert modes.ink() == "\x1b[0m"
    assert modes.usual() == "\x1b[?25h"


SWITCHES = [
    *("\x1b[?25l", "\x1b[?25h", "\x1b[?7l", "\x1b[?5h", "\x1b[?6h", "\x1b[?6l", "\x1b[?1000;1006h"),
    *(
        "\x1b[?1006l",
        "\x1b[4h",
        "\x1b[4l",
        "\x1b[20h",
        "\x1b(0",
        "\x1b(B",
        "\x0e",
        "\x0f",
        "\x1b[2;5r",
        "\x1b[r",
    ),
    *("\x1b[31m", "\x1b[0m", "\x1b[7;1m", "\x1bc", "x", "\n"),
]


def state(screen: pyte.Screen) -> tuple[object, ...]:
    drawing = screen.cursor.attrs, screen.cursor.hidden, screen.charset, screen.g0_charset
    return set(screen.mode), screen.margins, *drawing


@given(st.lists(st.sampled_from(SWITCHES)))
def test_a_terminal_is_as_it_was_whatever_was_switched(texts: list[str]) -> None:
    screen = pyte.Screen(20, 8)
    before = state(screen)
    modes, stream = Modes(), pyte.Stream(screen)
    stream.use_utf8 = False  # so that it knows character sets
    for text in texts:
        stream.feed(text)
        modes.follow(text)
    stream.feed(modes.usual())
    assert state(screen) == before
