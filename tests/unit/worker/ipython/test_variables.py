"""The view of the variables, of a shell as IPython makes it."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell

from holdfast.worker.ipython.variables import TEXT_CHARACTERS, described

ALL = {"names": [], "limit": 1000, "text": True}

NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


@pytest.fixture(scope="module")
def shell() -> Any:
    return InteractiveShell()


def one(shell: Any, value: object) -> Any:
    shell.user_ns["it"] = value
    (found,) = described(shell, ALL | {"names": ["it"]})["variables"]
    return found


@given(value=NESTED)
def test_any_plain_value_is_one_line_of_bounded_length(shell: Any, value: object) -> None:
    text = one(shell, value)["text"]
    assert len(text) <= TEXT_CHARACTERS
    assert len(text.splitlines()) <= 1


@pytest.mark.parametrize(
    "value", [[1, 2], (1,), {1: "a"}, {3}, frozenset({3}), "a", b"a", bytearray(b"a"), set(), frozenset(), {}]
)
def test_small_containers_look_as_python_shows_them(shell: Any, value: object) -> None:
    found = one(shell, value)
    assert found["text"] == repr(value)
    assert found["size"] == len(value)  # type: ignore[arg-type]


def test_what_is_deep_or_contains_itself_is_cut(shell: Any) -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert one(shell, loop)["text"] == "[[[[...]]]]"
    assert one(shell, {1: {2: {3: {4: 5}}}})["text"] == "{1: {2: {3: {...}}}}"


def test_types_are_named_with_their_module_unless_that_says_nothing(shell: Any) -> None:
    assert one(shell, 1)["type"] == "int"
    assert one(shell, OrderedDict())["type"] == "collections.OrderedDict"
    assert one(shell, OrderedDict)["type"] == "type"


def test_names_of_ipython_and_private_ones_are_left_out(shell: Any) -> None:
    shell.reset()
    shell.user_ns.update(b=1, _c=2, a=3)
    assert [each["name"] for each in described(shell, ALL)["variables"]] == ["b", "a"]
    assert [each["name"] for each in described(shell, ALL | {"names": ["_c", "d"]})["variables"]] == ["_c"]


def test_the_latest_are_shown_where_there_are_too_many(shell: Any) -> None:
    shell.reset()
    shell.user_ns.update(a=1, b=2, c=3)
    found = described(shell, ALL | {"limit": 2})
    assert [each["name"] for each in found["variables"]] == ["b", "c"]
    assert found["more"] == 1
