"""What is told of the time before one came."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.past import Past
from holdfast.console.recall import ROWS, recalled
from holdfast.protocol.messages import Header


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def cell(code: str, *messages: tuple[str, dict[str, Any]], who: str = "ana", omitted: int = 0) -> Past:
    header = Header(msg_id="1", msg_type="execute_request", session="s", username=who)
    return Past(header, code, 7, True, list(messages), omitted)


def said(*cells: Past, width: int = 80) -> list[str]:
    return recalled(cells, "me", width)


def stream(text: str) -> tuple[str, dict[str, Any]]:
    return "stream", {"name": "stdout", "text": text}


def test_cells_stand_in_their_order_with_a_line_between_them_and_ours_without_a_label() -> None:
    told = said(cell("a", stream("x\n")), cell("b", who="me"))
    assert told == ["[ana] In [7]: a", "x", "", "In [7]: b"]


def test_what_begins_a_line_does_so_after_half_a_line() -> None:
    result = "execute_result", {"execution_count": 7, "data": {"text/plain": "1"}}
    assert said(cell("a", stream("half"), result)) == ["[ana] In [7]: a", "half", "[ana] Out[7]: 1"]


def test_what_was_cleared_is_gone_only_when_something_came_after_it_or_the_cell_ended_so() -> None:
    assert said(cell("a", stream("old\n"), ("clear_output", {"wait": True}), stream("new\n"))) == [
        "[ana] In [7]: a",
        "new",
    ]


def test_of_a_long_cell_the_beginning_of_its_code_is_told() -> None:
    told = said(cell("\n".join(f"line{number}" for number in range(30)), stream("out\n")))
    assert told[-2:] == ["… 25 more lines", "out"]


def test_how_much_output_came_before_is_told() -> None:
    assert said(cell("a", stream("end\n"), omitted=5000)) == ["[ana] In [7]: a", "… 5.0 kB before", "end"]


def test_a_name_can_not_move_the_cursor() -> None:
    assert said(cell("a", who="\x1b[2J")) == [r"[\x1b[2J] In [7]: a"]


@given(st.lists(st.text(max_size=300), max_size=12), st.integers(20, 100))
def test_whatever_was_printed_fits_a_glance_and_moves_no_cursor(texts: list[str], width: int) -> None:
    told = said(cell("old"), cell("a", *map(stream, texts)), width=width)
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]", re.sub(r"\x1b\[[\d;:]*m", "", "".join(told)))
    assert len(told) <= ROWS + 3


def test_of_a_long_cell_the_beginning_is_told_however_long_its_lines_are() -> None:
    told = said(cell("x = '" + "a" * 100_000 + "'\n" + "y\n" * 3_000), width=40)
    assert told[-1] == "… 2996 more lines"
    assert sum(map(len, told)) < 500


def test_a_message_that_makes_no_sense_keeps_nobody_out() -> None:
    assert said(cell("a", ("error", {"traceback": 5}), stream("b\n"))) == [
        "[ana] In [7]: a",
        "<error that can't be shown: TypeError>",
        "b",
    ]
