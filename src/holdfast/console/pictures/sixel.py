"""Sixels (vt100.net/docs/vt3xx-gp/chapter14.html): pixels in bands six high, colour by colour. Pure.

Each colour of a band is found for the whole row at once, by translating bytes and joining them as one large
number: in Python a loop over the pixels would take ten times as long.
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
    lines = []
    for colour in sorted(set().union(*rows)):
        bits = 0
        for place, row in enumerate(rows):
            only = bytearray(256)
            only[colour] = 1 << place
            bits |= int.from_bytes(row.translate(only), "big")
        characters = bits.to_bytes(width, "big").translate(_TO_CHARACTERS)
        lines.append(f"#{colour}{_REPEATED.sub(_counted, characters).decode('ascii')}")
    return "$".join(lines)  # back to the beginning of the band


def _counted(run: re.Match[bytes]) -> bytes:
    return b"!%d%s" % (len(run[0]), run[1])
