"""Half blocks: two pixels in each character, one as its colour and one as its background. Pure.

For every terminal with 256 colours or more, also inside tmux and over any number of ssh's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from holdfast.console.pictures.picture import Picture

_UPPER_HALF = "▀"

_LEVELS = (0, 95, 135, 175, 215, 255)
"""Of each primary colour in the cube of xterm's 256 colours, which are 16 + 36 red + 6 green + blue."""
_CUBE, _GREYS = 16, 232
_GREY_STEPS = 24
"""Greys from 8 on, each 10 lighter than the last."""

_Colour = Callable[[int, bytes], str]
"""The parameters of an escape (SGR): 38 for the character or 48 for its background, and the pixel."""


def draw(pixels: bytes, width: int, *, truecolour: bool) -> Picture:
    """A picture of `pixels`: red, green and blue of each, row by row, an even number of rows."""
    stride = 3 * width
    rows = [pixels[begin : begin + stride] for begin in range(0, len(pixels), stride)]
    colour: _Colour = _exactly if truecolour else _nearly
    lines = [_line(upper, lower, colour) for upper, lower in zip(rows[::2], rows[1::2], strict=True)]
    return Picture("".join(lines), len(lines))


def _line(upper: bytes, lower: bytes, colour: _Colour) -> str:
    pieces = []
    before = None
    for begin in range(0, len(upper), 3):
        pair = above, below = colour(38, upper[begin : begin + 3]), colour(48, lower[begin : begin + 3])
        plain = above[2:] == below[2:]  # one colour for both is a blank: less to write, nothing to copy
        if pair != before:
            pieces.append(f"\x1b[{below}m" if plain else f"\x1b[{above};{below}m")
            before = pair
        pieces.append(" " if plain else _UPPER_HALF)
    return "".join(pieces) + "\x1b[0m\n"


def _exactly(ground: int, pixel: bytes) -> str:
    return f"{ground};2;{pixel[0]};{pixel[1]};{pixel[2]}"


def _nearly(ground: int, pixel: bytes) -> str:
    return f"{ground};5;{_of_256(pixel)}"


@functools.lru_cache(maxsize=4096)
def _of_256(pixel: bytes) -> int:
    """The nearest of the 256 colours, but for the first 16, which every theme chooses for itself."""
    places = [_place(value) for value in pixel]
    step = max(0, min(_GREY_STEPS - 1, round((sum(pixel) / 3 - 8) / 10)))
    cube, grey = [_LEVELS[each] for each in places], [8 + 10 * step] * 3
    if _distance(grey, pixel) < _distance(cube, pixel):
        return _GREYS + step
    return _CUBE + 36 * places[0] + 6 * places[1] + places[2]


def _place(value: int) -> int:
    """Of the nearest level."""
    return min(range(len(_LEVELS)), key=lambda each: abs(_LEVELS[each] - value))


def _distance(one: list[int], other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
