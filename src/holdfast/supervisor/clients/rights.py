"""Which role a request needs. Who comes by our own door, or with a connection file, may do all."""

from __future__ import annotations

from typing import Final

from holdfast.errors import AccessRefused
from holdfast.keys.authorized import ROLES, Role
from holdfast.protocol import operations
from holdfast.protocol.messages import Message

_LEAST: Final = "own"
"""What is not named below: also what comes to be asked one day."""

_WATCH: Final = (
    "kernel_info_request",
    "connect_request",
    "comm_info_request",
    "is_complete_request",
    "usage_request",
    *map(operations.request_type, ("info", "log", "clients", "recent", "held", "checkpoints", "resume")),
)
_RUN: Final = (
    "execute_request",
    "input_reply",
    "complete_request",  # it runs code: of properties, say
    "inspect_request",
    "history_request",  # of all sessions
    "comm_open",
    "comm_msg",
    "comm_close",
    "interrupt_request",
    "debug_request",
    *map(operations.request_type, ("withdraw", "answer", "variables")),
)
_NEEDED: dict[str, Role] = {}
_NEEDED.update(dict.fromkeys(_WATCH, "watch"))
_NEEDED.update(dict.fromkeys(_RUN, "run"))


def needed(msg_type: str) -> Role:
    """The role that such a message needs."""
    return _NEEDED.get(msg_type, _LEAST)


def check(message: Message) -> None:
    """AccessRefused if its sender may not ask for that."""
    role = needed(message.header.msg_type)
    if ROLES.index(message.may) < ROLES.index(role):
        raise AccessRefused(
            f"your key may only {message.may}: this needs role={role}",
            "ask whose session it is for another line in authorized_keys",
        )
