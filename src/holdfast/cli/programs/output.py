"""What one cell puts out, on our own stdout and stderr, until it ends; Ctrl-C interrupts it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Protocol

from holdfast.cli import text
from holdfast.cli.foreign import Foreign
from holdfast.cli.usage import has_colours, tell
from holdfast.client.blocking import Client, Execution
from holdfast.client.exchange import Incoming

FORCED_SECONDS = 30.0
"""For a forced interrupt to be told: the worker is killed at once, the state before comes back."""


class Sink(Protocol):
    """Takes the messages of a cell."""

    def take(self, message: Incoming) -> None:
        """One of iopub."""

    def end(self, reply: Incoming) -> None:
        """The cell has ended."""


class Printed:
    """They are printed as they come."""

    def __init__(self) -> None:
        self._error_told = False
        self._out, self._err = Foreign(sys.stdout), Foreign(sys.stderr)

    def take(self, message: Incoming) -> None:
        """Print it."""
        content = message.content
        if message.msg_type == "stream":
            _write(self._err if content.get("name") == "stderr" else self._out, str(content.get("text", "")))
        elif message.msg_type in ("display_data", "execute_result"):
            _write(self._out, shown(content) + "\n")
        elif message.msg_type == "error":
            self._error_told = True
            _write(self._err, last_words(content))

    def end(self, reply: Incoming) -> None:
        """Print the error that only the reply tells; the terminal is as it was."""
        if reply.content.get("status") == "error" and not self._error_told:
            _write(self._err, last_words(reply.content))
        for each in (self._out, self._err):
            each.settle()
            each.flush()


def finish(
    client: Client,
    execution: Execution,
    sink: Sink | None = None,
    on_interrupt: Callable[[KeyboardInterrupt], object] | None = None,
) -> tuple[Incoming, bool]:
    """Show what comes until the end; the reply, and whether Ctrl-C interrupted it.

    `on_interrupt` does that; without it the second Ctrl-C stops the interpreter.
    """
    sink = sink or Printed()
    client.on_unfit = tell
    pressed, why = 0, None
    while True:
        try:
            if why is not None:
                reason, why = why, None
                if on_interrupt is None:
                    interrupt(client, force=pressed > 1)
                else:
                    on_interrupt(reason)
            for message in execution:
                sink.take(message)
            reply = execution.reply()
            break
        except KeyboardInterrupt as error:
            pressed, why = pressed + 1, error
    while client.foreign:
        late = client.foreign.popleft()
        if late.mine:
            sink.take(late)
    sink.end(reply)
    return reply, pressed > 0


def interrupt(client: Client, *, force: bool = False) -> None:
    """Interrupt what runs; `force`: kill the interpreter."""
    client.request("holdfast_interrupt_request", {"force": force}, channel="control", timeout=FORCED_SECONDS)


def shown(content: dict[str, Any]) -> str:
    """A result or display as text; of what has none, which kinds of data it has."""
    data = content.get("data", {})
    return str(data.get("text/plain", f"<{', '.join(data)}>"))


def last_words(error: dict[str, Any]) -> str:
    """What is printed of an uncaught exception: a traceback; of SystemExit its text, if it has one."""
    if error.get("ename") == "SystemExit":
        value = str(error.get("evalue", ""))
        return "" if exit_number(value) is not None else f"{value}\n"
    words = "\n".join(error.get("traceback") or [f"{error.get('ename')}: {error.get('evalue')}"]) + "\n"
    return words if has_colours(sys.stderr) else text.plain(words)


def exit_number(value: str) -> int | None:
    """The number that SystemExit's text stands for (sys.exit); None if it is a message."""
    known = {"": 0, "None": 0, "False": 0, "True": 1}
    if value in known:
        return known[value]
    return int(value) if value.removeprefix("-").isdecimal() else None


def _write(file: Foreign, words: str) -> None:
    file.write(words)
    file.flush()
