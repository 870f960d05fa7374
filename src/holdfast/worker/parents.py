"""Whose output is it? Each cell and request has a number; text and displays carry the number of their parent.

A ContextVar follows asyncio tasks and the main thread's cells: a task's output belongs to the cell that
started the task. A thread without a value of its own belongs to the latest cell, unless it was given one.
"""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import Any

import msgspec

HEADERS_KEPT = 256
"""Parents whose header can still be asked for by `get_parent`; older ones answer without one."""


class Parents:
    """The parent of whatever runs now, and the headers of recent ones."""

    def __init__(self) -> None:
        self.latest = 0  # number of the cell or request taken last
        self._current: ContextVar[int] = ContextVar("holdfast_parent")
        self._raw: dict[int, tuple[bytes, bytes]] = {}  # number → header, metadata (JSON as they came)

    def current(self) -> int:
        """The number under which output goes out now."""
        return self._current.get(self.latest)

    def enter(self, number: int, header: bytes, metadata: bytes) -> Token[int]:
        """`number` is the parent in this context from now on."""
        self.latest = number
        self._raw[number] = (header, metadata)
        if len(self._raw) > HEADERS_KEPT:
            del self._raw[next(iter(self._raw))]
        return self._current.set(number)

    def adopt(self, number: int) -> Token[int]:
        """Make output of this context (a thread, a task) belong to `number`."""
        return self._current.set(number)

    def leave(self, token: Token[int]) -> None:
        """Undo an `adopt`."""
        self._current.reset(token)

    def message(self) -> dict[str, Any]:
        """The parent's request as libraries know it: {"header": …, "metadata": …, …}; {} if unknown."""
        raw = self._raw.get(self.current())
        if raw is None:
            return {}
        header: dict[str, Any] = msgspec.json.decode(raw[0])
        return {
            "header": header,
            "msg_id": header.get("msg_id"),
            "msg_type": header.get("msg_type"),
            "parent_header": {},
            "metadata": msgspec.json.decode(raw[1]),
            "content": {},
            "buffers": [],
        }
