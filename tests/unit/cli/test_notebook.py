"""A log as a notebook: what stood on the screen at the end, in nbformat's words."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli import notebook

Published = tuple[str, dict[str, Any]]


def outputs_of(*cells: list[Published]) -> list[list[dict[str, Any]]]:
    tree = notebook.of_cells(
        {
            "id": number,
            "count": number,
            "code": "1",
            "client": "ana",
            "started": 1e9,
            "ended": None,
            "status": "ok",
            "outputs": [{"msg_type": kind, "content": content} for kind, content in outputs],
        }
        for number, outputs in enumerate(cells, 1)
    )
    return [cell["outputs"] for cell in tree["cells"]]


def said(text: str, name: str = "stdout") -> Published:
    return "stream", {"name": name, "text": text}


def display(text: str, identity: str = "", kind: str = "display_data") -> Published:
    transient = {"transient": {"display_id": identity}} if identity else {}
    return kind, {"data": {"text/plain": text}, "metadata": {}, **transient}


def shown(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": [text]}, "metadata": {}}


def stream(*lines: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": list(lines)}


def test_text_of_one_stream_is_one_output() -> None:
    mixed = [said("a"), said("b\n"), said("c"), said("no", "stderr"), said("d")]
    assert outputs_of(mixed) == [[stream("ab\n", "c"), stream("no", name="stderr"), stream("d")]]


def test_a_display_stands_as_it_was_updated_last_also_from_a_later_cell() -> None:
    first = [display("0 %", "bar"), said("x"), display("50 %", "bar", "update_display_data")]
    second = [display("100 %", "bar", "update_display_data")]
    assert outputs_of(first, second) == [[shown("100 %"), stream("x")], []]


def test_what_was_cleared_is_not_there() -> None:
    assert outputs_of([said("a"), ("clear_output", {"wait": False}), said("b")]) == [[stream("b")]]
    assert outputs_of([said("a"), ("clear_output", {"wait": True})]) == [[stream("a")]]
    assert outputs_of([said("a"), ("clear_output", {"wait": True}), display("b")]) == [[shown("b")]]


def test_what_the_journal_did_not_keep_is_stated() -> None:
    lost = outputs_of([said("a"), ("omitted", {"bytes": 3_000_000})])
    assert lost == [[stream("a"), stream("(3.0 MB of output were not kept)\n", name="stderr")]]


def test_only_text_is_cut_into_lines() -> None:
    data = {"text/html": "<b>\n</b>", "application/json": {"a": 1}, "application/geo+json": "{}\n{}"}
    (((output,),)) = outputs_of([("display_data", {"data": data})])
    assert output["data"] == data | {"text/html": ["<b>\n", "</b>"]}


@given(st.lists(st.text(alphabet="ab\n\r", max_size=5)))
def test_no_character_of_a_stream_is_lost(pieces: list[str]) -> None:
    (outputs,) = outputs_of([said(each) for each in pieces])
    assert "".join(line for output in outputs for line in output["text"]) == "".join(pieces)
