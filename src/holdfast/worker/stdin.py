"""input() and getpass(): asked of the client that ran the cell, over the link."""

from __future__ import annotations

import builtins
import getpass
import threading
from collections.abc import Callable
from typing import Protocol

from holdfast.link.messages import NeedInput

UNABLE = "{} was called, but this frontend does not support input requests."
"""In ipykernel's words: tools that run notebooks recognise it by them."""


class Desk(Protocol):
    """Who knows the way to the client."""

    def ask_client(self, question: Callable[[int, int], NeedInput]) -> str:
        """Send a question, made of the ring's position and the parent's number; wait for the answer."""

    def drop_stale_input(self) -> None:
        """Forget answers to questions that an interrupt has ended."""


class StdinNotImplementedError(NotImplementedError):
    """The client that ran this cell can't type (named as in IPython: code catches it by name)."""


class Keyboard:
    """Replaces `input` and `getpass.getpass` in this process."""

    def __init__(self, desk: Desk) -> None:
        self.allowed = False  # whether the client that runs the cell can type
        self._desk = desk

    def install(self) -> None:
        """Take the place of the built-in functions."""
        builtins.input = self.read
        getpass.getpass = self.read_password

    def read(self, prompt: object = "", /) -> str:
        """`input`: a line that the user types."""
        return self._ask(str(prompt), password=False)

    def read_password(
        self,
        prompt: str = "Password: ",
        stream: object = None,  # noqa: ARG002 - getpass's signature
        *,
        echo_char: str | None = None,  # noqa: ARG002
    ) -> str:
        """`getpass.getpass`: a line that the user types unseen."""
        return self._ask(prompt, password=True)

    def _ask(self, prompt: str, *, password: bool) -> str:
        if not self.allowed:
            raise StdinNotImplementedError(UNABLE.format("getpass" if password else "raw_input"))
        if threading.current_thread() is not threading.main_thread():
            raise StdinNotImplementedError("input() works in the main thread only")
        self._desk.drop_stale_input()
        value = self._desk.ask_client(lambda at, parent: NeedInput(at, parent, prompt, password))
        if value == "\x04":  # Ctrl-D, as frontends send it
            raise EOFError
        return value
