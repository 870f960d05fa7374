"""How one cell of the log reads."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.cli.logs import transcript


def cell(code: str, *outputs: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    said = [{"msg_type": kind, "content": content} for kind, content in outputs]
    return {"id": 1, "count": 3, "code": code, "client": "ana", "status": "ok", "outputs": said} | more


def show(cell: dict[str, Any]) -> str:
    """How it reads, up to the empty line behind it."""
    shown = transcript.show(cell)
    assert shown.endswith("\n\n")
    return shown[:-1]


def test_a_cell_shows_who_ran_what_and_what_came() -> None:
    shown = show(
        cell(
            "for i in x:\n    print(i)",
            ("stream", {"name": "stdout", "text": "1\n2\n"}),
            ("execute_result", {"execution_count": 3, "data": {"text/plain": "42", "text/html": "<b>"}}),
        )
    )
    assert shown == "# ana\nIn [3]: for i in x:\n   ...:     print(i)\n1\n2\nOut[3]: 42\n"


def test_a_line_that_was_printed_in_pieces_stays_one() -> None:
    pieces = [("stream", {"name": "stdout", "text": each}) for each in ("on", "e\n", "two")]
    result = ("execute_result", {"execution_count": 3, "data": {"text/plain": "a  b\n1  2"}})
    assert show(cell("f()", *pieces, result)).endswith("\none\ntwo\nOut[3]: \na  b\n1  2\n")


@pytest.mark.parametrize("kind", ["error", "execute_result", "display_data", "stream"])
@pytest.mark.parametrize("value", [5, None, "text", [None, 1], {"a": [1]}], ids=str)
def test_a_message_that_a_program_made_up_is_shown_all_the_same(kind: str, value: object) -> None:
    fields = ("data", "metadata", "traceback", "ename", "text", "name", "execution_count")
    for content in ({}, *({field: value} for field in fields)):
        assert show(cell("f()", (kind, content))).startswith("# ana\nIn [3]: f()\n")


def test_names_from_elsewhere_do_no_harm_to_the_terminal() -> None:
    assert "\x1b]" not in transcript.show(cell("1", client="\x1b]0;ana"), colours=True)


def test_times_are_told_when_they_are_known() -> None:
    head = show(cell("1", started=1e9, ended=1e9 + 2.34)).splitlines()[0]
    assert head.startswith("# ana, 2001-09-09 ")
    assert head.endswith(", 2.3 s")


def test_an_error_shows_its_traceback() -> None:
    shown = show(cell("1/0", ("error", {"ename": "E", "evalue": "v", "traceback": ["Traceback", "E: v"]})))
    assert shown.endswith("\nTraceback\nE: v\n")
    assert show(cell("1/0", ("error", {"ename": "E", "evalue": "v"}))).endswith("\nE: v\n")


def test_a_picture_is_told_by_its_kinds() -> None:
    assert "<image/png>" in show(cell("plot()", ("display_data", {"data": {"image/png": "…"}})))


def test_a_cell_that_came_to_no_good_end_says_so() -> None:
    for status, note in {
        "aborted": "(not run: a cell before it failed)",
        "crashed": "(the Python process died in it)",
        "interrupted": "(interrupted)",
        "running": "(running)",
        "queued": "(waiting)",
        "cut off": "(the session ended in it)",
    }.items():
        assert note in show(cell("1", status=status))
    assert "(" not in show(cell("1"))


def test_what_the_journal_did_not_keep_is_stated() -> None:
    shown = show(cell("1", ("omitted", {"bytes": 3_000_000})))
    assert shown.endswith("\n(3.0 MB of output were not kept)\n")


def test_a_cell_without_a_number_has_none() -> None:
    assert show(cell("1", count=None)).splitlines()[1] == "In [ ]: 1"
