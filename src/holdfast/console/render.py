"""What a kernel's message looks like in a terminal: message content in, text out. Pure.

What of a result is shown is the business of `bundle`; where it goes and what is taken away again, that of
`view` and `screen`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.console import ansi
from holdfast.console.colours import TERMINAL, highlighted
from holdfast.console.folding import folded
from holdfast.errors import DIED, HoldfastError
from holdfast.visible import visible


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
    first, *more = highlighted(visible(code).rstrip("\n"), theme).rstrip("\n").split("\n")
    lines = [prompt_in(count, who) + first, *(continuation(width) + line for line in more)]
    return "\n".join(lines) + "\n"


def result(text: str, count: int | str, who: str = "") -> str:
    """The text of an `execute_result`: on the prompt's line if it is one line, else below it."""
    between = "\n" if "\n" in text else ""
    return f"{prompt_out(count, who)}{between}{text}\n"


def number(content: Mapping[str, Any]) -> int | str:
    """Of a cell, as a message tells it; "" if it does not."""
    count = content.get("execution_count")
    return count if isinstance(count, int) and count else ""


def display_id(content: Mapping[str, Any]) -> str:
    """By which a display can be updated later; "" if it can't."""
    transient = content.get("transient")
    return str(transient.get("display_id", "")) if isinstance(transient, Mapping) else ""


def error(content: Mapping[str, Any], width: int | None = None) -> str:
    """A traceback as the kernel drew it; of an error without one, its name and value.

    The words of one that is ours are folded, if a `width` is given; code among them is not.
    """
    traceback = content.get("traceback") or []
    if traceback:
        lines = ansi.drawn("\n".join(map(str, traceback))).rstrip("\n").split("\n")
        if width is not None and content.get("ename") == DIED:
            lines = [line if line.startswith(" ") else folded(line, width) for line in lines]
        return "\n".join(lines) + "\n"
    name, value = content.get("ename") or "Error", content.get("evalue") or ""
    return f"{ansi.paint(str(name), ansi.ERROR)}: {value}\n"


def unshown(msg_type: str, trouble: Exception) -> str:
    """Said instead of a message that makes no sense."""
    return ansi.paint(f"<{msg_type} that can't be shown: {type(trouble).__name__}>", ansi.NOTE)


def complaint(trouble: HoldfastError) -> str:
    """What went wrong, and what to try."""
    remedy = f"   try: {trouble.remedy}" if trouble.remedy else ""
    return ansi.paint(visible(f"{trouble.what}{remedy}"), ansi.WARNING)


def _prompt(word: str, count: int | str, who: str, colour: str, number: str) -> str:
    label = ansi.paint(f"[{who}] ", ansi.WHO) if who else ""
    return (
        f"{label}{ansi.paint(f'{word}[', colour)}{ansi.paint(str(count), number)}{ansi.paint(']: ', colour)}"
    )
