"""How a program or a cell ended: as an exit status, and in words if its process died. Prints nothing."""

from __future__ import annotations

import signal
from typing import Any

from holdfast.cli.programs.output import exit_number
from holdfast.client.exchange import Incoming
from holdfast.protocol.programs import MAGIC, exit_status

INTERRUPTED = 128 + signal.SIGINT

_ENDED_ITSELF = "exit status "
"""How the cause begins if the process was not killed: python has nothing to say of it, either."""


def status(reply: Incoming) -> int:
    """The exit status: python's, or 128 + signal if the process died."""
    told = exit_status(reply.content.get("payload"))
    if told is not None:
        return told if told >= 0 else 128 - told
    died = death(reply)
    return _of_error(reply.content) if died is None else died


def death(reply: Incoming) -> int | None:
    """The exit status of the process if it died in the cell."""
    told = recovery(reply)
    if told is None:
        return None
    number = told.get("exit_status")
    return number if isinstance(number, int) else 1


def last_words(reply: Incoming) -> str:
    """Of a program whose process was killed: by what, and where it was; "" if there is nothing to say."""
    told = recovery(reply) or {}
    cause = str(told.get("cause", ""))
    if not cause or cause.startswith(_ENDED_ITSELF):
        return ""
    traceback = told.get("traceback")
    lines = [str(line) for line in traceback] if isinstance(traceback, list) else []
    ours = next((number for number, line in enumerate(lines, 1) if f"%{MAGIC} " in line), 0)
    where = ["it was here (most recent call last):", *lines[ours:]] if lines[ours:] else []
    return "\n".join([f"holdfast: the Python process died: {cause}", *where])


def recovery(reply: Incoming) -> dict[str, Any] | None:
    """What the session says of the death (`Recovery`); None if there was none."""
    ours = reply.metadata.get("holdfast")
    found = ours.get("recovery") if isinstance(ours, dict) else None
    return found if isinstance(found, dict) else None


def _of_error(content: dict[str, Any]) -> int:
    """For the exception that ended a cell."""
    if content.get("status") == "ok":
        return 0
    if content.get("ename") == "KeyboardInterrupt":
        return INTERRUPTED
    if content.get("ename") == "SystemExit":
        number = exit_number(str(content.get("evalue", "")))
        return 1 if number is None else number & 0xFF
    return 1
