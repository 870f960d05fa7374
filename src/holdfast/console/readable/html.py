"""HTML as text: paragraphs, lists, tables. Scripts and styles say nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from holdfast.console.readable import tables
from holdfast.visible import visible

_SILENT = frozenset({"script", "style", "head", "template", "svg", "button"})
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "blockquote",
        "figure",
    }
    | {"h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "form", "details", "summary", "address", "main"}
)
_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "table", "blockquote"})
"""Of those, the ones with an empty line around them."""

_ELSEWHERE = frozenset({"img", "iframe", "video", "audio"})
_WEB = ("http://", "https://")
"""What is only linked to is named by its address."""

RULE_COLUMNS = 40

MOST_SPAN = 100
"""Columns of one cell of a table: a page that says a million is not drawn so wide."""

_SPACE = re.compile(r"\s+")
_MANY_LINES = re.compile(r"\n{3,}")


def text(source: str, width: int) -> str:
    """What `source` says, with tables `width` columns wide at most; empty if it says nothing as text."""
    reader = _Reader(width)
    reader.feed(source)
    reader.close()
    return reader.finished()


class _Reader(HTMLParser):
    """Collects lines; a table is collected by itself and added as lines when it ends."""

    def __init__(self, width: int) -> None:
        super().__init__(convert_charrefs=True)
        self._width = width
        self._lines: list[str] = []
        self._line = ""
        """The one that is half read."""
        self._silent: list[str] = []
        """Elements around this place that say nothing, from the outermost on."""
        self._preformatted = 0
        self._table: _TableReader | None = None
        self._nested = 0
        """Tables around this place: those within a cell are read as its text."""

    def finished(self) -> str:
        """All that was read."""
        if self._table is not None:
            self._end_table()
        self._new_line()
        return _MANY_LINES.sub("\n\n", "\n".join(self._lines)).strip("\n")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent.append(tag)
        if self._silent:
            return
        self._nested += tag == "table"
        if self._table is not None:
            self._table.begin(tag, dict(attrs))
        else:
            self._begin(tag, dict(attrs))

    def _begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "table":
            self._table = _TableReader()
        if tag in _BLOCKS:
            self._new_block(tag)
        elif tag == "br":
            self._end_line()
        elif tag == "hr":
            self._new_line()
            self._lines.append("─" * min(self._width, RULE_COLUMNS))
        elif tag in ("li", "tr"):
            self._new_line()
            self._line = "• " if tag == "li" else ""
        elif tag in _ELSEWHERE:
            source = attributes.get("src") or ""
            self._say(attributes.get("alt") or (source if source.startswith(_WEB) else ""))
        self._preformatted += tag == "pre"

    def handle_endtag(self, tag: str) -> None:
        if tag in self._silent:
            while self._silent.pop() != tag:
                pass
            return
        if self._silent:
            return
        if tag == "table" and self._nested:
            self._nested -= 1
            if not self._nested:
                self._end_table()
        elif self._table is not None:
            self._table.end(tag)
        elif tag in _BLOCKS:
            self._new_block(tag)
            self._preformatted = max(0, self._preformatted - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._say(data)

    def _say(self, data: str) -> None:
        plain = visible(data)
        if self._table is not None:
            self._table.say(plain)
        elif self._preformatted:
            *whole, self._line = (self._line + plain).split("\n")
            self._lines += whole
        else:
            words = _SPACE.sub(" ", plain)
            self._line += words.lstrip() if not self._line or self._line.endswith(" ") else words

    def _end_line(self) -> None:
        self._lines.append(self._line.rstrip())
        self._line = ""

    def _new_line(self) -> None:
        if self._line.strip():
            self._end_line()
        self._line = ""

    def _new_block(self, tag: str) -> None:
        self._new_line()
        if tag in _APART and self._lines and self._lines[-1]:
            self._lines.append("")

    def _end_table(self) -> None:
        assert self._table is not None
        drawn, self._table = tables.text(self._table.finished(), self._width), None
        self._lines += [*drawn.split("\n"), ""]


class _TableReader:
    """The cells of one table."""

    def __init__(self) -> None:
        self._rows: list[list[str]] = []
        self._heads = 0
        self._in_head = False
        self._cell: list[str] | None = None
        self._span = 1

    def begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self._end_cell()
            self._rows.append([])
        elif tag in ("td", "th"):
            self._end_cell()
            self._cell = []
            span = attributes.get("colspan") or ""
            self._span = max(1, min(int(span), MOST_SPAN)) if span.isascii() and span.isdigit() else 1
        elif tag == "br":
            self.say(" ")

    def end(self, tag: str) -> None:
        if tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "thead":
            self._end_cell()
            self._in_head = False
            self._heads = len(self._rows)

    def say(self, words: str) -> None:
        if self._cell is not None:
            self._cell.append(words)

    def finished(self) -> tables.Table:
        self._end_cell()
        return tables.Table([row for row in self._rows if row], self._heads)

    def _end_cell(self) -> None:
        if self._cell is None:
            return
        if not self._rows:
            self._rows.append([])
        words = _SPACE.sub(" ", "".join(self._cell)).strip()
        self._rows[-1] += [words] + [""] * (self._span - 1)
        self._cell = None
