"""Highlighting of what is typed."""

from __future__ import annotations

import time

import pytest
from prompt_toolkit.document import Document

from holdfast.console.lexing import EXACT_LINES, CellLexer

KEYWORD, STRING = "class:pygments.keyword", "class:pygments.literal.string.double"


def styles(text: str, line: int) -> dict[str, str]:
    """Words of a line, with their styles."""
    return {fragment[1].strip(): fragment[0] for fragment in CellLexer().lex_document(Document(text))(line)}


@pytest.mark.parametrize("lines", [1, EXACT_LINES, 10 * EXACT_LINES])
def test_the_last_line_is_highlighted_however_long_the_block_is(lines: int) -> None:
    text = "def f(x): return x + 1\n" * (lines - 1) + "import os"
    assert styles(text, lines - 1)["import"].startswith(KEYWORD)


def test_a_string_over_many_lines_is_one_string() -> None:
    assert styles('x = """\n' + "import os\n" * 100 + '"""', 50)["import os"] == STRING


def test_a_key_costs_no_more_in_a_long_block_than_in_a_short_one() -> None:
    lexer = CellLexer()

    def cost(lines: int) -> float:
        document = Document("def f(x): return x + 1\n" * lines)
        begun = time.process_time()
        lexer.lex_document(document)(lines - 1)
        return time.process_time() - begun

    assert min(cost(20 * EXACT_LINES) for _ in range(3)) < 3 * min(cost(EXACT_LINES) for _ in range(3))
