"""How things look in a line of text: times, folders, tables. Pure."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from holdfast.visible import in_line

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def duration(seconds: float) -> str:
    """Seconds as `4s`, `2m10s`, `3h05m`, `2d4h`."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < _DAY:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d{whole % _DAY // _HOUR}h"


def ago(seconds: float) -> str:
    """How long ago, as one would say it: `now`, `5 min ago`, `2 h ago`, `yesterday`, `3 days ago`."""
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} min ago"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h ago"
    days = int(seconds // _DAY)
    return "yesterday" if days == 1 else f"{days} days ago"


def short_folder(path: str) -> str:
    """`path` with the home folder as `~`."""
    home = os.path.expanduser("~")
    if path == home or path.startswith(home.rstrip("/") + "/"):
        return "~" + path[len(home.rstrip("/")) :]
    return path


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as lines, columns two spaces apart. What others have named steers no terminal."""
    rows = [[in_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def cut(lines: str, columns: int) -> str:
    """`lines`, each cut where the terminal ends: one row each."""
    return "\n".join(
        line if len(line) <= columns else f"{line[: columns - 1]}…" for line in lines.splitlines()
    )


def plain(text: str) -> str:
    """`text` without terminal escapes (ECMA-48: CSI, OSC, two-character ones)."""
    return _ESCAPES.sub("", text)
