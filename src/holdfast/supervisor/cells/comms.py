"""Which comms are open, as far as messages tell; nothing of what goes through them.

`comm_info_request` is answered from here, and after a crash it is known which halves have lost the other.
"""

from __future__ import annotations

import contextlib

import msgspec

from holdfast.errors import MalformedMessage
from holdfast.protocol import codec


class _Comm(msgspec.Struct):
    comm_id: str = ""
    target_name: str = ""


class Comms:
    """Comms by id."""

    def __init__(self) -> None:
        self._targets: dict[str, str] = {}
        self._told = self._targets.copy()  # as it was stored last

    def note(self, msg_type: str, content: bytes) -> None:
        """A message went by, from either side."""
        if msg_type not in ("comm_open", "comm_close"):
            return
        with contextlib.suppress(MalformedMessage):  # a cell, or a client, may send nonsense
            comm = codec.decode(content, _Comm, msg_type)
            if msg_type == "comm_open":
                self._targets[comm.comm_id] = comm.target_name
            else:
                self._targets.pop(comm.comm_id, None)

    def news(self) -> str | None:
        """What to store for another supervisor, as JSON; None if that is what was stored last."""
        if self._told == self._targets:
            return None
        self._told = self._targets.copy()
        return msgspec.json.encode(self._told).decode()

    def restore(self, stored: str) -> None:
        """What another supervisor has stored."""
        self._targets = msgspec.json.decode(stored, type=dict[str, str])
        self._told = self._targets.copy()

    def described(self, target: str | None) -> dict[str, dict[str, str]]:
        """As `comm_info_reply` has them: all, or those of one target."""
        return {
            number: {"target_name": name}
            for number, name in self._targets.items()
            if target is None or name == target
        }

    def keep(self, living: list[str]) -> list[str]:
        """Only these have another half still: forget the others, and return them."""
        gone = [number for number in self._targets if number not in living]
        for number in gone:
            del self._targets[number]
        return gone

    def ids(self) -> list[str]:
        """All that are open."""
        return list(self._targets)

    def clear(self) -> None:
        """The namespace is gone, and all that was open with it."""
        self._targets.clear()
