"""Parameters of a run, as somebody types them or keeps them in a file."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cellfiles import parameters
from holdfast.errors import HoldfastError


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1", 1),
        ("-3", -3),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("True", True),
        ("None", None),
        ("true", "true"),
        ("a b", "a b"),
    ],
)
def test_types_are_guessed_as_papermill_does(typed: str, meant: object) -> None:
    assert parameters.typed(typed) == meant
    assert type(parameters.typed(typed)) is type(meant)


def test_files_are_read_by_their_kind() -> None:
    assert parameters.of_file("p.json", '{"a": [1, null]}') == {"a": [1, None]}
    assert parameters.of_file("p.TOML", "a = 2026-01-01\n[b]\nc = 1\n") == {
        "a": dt.date(2026, 1, 1),
        "b": {"c": 1},
    }
    assert parameters.of_file("p.json", "null") == {}


def test_yaml_is_read_where_there_is_a_package_for_it() -> None:
    pytest.importorskip("yaml")
    assert parameters.of_file("p.yaml", "a: [1, x]\nb:\n") == {"a": [1, "x"], "b": None}


@pytest.mark.parametrize(
    ("name", "text"), [("p.json", "{"), ("p.toml", "a"), ("p.json", "[1]"), ("p.json", "1")]
)
def test_a_file_that_says_no_parameters_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(HoldfastError, match=r"^p\."):
        parameters.of_file(name, text)


@pytest.mark.parametrize("name", ["a-b", "1a", "", "class", "a b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(HoldfastError, match="variable"):
        parameters.code({name: 1})


def test_a_slip_of_the_pen_is_noticed() -> None:
    assert parameters.unknown(["alpha", "beta"], "alpha = 1\nbeta: int = 2\n") == []
    assert parameters.unknown(["alhpa"], "alpha = 1") == ["alhpa"]
    assert parameters.unknown(["alhpa"], "%load x") == []


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(["a", "b", "ä"]), values))
def test_the_cell_sets_each_to_its_value(given_: dict[str, Any]) -> None:
    namespace: dict[str, Any] = {}
    code = parameters.code(given_)
    assert code.startswith("# Parameters")
    exec(code, namespace)
    namespace.pop("__builtins__")
    assert namespace == given_


def test_what_is_no_number_and_what_is_none_of_json_has_a_way_too() -> None:
    assert math.isnan(eval(parameters.written(math.nan)))
    assert parameters.written(dt.date(2026, 1, 2)) == "'2026-01-02'"
