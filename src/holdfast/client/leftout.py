"""What a session sends and nobody can use: left out, counted, and told once in words. Sans-I/O.

What fits is decided in protocol/told.py; here is what follows from it for one client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast.errors import MalformedMessage
from holdfast.protocol import told

_ANSWER = "the session's answer can't be understood: {}"
_SOMETHING = "the session sent something that can't be shown: {}; such messages are left out"


class LeftOut:
    """Of one client."""

    def __init__(self) -> None:
        self.count = 0
        self.untold = ""
        """Why the first one was left out, in words, until the client's owner has been told."""

    def fitting(self, msg_type: str, content: object, *, waited_for: bool = False) -> dict[str, Any] | None:
        """The content of a message; None: it is left out. If it is `waited_for`, a refusal in its place."""
        try:
            return told.fitting(msg_type, content)
        except MalformedMessage as error:
            if waited_for:
                return {"status": "error", "ename": "MalformedMessage", "evalue": _ANSWER.format(error.what)}
            self.add(error.what)
            return None

    def add(self, why: str) -> None:
        """One more."""
        self.count += 1
        if self.count == 1:
            self.untold = _SOMETHING.format(why)

    def tell(self, hear: Callable[[str], object]) -> None:
        """Have the owner told, if that is still to be done; `hear` returns False if nobody listens yet."""
        if self.untold and hear(self.untold) is not False:
            self.untold = ""
