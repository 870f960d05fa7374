"""Documents as somebody reads them in a terminal."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.console.extent import columns
from holdfast.console.readable import html, jsons, latex, markdown, tables


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"$$\frac{a+b}{c}$$", "(a+b)/c"),
        (r"x^2 + y_{i+1}^{10}", "x² + yᵢ₊₁¹⁰"),
        (r"$\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}$", "∫₀^∞e^(-x²) dx = √(π)/2"),
        (r"\[ \alpha \leq \beta \]", "α ≤ β"),  # noqa: RUF001 - Greek it is
        (r"\begin{align}a &= b\\ c &= d\end{align}", "a = b\nc = d"),
        (r"\dfrac{1}{1+\tfrac{1}{x}}", "1/(1+1/x)"),
        (r"\broken{", r"\broken{"),
        ("{" * 10_000, "{" * 10_000),
        ("\x1b[2J", r"\x1b[2J"),
    ],
)
def test_a_formula_becomes_a_line_of_unicode(source: str, text: str) -> None:
    assert latex.text(source) == text


@given(st.text(st.sampled_from("\\{}^_$ab1+ \x1b"), max_size=40))
@settings(deadline=None)
def test_whatever_calls_itself_latex_has_no_escapes_and_breaks_nothing(source: str) -> None:
    assert "\x1b" not in latex.text(source)


PAGE = """
<style>p {color: red}</style><h1>Sales &amp; costs</h1>
<p>In <b>two</b>
   lines.<br>Really</p><ul><li>one<li>two</ul><pre>  kept
    as it is</pre><script>alert(1)</script>
<table><thead><tr><th></th><th>item</th><th>price</th></tr></thead>
<tbody><tr><th>0</th><td>tea</td><td>9.5</td></tr><tr><th>1</th><td>coffee</td><td>12.25</td></tr></tbody></table>
<svg><text>no</text></svg><img alt="a chart" src="x"><p><iframe src="https://example.org/v"></iframe>
"""


def test_a_page_is_read_as_its_text() -> None:
    assert html.text(PAGE, 60).splitlines() == [
        "Sales & costs",
        "",
        "In two lines.",
        "Really",
        "",
        "• one",
        "• two",
        "",
        "  kept",
        "    as it is",
        "",
        "   item    price",
        "0  tea       9.5",
        "1  coffee  12.25",
        "",
        "a chart",
        "",
        "https://example.org/v",
    ]


@pytest.mark.parametrize(
    "source", ["", "<script>x</script>", "<div></div>", "<svg><text>x</text></svg>", "<style>a</style>"]
)
def test_what_has_no_text_says_nothing(source: str) -> None:
    assert html.text(source, 60) == ""


@given(st.lists(st.sampled_from([*"<>/td=&;# x\x1b", "<table>", "<tr>", "<td>", "</table>", "<p>", "</p>"])))
def test_no_page_is_too_broken_and_none_has_escapes(pieces: list[str]) -> None:
    source = "".join(pieces)
    assert "\x1b" not in html.text(source, 40)


def test_a_table_too_wide_loses_its_middle() -> None:
    table = tables.Table([[f"column{each}" for each in range(30)], [str(each) for each in range(30)]], 1)
    assert tables.text(table, 40).splitlines() == [
        "column0  column1  …  column28  column29",
        "      0        1  …        28        29",
    ]


def test_of_a_long_table_both_ends_are_shown() -> None:
    lines = tables.text(tables.Table([["n"], *([str(each)] for each in range(1000))], 1), 40).splitlines()
    assert lines[:2] == ["  n", "  0"]
    assert lines[31] == "… 940 more rows"
    assert lines[-1] == "999"


cells = st.text(st.sampled_from("ab1 漢é"), max_size=70)


@given(st.lists(st.lists(cells, max_size=12), max_size=80), st.integers(10, 200))
@settings(deadline=None)
def test_no_line_of_a_table_is_wider_than_the_screen(rows: list[list[str]], width: int) -> None:
    text = tables.text(tables.Table(rows, 1), width)
    floor = 2 * tables.CELL_COLUMNS + 10  # its first and last column are always shown
    assert all(columns(line) <= max(width, floor) for line in text.splitlines())


def test_markdown_is_drawn_with_its_formulas() -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    source = f"# Head\n\nFor $5 and $x^2 \\leq 3$ with `$a^2$`:\n\n{table}\n\n* item\n\n\x1b[2J"
    text = markdown.text(source, 60)

    assert "For $5 and x² ≤ 3 with $a^2$:" in text
    assert re.search(r"a\s+b\s+─+\s+1\s+2", text)
    assert text.startswith("Head\n")
    assert " • item" in text
    assert r"\x1b[2J" in text


def test_json_is_indented() -> None:
    assert jsons.text({"a": [1], "é": None}) == '{\n  "a": [\n    1\n  ],\n  "é": null\n}'
