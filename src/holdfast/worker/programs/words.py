"""What is said, on stderr, when a program can't have what it wants."""

from __future__ import annotations

_INSTEAD = {
    "less": "show the file by %less FILE",
    "vim": "open the file by %edit FILE",
    "top": "print it once by !top -b -n 1",
}
_LIKE = {"more": "less", "most": "less"} | dict.fromkeys(("vi", "nvim", "nano", "emacs", "vim.basic"), "vim")


def wants_a_screen(name: str) -> str:
    """It draws a whole screen."""
    instead = _INSTEAD.get(_LIKE.get(name, name))
    more = f", or {instead}" if instead else ""
    return f"{name} wants a whole terminal: run it in a shell{more}"


def gets_no_input(name: str) -> str:
    """The client can't type."""
    return f"{name} waits for input, and this frontend can't ask for any: it gets end of file"


def does_not_end(name: str) -> str:
    """It reads on and on."""
    return f"{name} asks again and again after end of file: it is ended"
