"""The menu, made of a kernel's reply."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document

from holdfast.console.completion import TYPES, KernelCompleter, age, proposals
from holdfast.errors import NoAnswer


def reply(*matches: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"matches": [match["text"] for match in matches], "metadata": {TYPES: list(matches)}, **fields}


def menu(completions: list[Completion]) -> list[tuple[str, int, str, str]]:
    return [
        (each.text, each.start_position, each.display_text, each.display_meta_text) for each in completions
    ]


def test_matches_are_shown_with_kind_and_signature() -> None:
    match = {"text": "isfile", "start": 8, "end": 10, "type": "function", "signature": "(path)"}
    assert menu(proposals(reply(match), "os.path.is", 10)) == [("isfile", -2, "isfile", "function(path)")]


def test_a_kind_that_the_kernel_does_not_know_is_left_out() -> None:
    match = {"text": "x", "start": 0, "end": 0, "type": "<unknown>"}
    assert menu(proposals(reply(match), "", 0)) == [("x", 0, "x", "")]


def test_matches_without_kinds_replace_what_the_reply_says() -> None:
    content = {"matches": ["os.path"], "cursor_start": 7, "cursor_end": 10, "metadata": {}}
    assert menu(proposals(content, "import os.p", 10)) == [("os.path", -3, "path", "")]


def test_what_stands_on_the_line_already_is_not_repeated_in_the_menu() -> None:
    match = {"text": "/usr/lib", "start": 6, "end": 12, "type": "path"}
    assert menu(proposals(reply(match), "open('/usr/l", 12)) == [("/usr/lib", -6, "lib", "path")]


def test_nonsense_is_no_proposal() -> None:
    for content in (
        {},
        {"matches": [], "metadata": None},
        {"metadata": {TYPES: "?"}},
        {"metadata": {TYPES: [1]}},
    ):
        assert proposals(content, "x", 1) == []


def test_the_kernel_is_asked_about_the_whole_cell_at_the_cursor() -> None:
    asked = []

    async def ask(code: str, cursor: int) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        asked.append((code, cursor))
        return {"matches": ["abc"], "cursor_start": 0, "cursor_end": 2, "metadata": {}}, {}

    async def complete() -> list[Completion]:
        event = CompleteEvent(completion_requested=True)
        found = KernelCompleter(ask).get_completions_async(Document("ab\ncd", 2), event)
        return [each async for each in found]

    assert [each.text for each in asyncio.run(complete())] == ["abc"]
    assert asked == [("ab\ncd", 2)]


def test_a_kernel_that_does_not_answer_has_no_menu() -> None:
    async def ask(_code: str, _cursor: int) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        raise NoAnswer("too late")

    async def complete() -> list[Completion]:
        event = CompleteEvent(completion_requested=True)
        return [each async for each in KernelCompleter(ask).get_completions_async(Document("x"), event)]

    assert asyncio.run(complete()) == []


def test_the_menu_says_when_it_is_older_than_the_cell_that_runs() -> None:
    matches = [{"text": text, "start": 0, "type": "int"} for text in ("aa", "ab")]
    found = proposals(reply(*matches), "a", 1, "old")
    assert [meta for *_, meta in menu(found)] == ["int (old)", "int"]
    assert age({"holdfast": {"as_of": 7}}) == "as of In[7]"
    assert age({"holdfast": {"as_of": None}}) == "as of the start"
    assert age({"holdfast": "?"}) == age({"holdfast": {}}) == age({}) == ""


def test_a_match_that_can_not_be_seen_as_it_is_is_not_offered() -> None:
    seen = {"text": "x", "start": 0, "end": 0}
    hidden = [{"text": text, "start": 0, "end": 0} for text in ("x\x1b[8m", "x\nimport os", "x\u202ey")]
    assert [each[0] for each in menu(proposals(reply(*hidden, seen), "", 0))] == ["x"]
