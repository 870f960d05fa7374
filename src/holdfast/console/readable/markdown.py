"""Markdown as a terminal shows it, with its formulas as text."""

from __future__ import annotations

import io
import re

from holdfast.console import ansi
from holdfast.console.readable import latex
from holdfast.visible import visible

_FORMULA = re.compile(r"\$\$(?P<block>[^$]+)\$\$|\$(?P<inline>[^\s$](?:[^$\n]*[^\s$])?)\$(?!\d)")
_CODE = re.compile(r"(```.*?```|~~~.*?~~~|`[^`\n]+`)", re.DOTALL)
_MATHS = re.compile(r"[\\^_={}]")
"""What a formula has and a sum of money has not."""

_STYLES = {
    "markdown.h1": "bold",
    "markdown.h2": "bold underline",
    "markdown.code": "cyan",
    "markdown.block_quote": "bright_black",
    "markdown.item.bullet": "bold",
    "markdown.item.number": "bold",
    "markdown.link_url": "blue underline",
}
"""Only the terminal's own colours, without backgrounds: readable on light and dark."""


def text(source: str, width: int) -> str:
    """`source` drawn `width` columns wide."""
    from rich.console import Console  # noqa: PLC0415 - 150 ms, for Markdown only
    from rich.markdown import Heading, Markdown  # noqa: PLC0415
    from rich.theme import Theme  # noqa: PLC0415

    Heading.LEVEL_ALIGN = {}  # in the middle of a wide screen nobody looks for one
    colours = None if ansi.colourless() else "standard"
    page = io.StringIO()
    console = Console(
        file=page,
        width=width,
        force_terminal=True,
        force_jupyter=False,
        color_system=colours,  # type: ignore[arg-type] # a Literal
        legacy_windows=False,
        theme=Theme(_STYLES),
    )
    safe = visible(_with_formulas(source))
    console.print(Markdown(safe, code_theme="ansi_dark", hyperlinks=False))
    lines = [line.rstrip() for line in page.getvalue().splitlines()]
    return "\n".join(lines).strip("\n")


def _with_formulas(source: str) -> str:
    pieces = _CODE.split(source)
    pieces[::2] = [_FORMULA.sub(_formula, piece) for piece in pieces[::2]]
    return "".join(pieces)


def _formula(match: re.Match[str]) -> str:
    if match["block"] is not None:
        return f"\n\n```\n{latex.text(match['block'])}\n```\n\n"
    return latex.text(match["inline"]) if _MATHS.search(match["inline"]) else match[0]
