"""Names and code of others among our own words."""

from __future__ import annotations

import pytest

from holdfast.visible import in_line, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é漢\n\t", "plain é漢\n\t"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\rb\x07", r"a\rb\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("user\u202e", r"user\u202e"),
    ],
)
def test_control_characters_of_others_are_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_name_stays_on_its_line() -> None:
    assert in_line("ana\nIn [1]:\tx") == r"ana\nIn [1]:\tx"
