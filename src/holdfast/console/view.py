"""One cell's messages, shown on the screen in the order they come. Knows what can be taken back.

`clear_output` and updated displays replace what stands on the screen if nothing else was written since;
else the new text follows the old.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from holdfast.console import render
from holdfast.console.screen import Mark, Screen, Stream


class CellView:
    """What one cell shows. `who` is the client that ran it, empty if that is us."""

    def __init__(self, screen: Screen, who: str = "") -> None:
        self.who = who
        self._screen = screen
        self._begin: Mark | None = None
        self._clear_at_next = False
        self._display: tuple[str, Mark] | None = None
        """The display that was shown last, if nothing came after it: its id, and where it begins."""
        self._handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "execute_input": self._input,
            "stream": self._stream,
            "execute_result": self._result,
            "display_data": self._data,
            "update_display_data": self._update,
            "error": self._error,
            "clear_output": self._clear,
        }

    def show(self, msg_type: str, content: Mapping[str, Any]) -> None:
        """Show one message; what nobody needs to see (status, comms) is passed over."""
        handler = self._handlers.get(msg_type)
        if handler is not None:
            handler(content)

    def finish(self) -> None:
        """The cell is over: what it left half written stands, the next thing begins a line."""
        self._screen.fresh_line()

    def _write(self, text: str, stream: Stream = "stdout", *, whole_lines: bool = True) -> None:
        self._clear_if_asked()
        if whole_lines:
            self._screen.fresh_line()
        self._display = None
        self._screen.write(text, stream)

    def _input(self, content: Mapping[str, Any]) -> None:
        """Another client's cell begins. Ours stands on the screen already, typed."""
        if self.who:
            code, count = str(content.get("code", "")), content.get("execution_count") or " "
            self._write("\n" + render.cell(code, count, self.who, self._screen.theme))
            self._begin = self._screen.mark()

    def _stream(self, content: Mapping[str, Any]) -> None:
        stream: Stream = "stderr" if content.get("name") == "stderr" else "stdout"
        self._write(str(content.get("text", "")), stream, whole_lines=False)

    def _result(self, content: Mapping[str, Any]) -> None:
        self._write(render.result(content, self.who))

    def _error(self, content: Mapping[str, Any]) -> None:
        self._write(render.error(content))

    def _data(self, content: Mapping[str, Any]) -> None:
        self._clear_if_asked()
        self._screen.fresh_line()
        begin = self._screen.mark()
        self._write(render.data(content) + "\n")
        identity = render.display_id(content)
        self._display = (identity, begin) if identity else None

    def _update(self, content: Mapping[str, Any]) -> None:
        if self._display is not None and self._display[0] == render.display_id(content):
            self._screen.rewind(self._display[1])
        self._data(content)

    def _clear(self, content: Mapping[str, Any]) -> None:
        self._clear_at_next = True
        if not content.get("wait"):
            self._clear_if_asked()

    def _clear_if_asked(self) -> None:
        if self._begin is None:
            self._begin = self._screen.mark()
        elif self._clear_at_next:
            self._screen.rewind(self._begin)
        self._clear_at_next = False
