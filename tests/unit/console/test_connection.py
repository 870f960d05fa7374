"""What a console says of its connection."""

from __future__ import annotations

import pytest

from holdfast.client.catchup import Missed
from holdfast.console.connection import Connection


@pytest.mark.parametrize(
    ("missed", "said"),
    [
        (Missed(cells=1), "meanwhile 1 cell ran unseen; all of it: holdfast log w"),
        (
            Missed(cells=2, size=1_200_000),
            "meanwhile 2 cells ran unseen and 1.2 MB of output are left out; all of it: holdfast log w",
        ),
        (
            Missed(unknown=True),
            "some of what happened is missing here: w did not tell it in time; all of it: holdfast log w",
        ),
    ],
)
def test_what_is_missing_is_said_in_a_line_with_where_to_read_it(missed: Missed, said: str) -> None:
    lines: list[str] = []
    Connection("w", lambda line, _: lines.append(line), lambda: None).missed(missed)
    assert lines == [said]
