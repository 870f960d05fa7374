"""Draws a picture in the way of this terminal, no larger than the window."""

from __future__ import annotations

import fcntl
import math
import shutil
import struct
import termios
from collections.abc import Mapping
from typing import TextIO

from holdfast.console import ansi
from holdfast.console.pictures import blocks, iterm2, kitty, sixel, tmux
from holdfast.console.pictures.files import ImageFile
from holdfast.console.pictures.picture import Picture, Size, placed
from holdfast.console.pictures.protocols import Means, Protocols

USUAL_CELL = Size(8, 16)
"""Pixels of a character, where the terminal does not say; and for blocks, which can't be too fine."""

AS_IT_IS_BYTES = 1_000_000
"""A larger file is made smaller first, if the terminal would only shrink it."""

MARGIN = 2
"""Rows that stay free: the picture's prompt, and the next one."""


class Easel:
    """Makes pictures for one terminal, which is what `out` writes to."""

    def __init__(self, protocols: Protocols, out: TextIO) -> None:
        self._protocols = protocols
        self._out = out
        self._hinted = False

    def hint(self) -> str | None:
        """Said once: what would make pictures better here."""
        if self._hinted or not self._protocols.means().withheld:
            return None
        self._hinted = True
        return "sharper with: tmux set -g allow-passthrough on"

    def picture(self, encoded: object, wanted: Mapping[str, object], *, anew: bool) -> Picture | None:
        """What shows an image file in base64; None if it can't be shown here. `wanted`: its metadata.

        `anew`: the terminal gets a file of our own making, not this one, which may be made to break it.
        """
        means = self._protocols.means()
        if means.way == "none" or not self._out.isatty():
            return None
        try:
            file = ImageFile(encoded)
            return self._drawn(file, means, _wanted(wanted, file.size), anew=anew)
        except Exception:  # noqa: BLE001 - damaged files make Pillow fail in many ways: none may end the console
            return None

    def _drawn(self, file: ImageFile, means: Means, pixels: Size, *, anew: bool) -> Picture:
        cell = USUAL_CELL if means.way == "blocks" else self._cell()
        size = _fitted(pixels, cell, self._window())
        exact = Size(size.width * cell.width, size.height * cell.height)
        fewer = exact if math.prod(exact) < math.prod(file.size) else file.size
        if means.way == "kitty":
            shrink = len(file.data) > AS_IT_IS_BYTES and fewer != file.size
            png = file.png(fewer if anew or shrink else None)
            return (kitty.draw_in_tmux if means.in_tmux else kitty.draw)(png, size)
        drawing = ""
        if means.way == "iterm2":
            drawing = iterm2.drawing(file.png(fewer) if anew else file.data, size)
        elif means.way == "sixel":
            numbers, palette = file.palette(exact)
            drawing = sixel.drawing(numbers, exact.width, palette)
        if drawing and not (means.in_tmux and len(drawing) > tmux.MOST_CHARACTERS):
            return placed(tmux.drawn_through(drawing) if means.in_tmux else drawing, size.height)
        if means.way != "blocks":  # too large for tmux
            size = _fitted(pixels, USUAL_CELL, self._window())
        half = file.rgb(Size(size.width, 2 * size.height))
        return blocks.draw(half, size.width, truecolour=ansi.colours() == "truecolor")

    def _window(self) -> Size:
        return Size(*shutil.get_terminal_size())

    def _cell(self) -> Size:
        """Pixels of one character."""
        try:
            told = fcntl.ioctl(self._out.fileno(), termios.TIOCGWINSZ, bytes(8))  # ioctl_tty(2)
        except (OSError, ValueError):
            return USUAL_CELL
        rows, columns, width, height = struct.unpack("HHHH", told)
        if not (rows and columns and width >= columns and height >= rows):
            return USUAL_CELL
        return Size(width // columns, height // rows)


def _fitted(pixels: Size, cell: Size, window: Size) -> Size:
    """Columns and rows for a picture of `pixels`: as it is, or as large as the window allows."""
    columns, rows = pixels.width / cell.width, pixels.height / cell.height
    most = Size(max(1, window.width - 1), max(1, min(window.height - MARGIN, kitty.MOST_ROWS)))
    share = min(1.0, most.width / columns, most.height / rows)
    return Size(
        max(1, min(most.width, round(columns * share))), max(1, min(most.height, round(rows * share)))
    )


def _wanted(metadata: Mapping[str, object], size: Size) -> Size:
    """Pixels that the sender asks for (IPython.display.Image); else those of the file."""
    width, height = metadata.get("width"), metadata.get("height")
    if not isinstance(width, int) or width <= 0:
        width = None
    if not isinstance(height, int) or height <= 0:
        height = None
    if width is None and height is None:
        return size
    ratio = size.width / size.height
    if width is None:
        assert height is not None
        return Size(max(1, round(height * ratio)), height)
    return Size(width, height or max(1, round(width / ratio)))
