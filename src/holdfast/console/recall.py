"""What happened before we came: the last cells and what was left of their output, as lines. Pure.

Nothing moves the cursor here: of a progress bar its last state is shown, of a display its last update, and
what was cleared is gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from holdfast import sizes
from holdfast.console import ansi, bundle, render
from holdfast.console.extent import columns
from holdfast.console.names import NAME_WIDTH
from holdfast.console.sieve import sifted
from holdfast.visible import in_line

if TYPE_CHECKING:
    from holdfast.client.past import Past

ROWS = 20
"""Of the terminal: as much as one takes in at a glance, and the prompt stays on the screen."""

_CODE_LINES = 5
"""Of one cell: what it was is known then."""

_LINE_ROWS = 3
"""Of the terminal, for one line: a long repr is cut."""


def recalled(cells: Sequence[Past], own: str, width: int) -> list[str]:
    """The end of these cells on a terminal `width` wide; the cells of user `own` have no label."""
    shown: list[str] = []
    room = ROWS
    for cell in reversed(cells):
        block = _block(cell, own, width, room)
        shown[:0] = block
        room -= sum(_rows(line, width) for line in block)
        if room <= 2:
            break
    return shown[1:] if shown[:1] == [""] else shown


def _block(cell: Past, own: str, width: int, room: int) -> list[str]:
    who = "" if cell.parent.username == own else in_line(cell.parent.username)[:NAME_WIDTH]
    typed = cell.code.rstrip("\n").split("\n")
    shown = "\n".join(line[: _LINE_ROWS * width] for line in typed[:_CODE_LINES])  # colours take time
    code = [_cut(line, width) for line in render.cell(shown, cell.count or " ", who).rstrip("\n").split("\n")]
    if len(typed) > _CODE_LINES:
        code.append(ansi.paint(f"… {len(typed) - _CODE_LINES} more lines", ansi.NOTE))
    output = [_cut(line, width) for line in _output(cell.messages, who, width)]
    left = max(1, room - len(code) - 2)
    kept: list[str] = []
    for line in reversed(output):
        left -= _rows(line, width)
        if left < 0:
            break
        kept.insert(0, line)
    missing = len(output) - len(kept)
    if missing == 1:  # a line that says so would take as much room
        kept, missing = output, 0
    if missing or cell.omitted:
        what = f"… {missing} lines" if missing else "…"
        more = f"{', ' if missing else ' '}{sizes.short(cell.omitted)} before" if cell.omitted else ""
        kept.insert(0, ansi.paint(what + more, ansi.NOTE))
    return ["", *code, *kept]


def _output(messages: Sequence[tuple[str, Mapping[str, Any]]], who: str, width: int) -> list[str]:
    """What is left to see of a cell's output, in lines."""
    pieces: list[tuple[str, str]] = []  # id of a display, or ""; text
    clear = False
    for kind, content in messages:
        if kind == "clear_output":
            clear = True
            continue
        text = _text(kind, content, who, width)
        if text is None:
            continue
        if clear:
            pieces, clear = [], False
        identity = render.display_id(content)
        known = [place for place, (other, _) in enumerate(pieces) if identity and other == identity]
        if kind == "update_display_data":
            for place in known:
                pieces[place] = identity, text
        else:
            pieces.append((identity, text))
    return _lines("" if clear else _joined(pieces))


def _text(kind: str, content: Mapping[str, Any], who: str, width: int) -> str | None:
    try:
        return _shown(kind, content, who, width)
    except Exception as error:  # noqa: BLE001 - code may send anything: it must keep nobody out
        return f"\0{render.unshown(kind, error)}\n"


def _shown(kind: str, content: Mapping[str, Any], who: str, width: int) -> str | None:
    if kind == "stream":
        return str(content.get("text", ""))
    if kind == "execute_result":
        return "\0" + render.result(bundle.text(content), render.number(content), who)
    if kind in ("display_data", "update_display_data"):
        return "\0" + bundle.text(content) + "\n"
    return "\0" + render.error(content, width) if kind == "error" else None


def _joined(pieces: Sequence[tuple[str, str]]) -> str:
    """The text; NUL stands where a line must begin."""
    whole = ""
    for _, text in pieces:
        begins_line = text[:1] == "\0"
        whole += ("\n" if begins_line and whole and not whole.endswith("\n") else "") + text.lstrip("\0")
    return whole


def _lines(text: str) -> list[str]:
    if not text:
        return []
    lines = text.removesuffix("\n").split("\n")
    return [_only_colours(line.rstrip("\r").rpartition("\r")[2]) for line in lines]


def _only_colours(line: str) -> str:
    coloured = ansi.only_colours(sifted(line, others=True)).replace("\b", "").replace("\a", "")
    return coloured + ("\x1b[0m" if "\x1b" in coloured else "")


def _cut(line: str, width: int) -> str:
    if _rows(line, width) <= _LINE_ROWS:
        return line
    return ansi.ESCAPE.sub("", line)[: _LINE_ROWS * width - 1] + "…"


def _rows(line: str, width: int) -> int:
    return max(1, -(-columns(ansi.ESCAPE.sub("", line)) // width))
