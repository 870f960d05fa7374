"""Types a client's answers on a program's terminal, and knows what of them is still to be read or echoed.

Who reads lines is given a line. Who reads keys, and waits for nothing else, may want one key, or edit a line
by itself (readline): Enter is pressed only if it has read the others and waits for more.
"""

from __future__ import annotations

from holdfast.worker.programs.lines import Echo
from holdfast.worker.programs.terminal import Terminal
from holdfast.worker.stdin import END_OF_INPUT


class Typist:
    """At one terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self.echo = Echo()
        self.alone = False
        """The program waits for keys and nothing else."""
        self._terminal = terminal
        self._rest = b""  # what the terminal has not taken
        self._enter_due = False
        self._watching = False  # something was typed, and may not be read yet

    def answer(self, text: str) -> None:
        """Type what the client did: a line without its end, or END_OF_INPUT."""
        modes = self._terminal.modes
        if text == END_OF_INPUT:
            self._type(modes.end_of_input)
            return
        data = text.encode(errors="replace")
        self.echo.expect(text if modes.echo or not modes.canonical else "")
        self._enter_due = self.alone and not modes.canonical and bool(data)
        self._type(data if self._enter_due else data + (b"\n" if modes.canonical else b"\r"))

    @property
    def pending(self) -> bool:
        """The terminal has not taken all of it."""
        return bool(self._rest)

    def go_on(self) -> None:
        """Type what the terminal takes now."""
        if self._rest:
            self._rest = self._rest[self._terminal.write(self._rest) :]

    def is_unread(self) -> bool:
        """The program has not come to what was typed, whatever it seems to wait for."""
        self._watching = self._watching and (self.pending or self._terminal.unread)
        return self._watching

    def heard(self, text: str) -> None:
        """The program printed something."""
        if "\n" in text:  # it has gone on without
            self._enter_due = False

    def press_enter(self) -> bool:
        """The program waits: press Enter if it is due. Whether it was."""
        due, self._enter_due = self._enter_due and not self._terminal.modes.canonical, False
        if due:
            self._type(b"\r")
        return due

    def _type(self, data: bytes) -> None:
        self._rest += data
        self._watching = True
        self.go_on()
