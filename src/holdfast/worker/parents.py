"""Whose output is it? Each cell and request has a number; text and displays carry the number of their parent.

A ContextVar follows asyncio tasks and the main thread's cells: a task's output belongs to the cell that
started the task. A thread has the parent of whoever started it (`threads`); one that Python did not start
belongs to the latest cell. Code may say otherwise by `ParentApi`, as it may towards ipykernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar, Token
from typing import Any, NamedTuple

from holdfast.protocol.codec import value_of

HEADERS_KEPT = 256
"""Parents whose header can still be asked for by `get_parent`; older ones answer without one."""

TOLD_KEPT = 4096
"""Parents handed out to user code that are known again when it hands them back, however long ago."""

NOBODY = 0
"""Number of what belongs to no request: it goes out with an empty parent."""

Request = Mapping[str, Any]
"""A request as libraries know it: {"header": ..., "metadata": ..., "content": ...}, or its header alone."""


class _Raw(NamedTuple):
    header: bytes
    metadata: bytes
    content: Mapping[str, Any]


class Parents:
    """The parent of whatever runs now, and the headers of recent ones."""

    def __init__(self) -> None:
        self.latest = NOBODY  # number of the cell or request taken last
        self._current: ContextVar[int] = ContextVar("holdfast_parent")
        self._raw: dict[int, _Raw] = {}  # by number, oldest first
        self._told: dict[str, int] = {}  # msg_id of those that user code has seen → number, oldest first

    def current(self) -> int:
        """The number under which output goes out now."""
        return self._current.get(self.latest)

    def enter(
        self, number: int, header: bytes, metadata: bytes, content: Mapping[str, Any] | None = None
    ) -> Token[int]:
        """`number` is the parent in this context from now on. Header and metadata are JSON as they came."""
        self.latest = number
        self._raw[number] = _Raw(header, metadata, content or {})
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
        number = self.current()
        raw = self._raw.get(number)
        if raw is None:
            return {}
        header: dict[str, Any] = value_of(raw.header)
        msg_id = header.get("msg_id", "")
        self._told.pop(msg_id, None)
        self._told[msg_id] = number
        if len(self._told) > TOLD_KEPT:
            del self._told[next(iter(self._told))]
        return {
            "header": header,
            "msg_id": msg_id,
            "msg_type": header.get("msg_type"),
            "parent_header": {},
            "metadata": value_of(raw.metadata),
            "content": dict(raw.content),
            "buffers": [],
        }

    def number_of(self, request: Request) -> int:
        """The number of a request, given whole or by its header; an empty one is nobody's.

        One that this process never had changes nothing: what is said stays with whoever says it.
        """
        header = request.get("header", request)
        msg_id = header.get("msg_id")
        if not msg_id:
            return NOBODY
        if msg_id in self._told:
            return self._told[msg_id]
        wanted = msg_id.encode()
        for number in reversed(list(self._raw)):
            raw = self._raw.get(number)
            # First a look without decoding: an id may be the beginning of another one.
            if raw and wanted in raw.header and value_of(raw.header).get("msg_id") == msg_id:
                return number
        return self.current()


class ParentApi:
    """How user code asks for, and changes, whose output it makes: ipykernel's interface (since its 7.4).

    The shell, both display hooks and both streams have it. Here they share one answer: what a thread prints
    and what it shows belong to the same cell.
    """

    def _speaker(self) -> Parents:
        """Where the answer is kept."""
        raise NotImplementedError

    @property
    def parent_header(self) -> dict[str, Any]:
        """Header of the request that output made now belongs to."""
        header: dict[str, Any] = self._speaker().message().get("header", {})
        return header

    @parent_header.setter
    def parent_header(self, request: Request) -> None:
        self.set_parent(request)

    def get_parent(self) -> dict[str, Any]:
        """The request that output made now belongs to."""
        return self._speaker().message()

    def set_parent(self, request: Request) -> None:
        """Output of this context, and of all that have no parent of their own, belongs to `request`."""
        parents = self._speaker()
        parents.latest = parents.number_of(request)
        parents.adopt(parents.latest)

    def set_thread_parent(self, request: Request) -> object:
        """Output of this thread or task belongs to `request`; returns what `reset_thread_parent` takes."""
        parents = self._speaker()
        return parents.adopt(parents.number_of(request))

    def reset_thread_parent(self, token: Any) -> None:
        """Undo the `set_thread_parent` that returned `token`."""
        self._speaker().leave(token)
