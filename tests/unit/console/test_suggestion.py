"""What is proposed in grey."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

from holdfast.console.suggestion import LINE_CHARACTERS, Lines, Suggester

ENTRIES = st.lists(st.text("ab \n", max_size=8), max_size=12)


def lines(*entries: str) -> Lines:
    made = Lines()
    made.put_before(entries)
    return made


def test_the_newest_line_that_begins_so_is_proposed() -> None:
    assert lines("import os", "x = 1", "import sys", "y = 2").rest("imp") == "ort sys"


def test_a_line_within_a_cell_is_proposed_whatever_its_indent() -> None:
    assert lines("for x in y:\n        print(x)\n", "z").rest("pri") == "nt(x)"


def test_the_line_that_is_typed_already_is_not_proposed_again() -> None:
    assert lines("x = 10", "x = 1", "x = 1").rest("x = 1") == "0"
    assert lines("x = 1").rest("x = 1") == ""


def test_what_was_just_run_is_the_newest() -> None:
    past = lines("import os")
    assert past.rest("im") == "port os"
    past.append("import sys")
    assert past.rest("im") == "port sys"
    past.put_before(["import re"])
    assert past.rest("im") == "port sys"
    assert past.rest("import r") == "e"


def test_pasted_data_is_not_proposed() -> None:
    assert lines("data = " + "0" * LINE_CHARACTERS).rest("data") == ""


@given(ENTRIES, st.text("ab ", min_size=1, max_size=6), st.data())
def test_typing_and_deleting_on_finds_what_a_search_from_the_start_finds(
    entries: list[str], line: str, data: st.DataObject
) -> None:
    past = lines(*entries)
    for end in data.draw(st.lists(st.integers(1, len(line)), min_size=1)):
        typed = line[:end].lstrip()
        if typed:
            candidates = [each.strip() for entry in entries for each in entry.splitlines()]
            longer = [each for each in candidates if each.startswith(typed) and len(each) > len(typed)]
            assert past.rest(typed) == (longer[-1][len(typed) :] if longer else "")


def test_a_line_costs_hardly_more_than_its_first_key_with_a_hundred_thousand_entries() -> None:
    def cost(*keys: str) -> float:
        past = lines(*(f"value_{number} = compute({number})" for number in range(100_000)))
        begun = time.process_time()
        for typed in keys:
            past.rest(typed)
        return time.process_time() - begun

    line = "value_7 = compute(7) and then something that nobody has typed before"
    first = min(cost("q") for _ in range(3))  # nothing begins so: all is searched
    whole = min(cost(*(line[:end] for end in range(1, len(line)))) for _ in range(3))
    assert whole < 20 * first


def test_nothing_is_proposed_in_the_middle_of_the_text() -> None:
    suggester = Suggester(lines("import os"))
    assert suggester.get_suggestion(Buffer(), Document("im\nx", 2)) is None
    assert suggester.get_suggestion(Buffer(), Document("x\n   ")) is None
    suggestion = suggester.get_suggestion(Buffer(), Document("x\n   im"))
    assert suggestion is not None
    assert suggestion.text == "port os"
