"""Rows of cells as aligned columns; what does not fit into the width is left out of the middle, as marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.console.extent import columns

CELL_COLUMNS = 50
"""Of one cell: as wide as pandas lets it be (display.max_colwidth)."""

TABLE_ROWS = 60
"""Of one table: as many as pandas shows (display.max_rows); half of them from its end."""

TABLE_COLUMNS = 200
"""Of one table: more do not stand side by side on any screen."""

_GAP = "  "
_MORE = "…"
_NUMBER = re.compile(r"[-+\u2212$€£]?[\d,.' ]*\d[\d.,]*(?:[eE][-+]?\d+)?\s*%?|nan|NaN|inf|-|")


class Table(NamedTuple):
    """A table as it was read: its rows, and how many of the first ones are its head."""

    rows: Sequence[Sequence[str]]
    head: int


def text(table: Table, width: int) -> str:
    """The table, `width` columns wide at most, without colours."""
    count = min(max(map(len, table.rows), default=0), TABLE_COLUMNS)
    if not count:
        return ""
    rows, left_out = _fewer(table)
    cells = [[_shortened(row[place]) if place < len(row) else "" for place in range(count)] for row in rows]
    widths = [max(columns(row[place]) for row in cells) for place in range(count)]
    kept = _fitting(widths, width)
    right = [_is_numeric([row[place] for row in cells[table.head :]]) for place in range(count)]
    lines = [_line(row, kept, widths, right) for row in cells]
    if left_out:
        middle = table.head + (len(rows) - table.head + 1) // 2
        lines.insert(middle, f"{_MORE} {left_out} more rows")
    return "\n".join(lines)


def _fewer(table: Table) -> tuple[list[Sequence[str]], int]:
    """The rows that are shown, and how many are not."""
    head, body = list(table.rows[: table.head]), table.rows[table.head :]
    if len(body) <= TABLE_ROWS:
        return [*head, *body], 0
    half = TABLE_ROWS // 2
    return [*head, *body[:half], *body[-half:]], len(body) - 2 * half


def _fitting(widths: Sequence[int], width: int) -> list[int | None]:
    """The columns that fit; None stands for those that were left out."""
    kept: list[int | None] = list(range(len(widths)))
    total = sum(widths) + len(_GAP) * (len(widths) - 1)
    if total <= width:
        return kept
    total += len(_GAP) + len(_MORE)
    while total > width and len(kept) > 2:
        gone = kept.pop(len(kept) // 2)
        assert gone is not None
        total -= widths[gone] + len(_GAP)
    kept.insert((len(kept) + 1) // 2, None)
    return kept


def _line(
    row: Sequence[str], kept: Sequence[int | None], widths: Sequence[int], right: Sequence[bool]
) -> str:
    pieces = []
    for place in kept:
        if place is None:
            pieces.append(_MORE)
            continue
        padding = " " * (widths[place] - columns(row[place]))
        pieces.append(padding + row[place] if right[place] else row[place] + padding)
    return _GAP.join(pieces).rstrip()


def _shortened(cell: str) -> str:
    if columns(cell) <= CELL_COLUMNS:
        return cell
    while columns(cell) >= CELL_COLUMNS:
        cell = cell[: len(cell) - max(1, (columns(cell) - CELL_COLUMNS) // 2)]
    return cell + _MORE


def _is_numeric(cells: Sequence[str]) -> bool:
    return any(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)
