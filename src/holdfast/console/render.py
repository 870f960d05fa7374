"""What a kernel's message looks like in a terminal: message content in, text out. Pure.

Where the text goes, and what is taken away again, is the business of `view` and `screen`.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from typing import Any

from holdfast.console import ansi
from holdfast.console.colours import TERMINAL, highlighted
from holdfast.errors import HoldfastError

_PNG_HEAD = 24  # bytes: signature, length and type of the first chunk, width, height (PNG, 5.2 and 11.2.2)


def prompt_in(count: int | str, who: str = "") -> str:
    """`In [n]: `, with the name of the client who ran it if that is somebody else."""
    return _prompt("In ", count, who, ansi.IN, ansi.IN_NUMBER)


def prompt_out(count: int | str, who: str = "") -> str:
    """`Out[n]: `, likewise."""
    return _prompt("Out", count, who, ansi.OUT, ansi.OUT_NUMBER)


def continuation(width: int) -> str:
    """The prompt of the second line of a cell, as wide as the first's."""
    return "...: ".rjust(width)


def cell(code: str, count: int | str, who: str, theme: str = TERMINAL) -> str:
    """A cell that was not typed here (`who` ran it, if it was not us), as it would look had it been."""
    width = len(f"[{who}] " if who else "") + len(f"In [{count}]: ")
    first, *more = highlighted(ansi.visible(code).rstrip("\n"), theme).rstrip("\n").split("\n")
    lines = [prompt_in(count, who) + first, *(continuation(width) + line for line in more)]
    return "\n".join(lines) + "\n"


def result(content: Mapping[str, Any], who: str = "") -> str:
    """An `execute_result`: on the prompt's line if it is one line, else below it."""
    text = data(content)
    between = "\n" if "\n" in text else ""
    return f"{prompt_out(content.get('execution_count') or '', who)}{between}{text}\n"


def data(content: Mapping[str, Any]) -> str:
    """A MIME bundle as text: its text/plain; what can't be shown here is named with its size."""
    bundle = content.get("data")
    if not isinstance(bundle, Mapping):
        return ""
    plain = bundle.get("text/plain")
    images = [_image(mime, value) for mime, value in bundle.items() if mime.startswith("image/")]
    if plain is None and not images:
        return " ".join(f"<{mime}, {ansi.size(len(str(value)))}>" for mime, value in bundle.items())
    return " ".join([*([str(plain)] if plain is not None else []), *images])


def display_id(content: Mapping[str, Any]) -> str:
    """By which a display can be updated later; "" if it can't."""
    transient = content.get("transient")
    return str(transient.get("display_id", "")) if isinstance(transient, Mapping) else ""


def error(content: Mapping[str, Any]) -> str:
    """A traceback as the kernel drew it; of an error without one, its name and value."""
    traceback = content.get("traceback") or []
    if traceback:
        return "\n".join(map(str, traceback)).rstrip("\n") + "\n"
    name, value = content.get("ename") or "Error", content.get("evalue") or ""
    return f"{ansi.paint(str(name), ansi.ERROR)}: {value}\n"


def complaint(trouble: HoldfastError) -> str:
    """What went wrong, and what to try."""
    remedy = f"   try: {trouble.remedy}" if trouble.remedy else ""
    return ansi.paint(f"{trouble.what}{remedy}", ansi.WARNING)


def _prompt(word: str, count: int | str, who: str, colour: str, number: str) -> str:
    label = ansi.paint(f"[{who}] ", ansi.WHO) if who else ""
    return (
        f"{label}{ansi.paint(f'{word}[', colour)}{ansi.paint(str(count), number)}{ansi.paint(']: ', colour)}"
    )


def _image(mime: str, value: object) -> str:
    """`<image/png 640x480, 13 kB>`: what a terminal without pictures can say of one."""
    text = str(value)
    if mime == "image/svg+xml":
        return f"<{mime}, {ansi.size(len(text))}>"
    pixels = _png_pixels(text) if mime == "image/png" else ""
    return f"<{mime}{pixels}, {ansi.size(len(text) * 3 // 4)}>"


def _png_pixels(encoded: str) -> str:
    try:
        head = base64.b64decode(encoded.replace("\n", "")[: _PNG_HEAD // 3 * 4])
        width, height = struct.unpack(">II", head[16:_PNG_HEAD])
    except (ValueError, struct.error):
        return ""
    return f" {width}x{height}"
