"""What messages look like."""

from __future__ import annotations

import base64
import struct

import pytest

from holdfast.console import render


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return base64.b64encode(head + bytes(3000)).decode()


def test_a_short_result_stands_on_the_line_of_its_prompt() -> None:
    assert render.result({"execution_count": 3, "data": {"text/plain": "42"}}) == "Out[3]: 42\n"


def test_a_long_result_begins_below_its_prompt() -> None:
    content = {"execution_count": 3, "data": {"text/plain": "a\nb"}}
    assert render.result(content, "ana") == "[ana] Out[3]: \na\nb\n"


@pytest.mark.parametrize(
    ("bundle", "text"),
    [
        ({"text/plain": "x", "text/html": "<b>x</b>"}, "x"),
        ({"text/html": "<b>x</b>"}, "<text/html, 8 B>"),
        ({"text/plain": "<Figure>", "image/png": png(640, 480)}, "<Figure> <image/png 640x480, 3.02 kB>"),
        ({"image/jpeg": "A" * 400}, "<image/jpeg, 300 B>"),
        ({"image/svg+xml": "<svg/>"}, "<image/svg+xml, 6 B>"),
        ({"image/png": "not base64!"}, "<image/png, 8 B>"),
        ({"image/png": ""}, "<image/png, 0 B>"),
        ({}, ""),
        ("nonsense", ""),
    ],
)
def test_what_can_not_be_shown_is_named_with_its_size(bundle: object, text: str) -> None:
    assert render.data({"data": bundle}) == text


def test_a_traceback_comes_as_the_kernel_drew_it() -> None:
    content = {"ename": "E", "evalue": "v", "traceback": ["\x1b[31mTraceback\x1b[0m", "E: v\n"]}
    assert render.error(content) == "\x1b[31mTraceback\x1b[0m\nE: v\n"


def test_an_error_without_traceback_is_named() -> None:
    assert (
        render.error({"ename": "InterpreterDied", "evalue": "why", "traceback": []})
        == "InterpreterDied: why\n"
    )
    assert render.error({}) == "Error: \n"


def test_the_cell_of_another_client_has_its_name_and_aligned_lines() -> None:
    assert render.cell("if x:\n    y\n", 12, "ana") == (
        "[ana] In [12]: if x:\n"  # the dots end where the prompt does
        "          ...:     y\n"
    )


def test_the_cell_of_another_client_can_not_move_the_cursor() -> None:
    assert render.cell("'\x1b[2J'", 1, "ana") == "[ana] In [1]: '\\x1b[2J'\n"
