"""What a cell put out, gathered for programs: `holdfast run --json`. Pure."""

from __future__ import annotations

import time
from typing import Any

from holdfast.cli import text
from holdfast.cli.programs import ending
from holdfast.cli.programs.output import shown
from holdfast.client.exchange import Incoming

_NAMES = {124: "timeout", ending.INTERRUPTED: "interrupted", 143: "terminated"}


class Finding:
    """Gathers messages; `found` is the object."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._output: list[str] = []
        self._displays: list[dict[str, Any]] = []
        self._result: dict[str, Any] | None = None
        self._error: dict[str, Any] | None = None
        self._reply: Incoming | None = None

    def take(self, message: Incoming) -> None:
        """Keep it."""
        content = message.content
        if message.msg_type == "stream":
            self._output.append(str(content.get("text", "")))
        elif message.msg_type in ("display_data", "execute_result"):
            self._output.append(shown(content) + "\n")
            data = content.get("data", {})
            if message.msg_type == "display_data":
                self._displays.append(data)
            else:
                self._result = data
        elif message.msg_type == "error":
            self._error = content

    def end(self, reply: Incoming) -> None:
        """It has ended."""
        self._reply = reply
        if reply.content.get("status") == "error" and self._error is None:
            self._error = reply.content

    def found(self, status: int) -> dict[str, Any]:
        """What there is to tell; `status` is the exit status."""
        count = self._reply.content.get("execution_count") if self._reply is not None else None
        return {
            "status": self._name(status),
            "exit_status": status,
            "execution_count": count,
            "output": text.plain("".join(self._output)),
            "result": self._result,
            "displays": self._displays,
            "error": _described(self._error),
            "elapsed": round(time.monotonic() - self._begun, 3),
        }

    def _name(self, status: int) -> str:
        if self._reply is not None and ending.death(self._reply) is not None and status not in _NAMES:
            return "crashed"
        if status in _NAMES and (self._reply is None or self._error is not None):
            return _NAMES[status]
        return "ok" if status == 0 else "error"


def _described(error: dict[str, Any] | None) -> dict[str, Any] | None:
    if error is None:
        return None
    lines = [text.plain(str(line)) for line in error.get("traceback") or ()]
    return {"ename": error.get("ename"), "evalue": error.get("evalue"), "traceback": lines}
