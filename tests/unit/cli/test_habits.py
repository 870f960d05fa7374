"""Habits from elsewhere: what they mean here, or what to type."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli.commands import COMMANDS
from holdfast.cli.habits import ANSWERS, INSTEAD, SYNONYMS, answer, as_ours


@pytest.mark.parametrize("word", [*INSTEAD, *ANSWERS])
def test_what_is_offered_is_a_command_of_ours(word: str) -> None:
    offered = answer(word, ["work"])
    assert offered is not None
    assert {*re.findall(r"holdfast ([a-z]+)", offered)} <= {*COMMANDS}
    assert "NAME" not in offered


def test_no_word_has_two_meanings() -> None:
    words = [*COMMANDS, *SYNONYMS, *INSTEAD, *ANSWERS]
    assert len(words) == len({*words})


@given(st.sampled_from([*COMMANDS]), st.lists(st.sampled_from(["-s", "-t", "-d", "work", "--json"])))
def test_only_the_option_before_a_name_is_taken_away(command: str, words: list[str]) -> None:
    ours = as_ours(command, words)
    assert len(words) - len(ours) in (0, 1)
    assert [each for each in ours if each not in ("-s", "-t")] == [
        each for each in words if each not in ("-s", "-t")
    ]
    if "-s" in words and command in ("run", "log"):
        assert ours == words
