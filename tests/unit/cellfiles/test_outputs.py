"""What a notebook keeps of a cell's messages."""

from __future__ import annotations

from typing import Any

import nbformat
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.cellfiles.document import new
from holdfast.cellfiles.outputs import Outputs

Message = tuple[str, dict[str, Any]]


def text(words: str, name: str = "stdout") -> Message:
    return "stream", {"name": name, "text": words}


def shown(words: str, identity: str = "", kind: str = "display_data") -> Message:
    transient = {"transient": {"display_id": identity}} if identity else {}
    return kind, {"data": {"text/plain": words}, "metadata": {}, **transient}


def outputs(*messages: Message) -> list[dict[str, Any]]:
    cell: dict[str, Any] = {"outputs": ["of before"], "execution_count": 1}
    taken = Outputs().of(cell)
    for message in messages:
        taken.take(*message)
    found: list[dict[str, Any]] = cell["outputs"]
    return found


def words(*messages: Message) -> list[str]:
    return ["".join(each.get("text") or each["data"]["text/plain"]) for each in outputs(*messages)]


def test_text_of_one_stream_is_one_output_by_lines() -> None:
    assert outputs(text("a\nb"), text("c\n"), text("no", "stderr"), text("d")) == [
        {"name": "stdout", "output_type": "stream", "text": ["a\n", "bc\n"]},
        {"name": "stderr", "output_type": "stream", "text": ["no"]},
        {"name": "stdout", "output_type": "stream", "text": ["d"]},
    ]


def test_what_is_no_text_but_is_called_one_is_made_one() -> None:
    data = {"text/plain": 5, "image/png": None, "application/json": {"a": 1}, "application/x+json": [1]}
    kept = outputs(("display_data", {"data": data, "metadata": {}}))[0]["data"]
    assert kept == data | {"text/plain": ["5"], "image/png": "None"}


def test_displays_and_results_are_bundles_of_data() -> None:
    data = {"text/plain": "a\nb", "image/png": "AA\nBB", "application/json": {"x": [1]}}
    result = ("execute_result", {"data": data, "metadata": {"m": 1}, "execution_count": 4})
    assert outputs(result) == [
        {
            "data": {"text/plain": ["a\n", "b"], "image/png": "AA\nBB", "application/json": {"x": [1]}},
            "execution_count": 4,
            "metadata": {"m": 1},
            "output_type": "execute_result",
        }
    ]


def test_an_error_is_kept_with_its_traceback() -> None:
    error = {"ename": "E", "evalue": "v", "traceback": ["a", "b"], "status": "error"}
    assert outputs(("error", error)) == [
        {"ename": "E", "evalue": "v", "output_type": "error", "traceback": ["a", "b"]}
    ]


def test_a_display_shows_its_last_update_also_in_an_earlier_cell() -> None:
    all_of_them = Outputs()
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    all_of_them.of(first).take(*shown("old", "x"))
    later = all_of_them.of(second)
    later.take(*shown("new", "x", "update_display_data"))
    later.take(*shown("nobody's", "y", "update_display_data"))
    assert first["outputs"][0]["data"] == {"text/plain": ["new"]}
    assert second["outputs"] == []


def test_cleared_output_is_gone_at_once_or_when_the_next_comes() -> None:
    at_once, later = ("clear_output", {"wait": False}), ("clear_output", {"wait": True})
    assert words(text("a"), at_once) == []
    assert words(text("a"), at_once, text("b"), text("c")) == ["bc"]
    assert words(text("a"), later) == ["a"]
    assert words(text("a"), later, text("b")) == ["b"]
    assert words(text("a"), later, shown("b")) == ["b"]


def test_a_cell_begins_without_what_it_had_and_learns_its_number() -> None:
    cell: dict[str, Any] = {"outputs": ["old"], "execution_count": 1}
    taken = Outputs().of(cell)
    assert cell == {"outputs": [], "execution_count": None}
    assert taken.take("execute_input", {"execution_count": 7})
    assert not taken.take("status", {"execution_state": "idle"})
    assert cell["execution_count"] == 7


@given(st.lists(st.text("a\n\r\x0b\u2028", max_size=4)))
def test_text_is_the_same_however_it_was_cut(pieces: list[str]) -> None:
    whole = "".join(pieces)
    if pieces:
        assert outputs(*map(text, pieces))[0]["text"] == whole.splitlines(keepends=True)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
kinds = st.sampled_from(
    ["stream", "display_data", "execute_result", "update_display_data", "error", "execute_input"]
)
mime_types = st.sampled_from(["text/plain", "application/json", "image/svg+xml", "image/png", "x"])
bundles = st.dictionaries(mime_types, anything, max_size=2)
contents = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["name", "text", "ename", "evalue", "traceback", "execution_count"], anything),
        **dict.fromkeys(["data", "metadata"], anything | bundles),
        "transient": anything | st.just({"display_id": "1"}),
    },
)


@settings(max_examples=25)  # nbformat takes its time
@given(st.lists(st.tuples(kinds, contents), max_size=4))
def test_whatever_a_program_publishes_a_notebook_can_keep(messages: list[Message]) -> None:
    document = new()
    document.cells.append(document.new_cell("code", "f()", {}))
    taken = Outputs().of(document.cells[0])
    for message in messages:
        taken.take(*message)
    nbformat.validate(document.tree)
