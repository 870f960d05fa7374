"""What `?` alone says."""

from __future__ import annotations

from holdfast.console.help import HELP


def test_it_fits_on_the_smallest_usual_terminal_without_a_pager() -> None:
    lines = HELP.splitlines()
    assert max(map(len, lines)) < 80
    assert len(lines) < 22
