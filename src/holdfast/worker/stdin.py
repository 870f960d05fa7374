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


END_OF_INPUT = "\x04"
"""An answer of Ctrl-D, as frontends send it."""


class Desk(Protocol):
    """Who knows the way to the client."""

    @property
    def can_ask(self) -> bool:
        """There is a supervisor to ask through."""

    def fileno(self) -> int:
        """A descriptor that can be read when an answer may have come."""

    def put_question(self, question: Callable[[int, int], NeedInput]) -> None:
        """Send a question, as `ask_client`, and don't wait."""

    def answer(self) -> str | None:
        """What has come for it, if it has."""

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

    @property
    def reachable(self) -> bool:
        """Whether the client can be asked, from here."""
        here = threading.current_thread() is threading.main_thread()
        return self.allowed and here and self._desk.can_ask

    def put(self, prompt: str, *, password: bool) -> None:
        """Ask as `read` does, and go on: `answer` is the answer, once it is there."""
        self._desk.drop_stale_input()
        self._desk.put_question(lambda at, parent: NeedInput(at, parent, prompt, password))

    def answer(self) -> str | None:
        """To what was `put`; END_OF_INPUT for Ctrl-D."""
        return self._desk.answer()

    def fileno(self) -> int:
        """Can be read when an answer may be there."""
        return self._desk.fileno()

    def _ask(self, prompt: str, *, password: bool) -> str:
        if not self.allowed:
            raise StdinNotImplementedError(UNABLE.format("getpass" if password else "raw_input"))
        if threading.current_thread() is not threading.main_thread():
            raise StdinNotImplementedError("input() works in the main thread only")
        self._desk.drop_stale_input()
        value = self._desk.ask_client(lambda at, parent: NeedInput(at, parent, prompt, password))
        if value == END_OF_INPUT:
            raise EOFError
        return value
