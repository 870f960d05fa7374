"""What a cell has left switched is switched back, and nothing else."""

from __future__ import annotations

import pytest

from holdfast.console.modes import Modes


@pytest.mark.parametrize(
    ("written", "back"),
    [
        ("plain\x1b[31m", ""),
        ("\x1b[?25lhidden", "\x1b[?25h"),
        ("\x1b[?25l bar \x1b[?25h", ""),
        ("\x1b[?1000h\x1b[?1006h", "\x1b[?1000l\x1b[?1006l"),
        ("\x1b[?1000;1006h\x1b[?1000l", "\x1b[?1006l"),
        ("\x1b[?1049hscreen", "\x1b[?1049l\r\n"),
        ("\x1b[?2004l\x1b[?12h\x1b[?99999999999h", ""),
    ],
)
def test_what_a_cell_has_left_switched_is_switched_back_once(written: str, back: str) -> None:
    modes = Modes()
    modes.follow(written)
    assert modes.usual() == back
    assert modes.usual() == ""
