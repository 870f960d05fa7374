"""What cells publish, as the outputs that a notebook keeps of it (nbformat 4, "Code cell outputs"). Pure.

What belongs together is one output, as a notebook shows it: neighbouring text of one stream, a display and
its updates, what `clear_output` leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.cellfiles.document import Tree, lines

_BY_LINES = frozenset({"application/javascript", "image/svg+xml"})
"""Besides `text/…`, the kinds of data that nbformat writes by lines."""

Content = Mapping[str, Any]


class Outputs:
    """Of all cells of one notebook: an update may be of another cell's display."""

    def __init__(self) -> None:
        self._displays: dict[str, list[Tree]] = {}

    def of(self, cell: Tree) -> CellOutputs:
        """Begin anew with one cell."""
        return CellOutputs(cell, self._displays)


class CellOutputs:
    """Of one cell, which changes as messages are taken."""

    def __init__(self, cell: Tree, displays: dict[str, list[Tree]]) -> None:
        self._cell = cell
        self._displays = displays
        self._stream_name: str | None = None  # of the last output, if it is text
        self._clear_at_next = False
        self._handlers: dict[str, Callable[[Content], None]] = {
            "execute_input": self._count,
            "stream": self._stream,
            "display_data": self._display,
            "execute_result": self._result,
            "update_display_data": self._update,
            "error": self._error,
            "clear_output": self._clear,
        }
        cell["outputs"], cell["execution_count"] = [], None

    def take(self, msg_type: str, content: Content) -> bool:
        """One message of iopub; whether there was something in it to keep."""
        handler = self._handlers.get(msg_type)
        if handler is not None:
            handler(content)
        return handler is not None

    def _add(self, output: Tree) -> None:
        if self._clear_at_next:
            self._empty()
        self._stream_name = None
        self._cell["outputs"].append(dict(sorted(output.items())))  # as nbformat writes it

    def _empty(self) -> None:
        self._cell["outputs"].clear()
        self._clear_at_next, self._stream_name = False, None

    def _count(self, content: Content) -> None:
        self._cell["execution_count"] = _count_of(content)

    def _stream(self, content: Content) -> None:
        name, text = str(content.get("name", "stdout")), str(content.get("text", ""))
        if self._clear_at_next or self._stream_name != name:
            self._add({"output_type": "stream", "name": name, "text": []})
            self._stream_name = name
        written = self._cell["outputs"][-1]["text"]
        # Only the last line can go on: a text of many pieces is not taken apart for each of them.
        last = written.pop() if written and not written[-1].endswith("\n") else ""
        written += lines(last + text)

    def _display(self, content: Content) -> None:
        output = {"output_type": "display_data", **_bundle(content)}
        self._add(output)
        self._remember(content)

    def _result(self, content: Content) -> None:
        output = {"output_type": "execute_result", "execution_count": _count_of(content)}
        self._add({**output, **_bundle(content)})
        self._remember(content)

    def _error(self, content: Content) -> None:
        self._add({"output_type": "error", **error_of(content)})

    def _update(self, content: Content) -> None:
        for output in self._displays.get(_display_id(content), []):
            output.update(_bundle(content))

    def _clear(self, content: Content) -> None:
        self._clear_at_next = True
        if not content.get("wait"):
            self._empty()

    def _remember(self, content: Content) -> None:
        if (identity := _display_id(content)) != "":
            self._displays.setdefault(identity, []).append(self._cell["outputs"][-1])


def error_of(content: Content) -> Tree:
    """What an error says: programs can publish messages of their own making, in which anything may stand."""
    traceback = content.get("traceback")
    return {
        "ename": str(content.get("ename") or ""),
        "evalue": str(content.get("evalue") or ""),
        "traceback": list(map(str, traceback)) if isinstance(traceback, list) else [],
    }


def bundle_of(content: Content, name: str = "data") -> Mapping[str, Any]:
    """What a display holds by kinds, likewise; or what it says of these, as `metadata`."""
    found = content.get(name)
    return found if isinstance(found, Mapping) else {}


def _count_of(content: Content) -> int | None:
    count = content.get("execution_count")
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def _bundle(content: Content) -> Tree:
    data = {kind: _by_lines(kind, value) for kind, value in bundle_of(content).items()}
    return {"data": data, "metadata": bundle_of(content, "metadata")}


def _by_lines(kind: str, value: object) -> object:
    if not isinstance(value, str) and not kind.endswith("json"):
        value = str(value)  # a program can say of anything that it is a text; a notebook can't
    if isinstance(value, str) and (kind.startswith("text/") or kind in _BY_LINES):
        return lines(value)
    return value


def _display_id(content: Content) -> str:
    transient = content.get("transient")
    return str(transient.get("display_id") or "") if isinstance(transient, Mapping) else ""
