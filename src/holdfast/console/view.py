"""One cell's messages, shown on the screen in the order they come. Knows what can be taken back.

`clear_output` and updated displays replace what stands on the screen if nothing else was written since;
else the new text follows the old.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from holdfast.console import render
from holdfast.console.bundle import Bundles
from holdfast.console.pictures.picture import Picture
from holdfast.console.screen import Mark, Screen, Stream

DISPLAYS = 32
"""Displays one below the other that are updated in place: more bars than that are no progress display."""


class _Display(NamedTuple):
    """A display on the screen: what it is known by, where it begins, what it shows."""

    identity: str
    begin: Mark
    content: Mapping[str, Any]


class CellView:
    """What one cell shows. `who` is the client that ran it, empty if that is us."""

    def __init__(self, screen: Screen, bundles: Bundles, who: str = "") -> None:
        self.who = who
        self._screen = screen
        self._bundles = bundles
        self._begin: Mark | None = None
        self._clear_at_next = False
        self._displays: list[_Display] = []
        """What was shown last, one display below the other, with nothing between or after them."""
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
        self._displays = []
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
        self._clear_if_asked()
        self._screen.fresh_line()
        self._displays = []
        count = content.get("execution_count") or ""
        match self._bundles.parts(content):
            case [str(text)]:
                self._screen.write(render.result(text, count, self.who))
            case parts:
                self._screen.write(f"{render.prompt_out(count, self.who)}\n")
                self._put(parts)

    def _error(self, content: Mapping[str, Any]) -> None:
        self._write(render.error(content))

    def _data(self, content: Mapping[str, Any]) -> None:
        self._clear_if_asked()
        self._screen.fresh_line()
        begin = self._screen.mark()
        self._put(self._bundles.parts(content))
        self._displays = [*self._displays[1 - DISPLAYS :], _Display(_display_id(content), begin, content)]

    def _update(self, content: Mapping[str, Any]) -> None:
        """Show a display anew: in its place, with those below it, if nothing else stands there."""
        self._clear_if_asked()
        identity = _display_id(content)
        places = [place for place, each in enumerate(self._displays) if each.identity == identity != ""]
        if not places or not self._screen.holds(self._displays[places[0]].begin):
            self._data(content)
            return
        first = places[0]
        self._displays, redrawn = self._displays[:first], self._displays[first:]
        self._screen.rewind(redrawn[0].begin)
        for each in redrawn:
            self._data(content if each.identity == identity else each.content)

    def _put(self, parts: Sequence[str | Picture]) -> None:
        for part in parts:
            if isinstance(part, str):
                self._screen.write(part + "\n")
            else:
                self._screen.draw(part)

    def _clear(self, content: Mapping[str, Any]) -> None:
        self._clear_at_next = True
        if not content.get("wait"):
            self._clear_if_asked()

    def _clear_if_asked(self) -> None:
        if self._begin is None:
            self._begin = self._screen.mark()
        elif self._clear_at_next:
            self._screen.rewind(self._begin)
            self._displays = []
        self._clear_at_next = False


def _display_id(content: Mapping[str, Any]) -> str:
    transient = content.get("transient")
    return str(transient.get("display_id", "")) if isinstance(transient, Mapping) else ""
