"""kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol): PNG files as they are. Pure."""

from __future__ import annotations

import base64
import itertools
import secrets

from holdfast.console.pictures.picture import Picture, Size, placed
from holdfast.console.pictures.tmux import passed_through

_CHUNK = 4096
"""Characters of one escape ("The graphics escape code": larger ones must be split)."""

_PLACEHOLDER = "\U0010eeee"

_ROWS = (
    "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357"
    "\u035b\u0363\u0364\u0365\u0366\u0367\u0368\u0369\u036a\u036b\u036c\u036d\u036e\u036f\u0483\u0484"
    "\u0485\u0486\u0487\u0592\u0593\u0594\u0595\u0597\u0598\u0599\u059c\u059d\u059e\u059f\u05a0\u05a1"
    "\u05a8\u05a9\u05ab\u05ac\u05af\u05c4\u0610\u0611\u0612\u0613\u0614\u0615\u0616\u0617\u0657\u0658"
)
"""The numbers from 0 as diacritics: the first ones of kitty's rowcolumn-diacritics.txt."""

MOST_ROWS = len(_ROWS)

_PALETTE = 255
"""Numbers that the colour of a placeholder can tell, of 256 colours: tmux passes those on as they are."""

_numbers = itertools.count(secrets.randbelow(2**16))
"""Other programs in the same window count, too: a random beginning keeps us apart."""


def draw(png: bytes, size: Size) -> Picture:
    """The picture, drawn by the terminal over `size` columns and rows."""
    number = _next_number()
    control = f"a=T,f=100,i={number},c={size.width},r={size.height},C=1,q=2"
    return placed("".join(_transmission(png, control)), size.height, _removal(number))


def draw_in_tmux(png: bytes, size: Size) -> Picture:
    """The same as characters that stand for it, which tmux can scroll and redraw like any others."""
    number = _next_number()
    control = f"a=T,U=1,f=100,i={number},c={size.width},r={size.height},q=2"
    sent = "".join(map(passed_through, _transmission(png, control)))
    colour, high = f"\x1b[38;5;{number & 0xFF}m", _ROWS[number >> 24]
    lines = []
    for row in _ROWS[: size.height]:
        # Each next one is a column on, and of the same picture (kitty: "Unicode placeholders").
        first, next_one = f"{_PLACEHOLDER}{row}{_ROWS[0]}{high}", f"{_PLACEHOLDER}{row}"
        lines.append(f"{colour}{first}{next_one * (size.width - 1)}\x1b[39m\n")
    return Picture(sent + "".join(lines), size.height, passed_through(_removal(number)))


def _next_number() -> int:
    """Of a picture: what a palette's colour and one diacritic can tell."""
    high, low = divmod(next(_numbers), _PALETTE)
    return (high % MOST_ROWS) << 24 | (low + 1)


def _transmission(png: bytes, control: str) -> list[str]:
    encoded = base64.b64encode(png).decode()
    chunks = [encoded[begin : begin + _CHUNK] for begin in range(0, len(encoded), _CHUNK)]
    last = len(chunks) - 1
    return [
        f"\x1b_G{f'{control},' if not place else ''}m={int(place < last)};{chunk}\x1b\\"
        for place, chunk in enumerate(chunks)
    ]


def _removal(number: int) -> str:
    return f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\"
