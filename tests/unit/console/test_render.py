"""What messages look like."""

from __future__ import annotations

import pytest

from holdfast.console import render


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def test_a_short_result_stands_on_the_line_of_its_prompt() -> None:
    assert render.result("42", 3) == "Out[3]: 42\n"


def test_a_long_result_begins_below_its_prompt() -> None:
    assert render.result("a\nb", 3, "ana") == "[ana] Out[3]: \na\nb\n"


def test_a_traceback_comes_as_the_kernel_drew_it(monkeypatch: pytest.MonkeyPatch) -> None:
    content = {"ename": "E", "evalue": "v", "traceback": ["\x1b[31mTraceback\x1b[0m", "E: v\n"]}
    assert render.error(content) == "Traceback\nE: v\n"
    monkeypatch.delenv("NO_COLOR")
    assert render.error(content) == "\x1b[31mTraceback\x1b[0m\nE: v\n"


def test_an_error_without_traceback_is_named() -> None:
    assert (
        render.error({"ename": "InterpreterDied", "evalue": "why", "traceback": []})
        == "InterpreterDied: why\n"
    )
    assert render.error({}) == "Error: \n"


def test_our_own_words_about_a_crash_are_broken_between_words_and_code_is_not() -> None:
    lines = ["InterpreterDied: the Python process ended", "", "    one_line = of_the + users_own_code"]
    content = {"ename": "InterpreterDied", "evalue": "why", "traceback": lines}
    assert render.error(content, 20) == (
        "InterpreterDied: the\nPython process ended\n\n    one_line = of_the + users_own_code\n"
    )
    assert render.error(content | {"ename": "E"}, 20) == "\n".join(lines) + "\n"


def test_the_cell_of_another_client_has_its_name_and_aligned_lines() -> None:
    assert render.cell("if x:\n    y\n", 12, "ana") == (
        "[ana] In [12]: if x:\n"  # the dots end where the prompt does
        "          ...:     y\n"
    )


def test_the_cell_of_another_client_can_not_move_the_cursor() -> None:
    assert render.cell("'\x1b[2J'", 1, "ana") == "[ana] In [1]: '\\x1b[2J'\n"
