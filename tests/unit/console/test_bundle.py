"""What of a MIME bundle is shown, where there are no pictures."""

from __future__ import annotations

import base64
import struct

import pytest

from holdfast.console import bundle


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height)
    return base64.b64encode(head + bytes(3000)).decode()


OPAQUE = "<pandas.io.formats.style.Styler at 0x7f0012>"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"text/plain": "x", "text/html": "<b>x</b>"}, "x"),
        ({"text/html": "<script>draw()</script>"}, "<text/html, 23 B>"),
        ({"application/x-thing": "1234"}, "<application/x-thing, 4 B>"),
        ({"text/plain": "<Figure>", "image/png": png(640, 480)}, "<Figure> <image/png 640x480, 3.0 kB>"),
        ({"image/jpeg": "A" * 400}, "<image/jpeg, 300 B>"),
        ({"image/svg+xml": "<svg/>"}, "<image/svg+xml, 6 B>"),
        ({"image/png": "not base64!"}, "<image/png, 8 B>"),
        ({"image/png": ""}, "<image/png, 0 B>"),
        ({}, ""),
        ("nonsense", ""),
    ],
)
def test_what_can_not_be_shown_is_named_with_its_size(data: object, text: str) -> None:
    assert bundle.text({"data": data}) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"text/plain": OPAQUE, "text/html": "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>"},
            "a\n1",
        ),
        ({"text/plain": "<IPython.core.display.Markdown object>", "text/markdown": "# Head"}, "Head"),
        ({"text/plain": "<IPython.core.display.Math object>", "text/latex": "$x^{2}$"}, "x²"),
        ({"text/plain": "<IPython.core.display.JSON object>", "application/json": [1]}, "[\n  1\n]"),
        ({"text/plain": "x**2", "text/latex": "$x^{2}$"}, "x**2"),
        ({"text/plain": OPAQUE}, OPAQUE),
        ({"text/plain": OPAQUE, "text/html": "<svg/>"}, f"{OPAQUE} <text/html, 6 B>"),
    ],
)
def test_what_says_nothing_as_text_is_read_from_its_document(data: object, text: str) -> None:
    assert bundle.text({"data": data}).strip() == text


def test_a_document_that_would_take_long_is_named() -> None:
    assert bundle.text({"data": {"text/html": "<p>" * 400_000}}) == "<text/html, 1.2 MB>"
