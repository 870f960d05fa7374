"""Highlighting of code: one table of colours, for the prompt and for the cells of others.

pygments takes 30 ms to import, so it is imported at the first use: with the first code that is shown.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from holdfast.console import ansi

if TYPE_CHECKING:
    from prompt_toolkit.styles import BaseStyle
    from pygments.formatter import Formatter  # type: ignore[import-untyped]
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

_COLOURS = {
    "Keyword": "magenta",
    "Operator.Word": "magenta",
    "Name.Builtin": "cyan",
    "Name.Exception": "cyan",
    "Name.Function": "*blue*",
    "Name.Class": "*blue*",
    "Name.Decorator": "yellow",
    "Literal.String": "green",
    "Literal.Number": "cyan",
    "Comment": "brightblack",
    "Error": "red",
}
"""Kind of token (as pygments names it) -> one of the terminal's own colours; `*` makes it bold."""


_MAGICAL = frozenset("%!?")
"""Without one of these a cell is plain Python."""

TERMINAL = "terminal"
"""The theme that is the table above. All others are pygments' styles of that name."""

COLOURED = 10_000
"""Characters of a cell, some 300 lines, that get colours: pygments takes up to 80 ms for them, while nothing
that is typed is shown. A cell of 20,000 lines took two seconds."""


def sixteen() -> dict[str, str]:
    """The table as rules of prompt_toolkit: `pygments.keyword` -> `ansimagenta`."""
    return {
        f"pygments.{kind.lower()}": f"ansi{colour.strip('*')}{' bold' if colour.startswith('*') else ''}"
        for kind, colour in _COLOURS.items()
    }


def prompt_style(theme: str) -> BaseStyle:
    """A style of pygments as rules of prompt_toolkit."""
    from prompt_toolkit.styles.pygments import style_from_pygments_cls  # noqa: PLC0415 - see the head
    from pygments.styles import get_style_by_name  # type: ignore[import-untyped]  # noqa: PLC0415

    return style_from_pygments_cls(get_style_by_name(theme))


@functools.cache
def lexer_class() -> type[Lexer]:
    """Python with IPython's magics, shell escapes and help."""
    from ipython_pygments_lexers import IPython3Lexer  # noqa: PLC0415 - see the head of the module

    found: type[Lexer] = IPython3Lexer
    return found


def highlighted(code: str, theme: str = TERMINAL, most: int = COLOURED) -> str:
    """`code` with the colours as terminal escapes, or as it is if there are to be none.

    Of more than `most` characters the lines after those stay as they are.
    """
    if ansi.colourless():
        return code
    from pygments import highlight  # type: ignore[import-untyped]  # noqa: PLC0415 - see the head of the module

    end = len(code) if len(code) <= most else code.rfind("\n", 0, most) + 1
    shown = code[:end]
    coloured: str = highlight(shown, _lexer_class(shown)(stripnl=False), _formatter(theme)) if end else ""
    return coloured + code[end:]


def _lexer_class(code: str) -> type[Lexer]:
    """The same for `code`; where nothing in it can be a magic, without the languages that magics bring."""
    if not _MAGICAL.isdisjoint(code):
        return lexer_class()
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]  # noqa: PLC0415

    found: type[Lexer] = PythonLexer
    return found


def _formatter(theme: str) -> Formatter:
    from pygments.formatters.terminal import TerminalFormatter  # type: ignore[import-untyped]  # noqa: PLC0415
    from pygments.formatters.terminal256 import (  # type: ignore[import-untyped]  # noqa: PLC0415
        Terminal256Formatter,
    )
    from pygments.token import string_to_tokentype  # type: ignore[import-untyped]  # noqa: PLC0415

    if theme != TERMINAL:
        return Terminal256Formatter(style=theme)
    scheme = {string_to_tokentype(kind): (colour, colour) for kind, colour in _COLOURS.items()}
    scheme[string_to_tokentype("")] = ("", "")
    return TerminalFormatter(colorscheme=scheme)
