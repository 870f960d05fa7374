"""What one cell puts out, on our own stdout and stderr, until it ends; Ctrl-C interrupts it."""

from __future__ import annotations

import os
import sys
from typing import Any

from holdfast.cli import text
from holdfast.client.blocking import Client, Execution
from holdfast.client.exchange import Incoming

FORCED_SECONDS = 30.0
"""For a forced interrupt to be told: the worker is killed at once, the state before comes back."""


def finish(client: Client, execution: Execution) -> tuple[Incoming, bool]:
    """Show what comes until the end; the reply, and whether Ctrl-C interrupted it (twice: by force)."""
    interrupts, told = 0, False
    while True:
        try:
            for message in execution:
                _show(message)
                told = told or message.msg_type == "error"
            reply = execution.reply()
            break
        except KeyboardInterrupt:
            interrupts += 1
            _interrupt(client, force=interrupts > 1)
    while client.foreign:
        late = client.foreign.popleft()
        if late.mine:
            _show(late)
    if reply.content.get("status") == "error" and not told:
        _write(sys.stderr, _last_words(reply.content))
    return reply, interrupts > 0


def _interrupt(client: Client, *, force: bool) -> None:
    if force:
        client.request(
            "holdfast_interrupt_request", {"force": True}, channel="control", timeout=FORCED_SECONDS
        )
    else:
        client.interrupt()


def _show(message: Incoming) -> None:
    content = message.content
    if message.msg_type == "stream":
        _write(sys.stderr if content.get("name") == "stderr" else sys.stdout, str(content.get("text", "")))
    elif message.msg_type in ("display_data", "execute_result"):
        _write(sys.stdout, str(content.get("data", {}).get("text/plain", "")) + "\n")
    elif message.msg_type == "error":
        _write(sys.stderr, _last_words(content))


def _write(file: Any, words: str) -> None:
    file.write(words)
    file.flush()


def _last_words(error: dict[str, Any]) -> str:
    """What python prints of an uncaught exception: a traceback; of SystemExit its text, if it has one."""
    if error.get("ename") == "SystemExit":
        value = str(error.get("evalue", ""))
        return "" if exit_number(value) is not None else f"{value}\n"
    words = "\n".join(error.get("traceback") or [f"{error.get('ename')}: {error.get('evalue')}"]) + "\n"
    return words if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else text.plain(words)


def exit_number(value: str) -> int | None:
    """The number that SystemExit's text stands for (sys.exit); None if it is a message."""
    known = {"": 0, "None": 0, "False": 0, "True": 1}
    if value in known:
        return known[value]
    return int(value) if value.removeprefix("-").isdecimal() else None
