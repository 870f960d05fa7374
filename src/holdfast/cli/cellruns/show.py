"""What the cells of a file put out, live, and the line that says which of them runs. Screen only.

On a terminal the line is the last one, drawn anew in place; else each cell has one line when it begins.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any, TextIO

from holdfast.cellfiles.document import Step
from holdfast.cli import text
from holdfast.console import ansi, bundle, render
from holdfast.console.bundle import Bundles, Images
from holdfast.console.extent import columns
from holdfast.console.screen import Screen
from holdfast.console.sieve import sifted
from holdfast.console.view import CellView
from holdfast.visible import visible

TICK_SECONDS = 0.5
"""How often the line's time is looked at: whole seconds are shown."""

WIDTH = 100
"""Columns of a line that goes elsewhere than to a terminal."""

_TIME = len("  59m59s") + 1
_ERASE = "\r\x1b[K"
_TENTHS_BELOW = 60
"""Seconds up to which tenths are of interest."""


class Show:
    """Of one run. `out` is for what cells put out, `err` for errors and our own words."""

    def __init__(self, total: int, out: TextIO, err: TextIO, images: Images = "auto") -> None:
        self._total = total
        self._bundles = Bundles(images, out)
        self._out, self._err = out, err
        self._screen = Screen(out, err)
        self._live = err.isatty()
        self._view = CellView(self._screen, self._bundles, others=False)
        self._step: Step | None = None
        self._began = 0.0  # time.monotonic()
        self._drawn = ""  # the line, if it stands on the screen
        self._half = False  # a line that goes to a file is half written

    def begin(self, step: Step) -> None:
        """A cell begins."""
        self._step, self._began = step, time.monotonic()
        self._view = CellView(self._screen, self._bundles, others=False)
        if self._live:
            self.tick()
        else:
            self.tell(self._head())

    def take(self, msg_type: str, content: Mapping[str, Any]) -> None:
        """Show one message."""
        self._erase()
        if msg_type == "error":
            width = self._screen.width if self._err.isatty() else None
            self._screen.fresh_line()
            self._screen.write(
                self._for(self._err, sifted(render.error(content, width), others=False)), "stderr"
            )
        elif self._out.isatty():
            self._view.show(msg_type, content)
        else:
            self._write(msg_type, content)
        self.tick()

    def tick(self) -> None:
        """Time passes."""
        if not self._live or self._step is None or self._screen.mid_line:
            return
        line = f"{self._head()}  {text.duration(time.monotonic() - self._began)}"
        if line != self._drawn:
            self._put(f"{_ERASE}{ansi.paint(line, ansi.NOTE)}")
            self._drawn = line

    def end(self, how: str, *, well: bool) -> None:
        """The cell is over: its line stays, with how it ended. In a file it has one, if that was `well`."""
        self._erase()
        self._view.finish()
        if self._half:
            self._out.write("\n")
            self._half = False
        line, self._step = f"{self._head()}  {how}", None
        if self._live or not well:
            self.tell(line)

    def tell(self, words: str) -> None:
        """Words of our own, on a line of their own."""
        self._erase()
        self._screen.note(self._for(self._err, ansi.paint(words, ansi.NOTE)))
        self.tick()

    def make_room(self) -> None:
        """Somebody else writes where the line stands."""
        self._erase()

    def close(self) -> None:
        """Whatever happened: the line is gone."""
        self._erase()
        self._step = None

    def _head(self) -> str:
        assert self._step is not None
        number = f"[{self._step.number}/{self._total}] "
        width = os.get_terminal_size(self._err.fileno()).columns if self._live else WIDTH
        room = max(1, width - len(number) - _TIME)
        title = visible(self._step.title).expandtabs(1)
        if columns(title) <= room:
            return number + title
        title = title[: 2 * room]  # what takes no column is rare
        while columns(title) >= room and title:
            title = title[:-1]
        return f"{number}{title}…"

    def _write(self, msg_type: str, content: Mapping[str, Any]) -> None:
        """Into a file or a pipe: nothing is taken back there."""
        shown = {"display_data": bundle.text, "update_display_data": bundle.text, "execute_result": _result}
        stream = "stdout"
        if msg_type == "stream":
            stream, words = str(content.get("name")), str(content.get("text", ""))
        elif msg_type in shown:
            words = ("\n" if self._half else "") + text.plain(shown[msg_type](content)) + "\n"
        else:
            return
        self._screen.write(words, "stderr" if stream == "stderr" else "stdout")
        if stream == "stdout" and words:
            self._half = not words.endswith("\n")

    @staticmethod
    def _for(stream: TextIO, words: str) -> str:
        return words if stream.isatty() and not os.environ.get("NO_COLOR") else text.plain(words)

    def _erase(self) -> None:
        if self._drawn:
            self._put(_ERASE)
            self._drawn = ""

    def _put(self, words: str) -> None:
        self._err.write(words)
        self._err.flush()


def seconds(took: float) -> str:
    """A time that is over: `4.2 s`, `2m10s`."""
    return f"{took:.1f} s" if took < _TENTHS_BELOW else text.duration(took)


def _result(content: Mapping[str, Any]) -> str:
    return render.result(bundle.text(content), render.number(content)).rstrip("\n")
