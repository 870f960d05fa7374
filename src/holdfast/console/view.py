"""One cell's messages, shown on the screen in the order they come. Knows what `clear_output` takes back.

What was written by others since, or has scrolled away, stays: the new text follows the old. Displays that
change are the business of `displays`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from holdfast.console import render, sieve
from holdfast.console.bundle import Bundles
from holdfast.console.displays import Displays
from holdfast.console.screen import Mark, Screen, Stream


class CellView:
    """What one cell shows. `who` is the client that ran it, empty if that is us.

    `others`: it is not to be trusted with the terminal, as it is somebody else's, or runs on another host.
    """

    def __init__(self, screen: Screen, bundles: Bundles, who: str = "", *, others: bool = True) -> None:
        self.who = who
        self._others = others
        self._sieves: dict[Stream, sieve.Sieve] = {
            "stdout": sieve.sieve(others=others),
            "stderr": sieve.sieve(others=others),
        }
        self._screen = screen
        self._bundles = bundles
        self._begin: Mark | None = None
        self._clear_at_next = False
        self._displays = Displays(screen, bundles, others=others)
        self._handlers: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "execute_input": self._input,
            "stream": self._stream,
            "execute_result": self._result,
            "display_data": self._data,
            "update_display_data": self._update,
            "error": self._error,
            "clear_output": self._clear,
        }
        for comm in ("comm_open", "comm_msg", "comm_close"):
            self._handlers[comm] = functools.partial(self._comm, comm)

    def show(self, msg_type: str, content: Mapping[str, Any]) -> None:
        """Show one message; what nobody needs to see (status) is passed over."""
        handler = self._handlers.get(msg_type)
        if handler is None:
            return
        try:
            handler(content)
        except Exception as error:  # noqa: BLE001 - code may send anything: it must not end the console
            self._screen.note(render.unshown(msg_type, error))

    def finish(self) -> None:
        """The cell is over: what it left half written stands, the next thing begins a line."""
        self._restart()
        self._screen.settle()
        self._displays.finish()

    def _write(self, text: str, stream: Stream = "stdout", *, whole_lines: bool = True) -> None:
        self._clear_if_asked()
        if whole_lines:
            self._screen.fresh_line()
        self._displays.bury()
        self._screen.write(text, stream)

    def _input(self, content: Mapping[str, Any]) -> None:
        """Another client's cell begins. Ours stands on the screen already, typed."""
        if self.who:
            code, count = str(content.get("code", "")), render.number(content) or " "
            self._write("\n" + render.cell(code, count, self.who, self._screen.theme))
            self._begin = self._screen.mark()

    def _stream(self, content: Mapping[str, Any]) -> None:
        stream: Stream = "stderr" if content.get("name") == "stderr" else "stdout"
        if self._screen.writer is not self:
            for each in self._sieves.values():
                each.stay()
        text = self._sieves[stream].through(str(content.get("text", "")))
        if text:
            self._write(text, stream, whole_lines=False)
            self._screen.writer = self

    def _result(self, content: Mapping[str, Any]) -> None:
        self._clear_if_asked()
        self._screen.fresh_line()
        self._displays.bury()
        count = render.number(content)
        match self._bundles.parts(content, others=self._others):
            case [str(text)]:
                self._screen.write(render.result(text, count, self.who))
            case parts:
                self._screen.write(f"{render.prompt_out(count, self.who)}\n")
                self._displays.put(parts)

    def _error(self, content: Mapping[str, Any]) -> None:
        self._screen.settle()
        self._write(sieve.sifted(render.error(content, self._screen.width), others=self._others))

    def _data(self, content: Mapping[str, Any]) -> None:
        self._clear_if_asked()
        self._displays.show(content)

    def _update(self, content: Mapping[str, Any]) -> None:
        self._clear_if_asked()
        self._displays.update(content)

    def _comm(self, msg_type: str, content: Mapping[str, Any]) -> None:
        changed = self._bundles.widgets.take(msg_type, content)
        if changed is not None:
            self._displays.change(changed)

    def _clear(self, content: Mapping[str, Any]) -> None:
        self._clear_at_next = True
        if not content.get("wait"):
            self._clear_if_asked()

    def _clear_if_asked(self) -> None:
        if self._begin is None:
            self._begin = self._screen.mark()
        elif self._clear_at_next:
            self._screen.rewind(self._begin)
            self._restart()
            self._displays = Displays(self._screen, self._bundles, others=self._others)
        self._clear_at_next = False

    def _restart(self) -> None:
        for each in self._sieves.values():
            each.restart()
