"""Formulas of LaTeX as a line of Unicode: `x² ≤ (a+b)/√(c)`. An approximation, made to be read."""

from __future__ import annotations

import functools
import logging
import re
from typing import TYPE_CHECKING, Any

from holdfast.visible import visible

if TYPE_CHECKING:
    from pylatexenc.latex2text import LatexNodes2Text

_SUPERSCRIPTS = str.maketrans("0123456789+-=()nix", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ")
_SUBSCRIPTS = str.maketrans("0123456789+-=()aeioxjkmnt", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢₒₓⱼₖₘₙₜ")
_SCRIPTS = {"^": _SUPERSCRIPTS, "_": _SUBSCRIPTS}

_SCRIPT = re.compile(r"([\^_])(?:\(([^()]*)\)|(\w))")
_RELATION = re.compile(r" *([=<>≤≥≠≈≡∝→⇒⇔↔∈∉⊂⊆]) *")
_DOLLARS = re.compile(r"^\s*(?:\$\$?|\\\[|\\\()(.*?)(?:\$\$?|\\\]|\\\))\s*$", re.DOTALL)
_ONE = re.compile(r"[\w.^]*|[^\s()]|\w*√?\([^()]*\)")
"""What needs no brackets above or below a fraction's line."""

_FRACTIONS = re.compile(r"\\[dtc]frac(?![a-zA-Z])")

_DEEPEST = 50
"""Brackets in each other, well under what Python's own recursion allows."""


def text(source: str) -> str:
    """`source` in Unicode; as it is if it is no LaTeX."""
    formula = _DOLLARS.sub(r"\1", source)
    if _depth(formula) > _DEEPEST:
        return visible(source)
    try:
        plain = _converter().latex_to_text(_bracketed(formula))
    except Exception:  # noqa: BLE001 - the library parses what anybody wrote, and fails in many ways
        return visible(source)
    lines = [_scripted(" ".join(line.split())) for line in plain.splitlines()]
    return visible("\n".join(filter(None, lines))) or visible(source)


@functools.cache
def _converter() -> LatexNodes2Text:
    from pylatexenc import latex2text  # noqa: PLC0415 - 30 ms, for formulas only

    logging.getLogger("pylatexenc").setLevel(logging.CRITICAL)
    table = latex2text.get_default_latex_context_db()
    fraction = latex2text.MacroTextSpec("frac", _fraction)
    table.add_context_category("holdfast", macros=[fraction], prepend=True)
    return latex2text.LatexNodes2Text(table, math_mode="text")


def _fraction(node: Any, l2tobj: LatexNodes2Text) -> str:
    """A fraction on one line; called by the library with these names."""
    above, below = (l2tobj.nodelist_to_text([each]).strip() for each in node.nodeargd.argnlist)
    return "/".join(each if _ONE.fullmatch(each) else f"({each})" for each in (above, below))


def _bracketed(formula: str) -> str:
    """`x^{a+b}` as `x^(a+b)`: the library would forget the braces. Of fractions it knows one name."""
    pieces = []
    open_braces: list[str] = []
    for piece in re.findall(
        r"\\.|[\^_]\s*\{|[{}]|[^\\{}^_]+|.", _FRACTIONS.sub(r"\\frac", formula), re.DOTALL
    ):
        if piece.endswith("{") and piece[0] in "^_":
            open_braces.append(")")
            pieces.append(f"{piece[0]}(")
        elif piece == "{":
            open_braces.append("}")
            pieces.append(piece)
        elif piece == "}" and open_braces:
            pieces.append(open_braces.pop())
        else:
            pieces.append(piece)
    return "".join(pieces)


def _scripted(line: str) -> str:
    """`x^(2)` as `x²`, from the innermost to the outermost, where Unicode has the characters."""
    for _ in range(_DEEPEST):
        line, count = _SCRIPT.subn(_script, line)
        if not count:
            break
    return _RELATION.sub(r" \1 ", line.replace("\0", "^").replace("\1", "_")).strip()


def _script(match: re.Match[str]) -> str:
    table, inside = _SCRIPTS[match[1]], match[2] if match[2] is not None else match[3]
    if all(ord(character) in table for character in inside):
        return inside.translate(table)
    mark = "\0" if match[1] == "^" else "\1"
    return mark + (inside if _ONE.fullmatch(inside) else f"({inside})")


def _depth(formula: str) -> int:
    deepest = depth = 0
    for character in formula:
        depth += (character == "{") - (character == "}")
        deepest = max(deepest, depth)
    return deepest
