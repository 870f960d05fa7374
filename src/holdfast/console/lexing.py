"""Highlighting of what is typed. Imported after the first prompt, since pygments is slow to import."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.lexers import Lexer, PygmentsLexer, RegexSync

from holdfast.console.colours import lexer_class

EXACT_LINES = 200
"""A block of so many lines is read anew from its beginning with each key, which takes pygments some 30 ms."""

_BEGINNING = r"(?:async )?(?:def|class) |@"
"""In a longer one reading begins at a definition nearby. It may stand in a string; then colours are wrong."""


class CellLexer(Lexer):
    """Python with IPython's magics, at a cost that does not grow with the cell."""

    def __init__(self) -> None:
        self._exact = PygmentsLexer(lexer_class())
        self._nearby = PygmentsLexer(lexer_class(), sync_from_start=False, syntax_sync=RegexSync(_BEGINNING))

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """See prompt_toolkit's Lexer."""
        lexer = self._exact if document.line_count <= EXACT_LINES else self._nearby
        return lexer.lex_document(document)
