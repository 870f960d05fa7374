"""The short ways past IPython lead to the same place as the long ones."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.formatters import DisplayFormatter
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.macro import Macro

from holdfast.worker.ipython import plain
from holdfast.worker.ipython.formats import QuickFormatter

PIECES = [
    *["x", " ", "  ", "\n", "\n\n", "\t", "    ", "=", "==", "!=", "%", "%%", "!", "!!", "?", "??", ",", ";"],
    *["/", "(", ")", "[", "]", "'", '"', '"""', "#", "\\\n", ">>> ", "...", "...: ", "In [1]: ", "é", "\r\n"],
    *["\f", "\x85", "ls", "time", "exit", "quit", "pd.read", "a", "1", "lambda: 0", "if x:", "for i in y:"],
    *[
        "%timeit",
        "get",
        "mac",
        "@",
        "*",
        "{",
        "}",
        ":",
        "f'{x!r}'",
        "5 % 2",
        "'%s' % x",
        "a = %ls",
        "b = !ls",
    ],
]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    os.environ["IPYTHONDIR"] = str(tmp_path_factory.mktemp("ipython"))
    shell = InteractiveShell.instance()
    shell.user_ns["mac"] = Macro("1\n")
    yield shell
    InteractiveShell.clear_instance()
    del os.environ["IPYTHONDIR"]


@pytest.mark.filterwarnings("ignore")  # IPython's, of odd line ends
@given(cell=st.lists(st.sampled_from(PIECES)).map("".join))
@example(cell="x = '''\n   \n'''")
@example(cell="x = 5 \\\n  % 2")
@example(cell="a = b = %ls")
@example(cell="exit")
@example(cell="ls -l")
@example(cell="mac")
@example(cell="")
def test_a_cell_becomes_what_ipython_makes_of_it(shell: Any, cell: str) -> None:
    try:
        expected = shell.transform_cell(cell)
    except SyntaxError:
        return
    assert plain.transformed(shell, cell) == expected


@pytest.mark.parametrize("cell", ["1", "x != 5 % 2", "for i in range(3):\n    print(i)\n", "'100% sure'"])
def test_plain_cells_are_not_taken_apart(shell: Any, cell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "transform_cell", lambda cell: pytest.fail("the long way was taken"))
    assert plain.transformed(shell, cell) == cell.rstrip("\n") + "\n"


def test_transformations_that_users_add_are_made(shell: Any) -> None:
    def shout(lines: list[str]) -> list[str]:
        return [line.replace("1", "2") for line in lines]

    shell.input_transformers_post.append(shout)
    try:
        assert plain.transformed(shell, "1") == "2\n"
    finally:
        shell.input_transformers_post.remove(shout)
    shell.input_transformer_manager.cleanup_transforms.append(shout)
    try:
        assert plain.transformed(shell, "1") == "2\n"
    finally:
        shell.input_transformer_manager.cleanup_transforms.remove(shout)


# Results


class Pretty(int):
    def _repr_html_(self) -> str:
        return "<b>nice</b>"


VALUES = [
    *[1, -5, True, None, 1.5, 1e300, 2j, "text", "two\nlines", b"bytes", [1, 2], (1,), {"a": 1}, {1}],
    *[frozenset(), range(3), Pretty(3), [Pretty(3)], 10**5000, list(range(2000)), Ellipsis, int, "x" * 500],
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_result_looks_as_ipython_shows_it(shell: Any, value: object) -> None:
    quick, whole = QuickFormatter(parent=shell), DisplayFormatter(parent=shell)
    for _ in range(2):  # the registers come into being at the first use
        assert quick.format(value) == whole.format(value)
    assert quick.format(value, include={"text/html"}) == whole.format(value, include={"text/html"})


@pytest.mark.parametrize("kind", [int, object])
def test_printers_that_users_register_are_used(shell: Any, kind: type) -> None:
    quick = QuickFormatter(parent=shell)
    quick.format(5)
    quick.formatters["text/html"].for_type(kind, lambda value: f"<i>{value}</i>")
    assert quick.format(5)[0] == {"text/plain": "5", "text/html": "<i>5</i>"}


def test_the_plain_printer_may_be_another_one(shell: Any) -> None:
    quick = QuickFormatter(parent=shell)
    quick.format(5)
    quick.formatters["text/plain"].for_type(int, lambda value, printer, cycle: printer.text(hex(value)))
    assert quick.format(255)[0] == {"text/plain": "0xff"}
