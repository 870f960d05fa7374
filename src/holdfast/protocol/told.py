"""What kernels tell: the contents of output, questions and replies, by type. The twin of `content`.

A kernel may be another project's, on another host, or mean no good; code may publish whatever it likes. What
passes here has the types that the messaging specification gives it, so nobody behind need look again; what is
optional may be missing. Fields we don't know pass, and so do messages of types we don't know: what a display
holds, or a comm says, is for who shows it. Source: messaging.rst, "Messages on the IOPub (PUB/SUB) channel".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from holdfast.errors import MalformedMessage
from holdfast.protocol import codec, operations
from holdfast.protocol.content import Number
from holdfast.protocol.notices import QUESTION, QUEUED, Asked, Queued
from holdfast.visible import in_line

WORDS_CHARACTERS = 200
"""Of why something does not fit: a value of the sender's may stand in it."""


class _Stream(msgspec.Struct, frozen=True):
    text: str
    name: str = "stdout"


class _Display(msgspec.Struct, frozen=True):
    data: dict[str, Any]
    metadata: dict[str, Any] = {}
    transient: dict[str, Any] = {}


class _Result(_Display, frozen=True):
    execution_count: Number | None = None


class _Input(msgspec.Struct, frozen=True):
    code: str
    execution_count: Number | None = None


class _Error(msgspec.Struct, frozen=True):
    ename: str = ""
    evalue: str = ""
    traceback: list[str] = []


class _Status(msgspec.Struct, frozen=True):
    execution_state: str


class _Clear(msgspec.Struct, frozen=True):
    wait: bool = False


class _Comm(msgspec.Struct, frozen=True):
    comm_id: str
    target_name: str = ""
    data: dict[str, Any] = {}


class _Ask(msgspec.Struct, frozen=True):
    prompt: str = ""
    password: bool = False


class _Reply(_Error, frozen=True):
    """Of any request: how it ended, and of a failure the words."""

    status: str = "ok"
    remedy: str | None = None


class _Executed(_Reply, frozen=True):
    execution_count: Number | None = None
    payload: list[dict[str, Any]] = []
    user_expressions: dict[str, Any] = {}


class _Completed(_Reply, frozen=True):
    matches: list[str] = []
    cursor_start: Number = 0
    cursor_end: Number = 0
    metadata: dict[str, Any] = {}


class _Inspected(_Reply, frozen=True):
    found: bool = False
    data: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


class _History(_Reply, frozen=True):
    history: list[tuple[int, int, str | tuple[str, str | None]]] = []


class _Complete(msgspec.Struct, frozen=True):
    status: str
    indent: str = ""


class _Shutdown(_Reply, frozen=True):
    restart: bool = False


_SHAPES: dict[str, type[msgspec.Struct]] = {
    "stream": _Stream,
    "display_data": _Display,
    "update_display_data": _Display,
    "execute_result": _Result,
    "execute_input": _Input,
    "error": _Error,
    "status": _Status,
    "clear_output": _Clear,
    "comm_open": _Comm,
    "comm_msg": _Comm,
    "comm_close": _Comm,
    "input_request": _Ask,
    "execute_reply": _Executed,
    "complete_reply": _Completed,
    "inspect_reply": _Inspected,
    "history_reply": _History,
    "is_complete_reply": _Complete,
    "shutdown_reply": _Shutdown,
    QUEUED: Queued,
    QUESTION: Asked,
}
"""Message type -> what its content must be. Replies of operations are in `operations`."""

TYPES = tuple(_SHAPES)


def fitting(msg_type: str, content: object) -> dict[str, Any]:
    """The content, if it fits the type of its message; MalformedMessage if it does not.

    Of what may be missing, null says that it is.
    """
    if not isinstance(content, dict):
        raise MalformedMessage(f"{in_line(msg_type)[:WORDS_CHARACTERS]}: it is no object")
    name = operations.answered(msg_type)
    if name is not None and content.get("status", "ok") == "ok":
        return content | answer(name, content)
    shape = _SHAPES.get(msg_type, _Reply if msg_type.endswith("_reply") else None)
    if shape is None:
        return content
    try:
        msgspec.convert(content, shape)
    except msgspec.ValidationError as error:
        told = {key: value for key, value in content.items() if value is not None}
        if len(told) == len(content):
            raise _unfit(msg_type, error) from error
        return fitting(msg_type, told)
    return content


def answer(name: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The reply of an operation, whole where an older session tells less. MalformedMessage if it is none."""
    try:
        told = operations.answer(name, content)
    except MalformedMessage as error:
        raise MalformedMessage(_cut(error.what)) from error
    return cast("dict[str, Any]", msgspec.json.decode(codec.encode(told)))


def _unfit(msg_type: str, error: Exception) -> MalformedMessage:
    return MalformedMessage(_cut(f"{msg_type}: {error}"))


def _cut(words: str) -> str:
    return in_line(words)[:WORDS_CHARACTERS]
