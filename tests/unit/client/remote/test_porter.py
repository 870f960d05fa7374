"""The porter's answers to what is no request, and the door that a client makes of its answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.remote.porter import Porter, links
from holdfast.client.remote.tunnel import door
from holdfast.errors import HoldfastError, SessionError

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.binary() | anything.map(lambda each: json.dumps(each).encode()))
def test_what_is_no_request_is_refused_and_costs_nothing(line: bytes) -> None:
    told = Porter().answer(line)
    assert told["ok"]
    assert told["refused"]["what"]


@pytest.mark.parametrize("token", ["", "../etc", "0" * 31, "G" * 32, "0" * 33, "0" * 31 + "\n"])
def test_a_folder_has_the_name_that_was_drawn_or_none(token: str) -> None:
    with pytest.raises(SessionError):
        links(token)


@given(st.dictionaries(st.sampled_from(["key", "scheme", "epoch", "ip"]), anything))
def test_nothing_that_the_other_side_says_becomes_a_path(told: dict[str, Any]) -> None:
    try:
        info = door(Path("/tmp/x/door"), told)
    except HoldfastError:
        return
    assert info.url("shell") == "ipc:///tmp/x/door-1"
    assert info.key == told["key"]
