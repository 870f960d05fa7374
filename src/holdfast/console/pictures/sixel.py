"""Sixels (vt100.net/docs/vt3xx-gp/chapter14.html): pixels in bands six high, colour by colour. Pure.

A band is looked at column by column. In a figure most columns are alike, so each kind is taken apart once.
"""

from __future__ import annotations

import re

BAND = 6
"""Pixels one above the other in one character."""

_ZERO = 0x3F
"""The character of no pixel at all; the lowest of its six bits is the uppermost pixel."""

_TO_CHARACTERS = bytes((value + _ZERO) & 0xFF for value in range(256))
_REPEATED = re.compile(rb"(.)\1{3,}", re.DOTALL)


def drawing(pixels: bytes, width: int, palette: bytes) -> str:
    """What draws `pixels`, row by row, each a number of a colour in `palette` (red, green, blue, …)."""
    height = len(pixels) // width
    rows = [pixels[begin : begin + width] for begin in range(0, len(pixels), width)]
    bands = [_band(rows[top : top + BAND]) for top in range(0, height, BAND)]
    colours = [
        f"#{number};2;" + ";".join(str(round(value / 2.55)) for value in palette[3 * number : 3 * number + 3])
        for number in sorted(set(pixels))
    ]
    # 1: what no pixel covers stays as it is; 1:1 is the shape of a pixel.
    return f'\x1bP0;1;0q"1;1;{width};{height}{"".join(colours)}{"-".join(bands)}\x1b\\'


def _band(rows: list[bytes]) -> str:
    width = len(rows[0])
    lines: dict[int, bytearray] = {}  # colour -> its bits in each column
    known: dict[tuple[int, ...], dict[int, int]] = {}
    for place, column in enumerate(zip(*rows, strict=True)):
        bits_of = known.get(column)
        if bits_of is None:
            bits_of = known[column] = _bits(column)
        for colour, bits in bits_of.items():
            line = lines.get(colour)
            if line is None:
                line = lines[colour] = bytearray(width)
            line[place] = bits
    pieces = []
    for colour, line in sorted(lines.items()):
        characters = _REPEATED.sub(_counted, line.translate(_TO_CHARACTERS))
        pieces.append(f"#{colour}{characters.decode('ascii')}")
    return "$".join(pieces)  # back to the beginning of the band


def _bits(column: tuple[int, ...]) -> dict[int, int]:
    """Of each colour in a column of one band, its places."""
    found: dict[int, int] = {}
    for place, colour in enumerate(column):
        found[colour] = found.get(colour, 0) | 1 << place
    return found


def _counted(run: re.Match[bytes]) -> bytes:
    return b"!%d%s" % (len(run[0]), run[1])
