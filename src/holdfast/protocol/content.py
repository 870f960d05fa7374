"""What clients ask: the contents of requests, with the defaults of the messaging specification.

Fields we don't know are tolerated; a missing or wrong one is a MalformedMessage from `codec.decode`.
Source: messaging.rst, "Messages on the shell ROUTER/DEALER channel" and following.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

Whole = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
"""Integers on which all readers of JSON agree (RFC 8259, section 6); they fit SQLite's too."""

Position = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""An offset in code points."""


Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""How many, or the number of a cell."""

LATEST = 10**11
"""Seconds since the epoch: a later time, in three thousand years, can't be told everywhere."""

Moment = Annotated[float, msgspec.Meta(ge=0, le=LATEST)]
"""Seconds since the epoch."""


class KernelInfoRequest(msgspec.Struct, frozen=True):
    """`kernel_info_request`."""


class ExecuteRequest(msgspec.Struct):
    """`execute_request`. What is silent or blank is not stored, whatever the client says, nor counted."""

    code: str
    silent: bool = False
    store_history: bool = True
    user_expressions: dict[str, str] = {}
    allow_stdin: bool = False
    stop_on_error: bool = True

    def __post_init__(self) -> None:
        blank = not self.code or self.code.isspace()
        self.store_history = self.store_history and not self.silent and not blank


class CompleteRequest(msgspec.Struct, frozen=True):
    """`complete_request`."""

    code: str
    cursor_pos: Position


class InspectRequest(msgspec.Struct, frozen=True):
    """`inspect_request`."""

    code: str
    cursor_pos: Position
    detail_level: Literal[0, 1] = 0


class HistoryRequest(msgspec.Struct, frozen=True):
    """`history_request`. Session 0 is the current one, a negative one counts back from it."""

    hist_access_type: Literal["range", "tail", "search"] = "tail"
    output: bool = False
    raw: bool = True
    session: Whole = 0
    start: Whole | None = None
    stop: Whole | None = None
    n: Whole | None = None
    pattern: str | None = None
    unique: bool = False
    include_latest: bool = True
    """Of a tail. Not in Jupyter's protocol: a cell that asks does not mean itself."""


class IsCompleteRequest(msgspec.Struct, frozen=True):
    """`is_complete_request`."""

    code: str


class CommInfoRequest(msgspec.Struct, frozen=True):
    """`comm_info_request`; without a target all comms are meant."""

    target_name: str | None = None


class ConnectRequest(msgspec.Struct, frozen=True):
    """`connect_request`."""


class ShutdownRequest(msgspec.Struct, frozen=True):
    """`shutdown_request`."""

    restart: bool = False


class InterruptRequest(msgspec.Struct, frozen=True):
    """`interrupt_request`."""


class UsageRequest(msgspec.Struct, frozen=True):
    """`usage_request`: what the kernel uses of the machine (ipykernel's, not in the specification)."""


class InputReply(msgspec.Struct, frozen=True):
    """`input_reply`, the answer to our `input_request`."""

    value: str


class CommOpen(msgspec.Struct, frozen=True):
    """`comm_open`. `data` is for the worker alone and stays as it came."""

    comm_id: str
    target_name: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    target_module: str | None = None


class CommMsg(msgspec.Struct, frozen=True):
    """`comm_msg`."""

    comm_id: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


class CommClose(msgspec.Struct, frozen=True):
    """`comm_close`."""

    comm_id: str
    data: msgspec.Raw = msgspec.Raw(b"{}")


REQUESTS: dict[str, type[msgspec.Struct]] = {
    "kernel_info_request": KernelInfoRequest,
    "execute_request": ExecuteRequest,
    "complete_request": CompleteRequest,
    "inspect_request": InspectRequest,
    "history_request": HistoryRequest,
    "is_complete_request": IsCompleteRequest,
    "comm_info_request": CommInfoRequest,
    "connect_request": ConnectRequest,
    "shutdown_request": ShutdownRequest,
    "interrupt_request": InterruptRequest,
    "usage_request": UsageRequest,
    "input_reply": InputReply,
    "comm_open": CommOpen,
    "comm_msg": CommMsg,
    "comm_close": CommClose,
}
"""Message type -> what its content must be. Our own operations are in `operations`."""
