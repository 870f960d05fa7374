"""The soak's digests: the same for the same values, another one for what a user would call another value."""

from __future__ import annotations

from typing import Any

import pytest

from soak.digest import ALIASES, Unknown, digests


def told(code: str) -> dict[str, str]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(code, namespace)
    return digests(namespace)


CLASS = "class A:\n    kind = 1\n    def f(self): return 1\na = A()"
COUNT = "def count(n):\n    while True:\n        yield n\n        n += 1\ng = count(3)\n"
NP = "import numpy as np\n"


@pytest.mark.parametrize(
    "code",
    [
        "x = [1, 'a', None, 2.5, (1, [2]), {3}, {'k': b'v'}]",
        "x = []; x.append(x)",
        CLASS,
        f"{COUNT}next(g)",
        "def make(n):\n    return lambda k=2: n * k\nf = make([5])",
        f"{NP}x = np.arange(9.0).reshape(3, 3)[:, 1]",
        f"{NP}x = np.array([1, 'a', None], object)",
    ],
)
def test_the_same_value_has_the_same_digest(code: str) -> None:
    assert told(code) == told(code)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("x = 1", "x = 1.0", id="type"),
        pytest.param("x = [1, 2]", "x = [2, 1]", id="order"),
        pytest.param("x = {1: 2, 3: 4}", "x = {3: 4, 1: 2}", id="order of keys"),
        pytest.param("x = [[], []]", "x = [[]] * 2", id="sharing inside"),
        pytest.param(CLASS, CLASS.replace("kind = 1", "kind = 2"), id="class"),
        pytest.param(CLASS, f"{CLASS}\na.x = 1", id="attribute"),
        pytest.param(CLASS, CLASS.replace("return 1", "return 2"), id="code"),
        pytest.param(COUNT, f"{COUNT}next(g)", id="position"),
        pytest.param(f"{COUNT}next(g)", f"{COUNT}next(g); next(g)", id="later position"),
        pytest.param("f = (lambda n: lambda: n)(1)", "f = (lambda n: lambda: n)(2)", id="closure"),
        pytest.param("def f(a=1): pass", "def f(a=2): pass", id="default"),
        pytest.param(f"{NP}x = np.zeros(3)", f"{NP}x = np.zeros(3, 'f4')", id="dtype"),
        pytest.param(f"{NP}x = np.zeros(4)", f"{NP}x = np.zeros((2, 2))", id="shape"),
        pytest.param(f"{NP}x = np.zeros(4)", f"{NP}x = np.array([0, 0, 0, 1e-300])", id="element"),
        pytest.param(
            f"{NP}r = np.random.default_rng(1)", f"{NP}r = np.random.default_rng(1); r.random()", id="rng"
        ),
    ],
)
def test_another_value_has_another_digest(one: str, other: str) -> None:
    assert told(one) != told(other)


@pytest.mark.parametrize(
    ("together", "apart"),
    [
        ("x = [1]; y = x", "x = [1]; y = [1]"),
        ("x = [1]; y = {'k': x}", "x = [1]; y = {'k': [1]}"),
        (f"{NP}x = np.zeros(9); y = x[2:]", f"{NP}x = np.zeros(9); y = x[2:].copy()"),
    ],
)
def test_who_shares_what_has_a_digest_of_its_own(together: str, apart: str) -> None:
    assert told(together)[ALIASES] != told(apart)[ALIASES]


def test_looking_moves_nothing() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(f"{COUNT}{NP}r = np.random.default_rng(1)\nimport random\nc = random.Random(1)", namespace)

    assert digests(namespace) == digests(namespace)
    assert next(namespace["g"]) == 3


def test_what_it_does_not_know_is_an_error() -> None:
    with pytest.raises(Unknown):
        told("import threading; x = threading.Event()")
