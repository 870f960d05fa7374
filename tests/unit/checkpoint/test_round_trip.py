"""What is written comes back: equal, sharing what it shared, and in its order."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.checkpoint.loading import Loaded

from .conftest import Disk, session

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.binary(max_size=20),
)
KINDS = ("scalar", "list", "tuple", "dict", "set", "object")

Recipe = list[tuple[str, Any, list[int]]]
"""Each variable: its kind, a scalar, and which of the earlier ones it holds."""

RECIPES: st.SearchStrategy[Recipe] = st.lists(
    st.tuples(st.sampled_from(KINDS), SCALARS, st.lists(st.integers(0, 30), max_size=4)), max_size=12
)


class Thing:
    """Holds others; may refuse to be made again."""

    refuses: ClassVar[set[object]] = set()

    def __init__(self, number: int, held: list[Any]) -> None:
        self.number, self.held = number, held

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["number"] in self.refuses:
            raise ValueError("not this one")
        self.__dict__.update(state)


def cooked(recipe: Recipe) -> dict[str, Any]:
    """A namespace whose variables hold each other."""
    made: list[Any] = []
    for kind, scalar, numbers in recipe:
        held = [made[number % len(made)] for number in numbers] if made else []
        match kind:
            case "list":
                made.append([scalar, *held])
            case "tuple":
                made.append((scalar, *held))
            case "dict":
                made.append({scalar: held, "held": held[:1]})
            case "set":
                made.append({scalar, len(held)})
            case "object":
                made.append(Thing(len(made), held))
            case _:
                made.append(scalar)
    if made and isinstance(made[0], list):
        made[0].append(made[-1])  # perhaps a circle
    return {f"v{number}": value for number, value in enumerate(made)}


def outline(namespace: dict[str, Any]) -> list[Any]:
    """Values and which containers are the same, as plain data."""
    seen: dict[int, int] = {}
    numbers = itertools.count()

    def look(value: Any) -> Any:
        if not isinstance(value, list | tuple | dict | set | Thing):
            return (type(value).__name__, value)
        if id(value) in seen:
            return ("again", seen[id(value)])
        if value or not isinstance(value, tuple):
            seen[id(value)] = next(numbers)
        kind = type(value).__name__
        if isinstance(value, Thing):
            return (kind, value.number, look(value.held))
        if isinstance(value, dict):
            return (kind, [(look(key), look(each)) for key, each in value.items()])
        if isinstance(value, set):
            return (kind, sorted(map(repr, value)))
        return (kind, [look(each) for each in value])

    return [(name, look(value)) for name, value in namespace.items() if not name.startswith("__")]


def check_what_is_left(namespace: dict[str, Any], loaded: Loaded) -> None:
    """Nothing that came back is wrong, nothing is missing without being named."""
    kept = {name: value for name, value in namespace.items() if name in loaded.values}
    assert outline(loaded.values) == outline(kept)
    assert {each.name for each in loaded.lost} == namespace.keys() - kept.keys()


@settings(max_examples=60)
@given(RECIPES)
def test_values_come_back_equal_and_share_what_they_shared(recipe: Recipe) -> None:
    namespace = cooked(recipe)
    with tempfile.TemporaryDirectory() as folder:
        back = Disk(Path(folder) / "c").again(namespace)

    assert outline(back) == outline(namespace)


@settings(max_examples=40)
@given(RECIPES, st.sets(st.integers(0, 12)))
def test_whatever_is_left_out_no_other_value_is_wrong(recipe: Recipe, numbers: set[int]) -> None:
    namespace = cooked(recipe)
    skip = frozenset(f"v{number}" for number in numbers)
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder) / "c")
        loaded = disk.load(disk.write(namespace), skip)

    check_what_is_left(namespace, loaded)
    assert skip & namespace.keys() <= {each.name for each in loaded.lost}


@settings(max_examples=60)
@given(RECIPES, st.sets(st.integers(0, 12)))
def test_whatever_refuses_to_be_made_again_no_other_value_is_wrong(
    recipe: Recipe, refusing: set[object]
) -> None:
    namespace = cooked(recipe)
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder) / "c")
        manifest = disk.write(namespace)
        Thing.refuses = refusing
        try:
            loaded = disk.load(manifest)
        finally:
            Thing.refuses = set()

    check_what_is_left(namespace, loaded)


@settings(max_examples=60)
@given(RECIPES, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=3))
def test_whatever_is_damaged_no_other_value_is_wrong(recipe: Recipe, places: list[float]) -> None:
    namespace = cooked(recipe)
    with tempfile.TemporaryDirectory() as folder:
        disk = Disk(Path(folder) / "c")
        manifest = disk.write(namespace)
        for path in disk.blobs:  # both copies of the pack
            content = bytearray(path.read_bytes())
            for place in places:
                content[int(place * len(content))] ^= 0xFF
            path.write_bytes(content)
        loaded = disk.load(manifest)

    check_what_is_left(namespace, loaded)


def test_an_object_may_hold_itself(disk: Disk) -> None:
    back = disk.again(session("ring = []; ring.append(ring)"))

    assert back["ring"][0] is back["ring"]


def test_a_view_of_bytes_is_one_again(disk: Disk) -> None:
    back = disk.again(session("data = bytearray(b'abc'); view = memoryview(data)"))

    back["view"][0] = ord("x")
    assert back["data"] == b"xbc"


def test_a_variable_that_is_the_namespace_is_it_again(disk: Disk) -> None:
    back = disk.again(session("everything = globals(); x = 1"))

    assert back["everything"] is back


def test_more_than_a_byte_can_number_and_more_than_two(disk: Disk) -> None:
    namespace = {f"n{size}": [[number] for number in range(size)] for size in (10, 300, 70_000, 10)}
    namespace["again"] = [namespace["n70000"][69_000], namespace["n10"]]

    values, lost = disk.load(disk.write(namespace), frozenset({"n300"}))

    assert [each.name for each in lost] == ["n300"]
    assert values["again"] == [[69_000], [[number] for number in range(10)]]
    assert values["again"][0] is values["n70000"][69_000]  # type: ignore[index]


def test_the_facts_come_back_with_the_manifest(disk: Disk) -> None:
    assert disk.write({"x": 1}).facts == {"after": 3}


def test_an_empty_namespace_is_a_checkpoint_too(disk: Disk) -> None:
    assert disk.again({}) == {"__name__": "__main__"}


def test_each_variable_is_announced_before_it_is_made(disk: Disk) -> None:
    from holdfast.checkpoint.loading import load

    announced: list[str] = []
    load(disk.folder, disk.write({"a": 1, "b": [2]}), {}, on_variable=announced.append)

    assert announced == ["a", "b"]
