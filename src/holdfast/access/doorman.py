"""Asked by ZeroMQ whenever somebody wants to come in: who, from where, with which key. Reads no message.

The protocol is ZAP (rfc.zeromq.org/spec/27): one question and one answer for each connection, on a socket
within this process. Nobody is let in while nobody answers (ZMQ_ZAP_ENFORCE_DOMAIN, zmq_setsockopt(3)).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Final

import zmq

LOCAL: Final = b"holdfast.local"
"""The domain of unix sockets: processes of the same user come in."""

_ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
_QUESTION = 6
"""Frames: version, number, domain, address, identity of the socket, mechanism; then what it brings."""

Judge = Callable[[str, list[bytes]], str | None]
"""By address and credentials: what somebody is known by from now on; None: he stays outside."""


class Doorman:
    """Of all doors of a session. `socket` is to be watched, `answer` to be called when it can be read."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]]) -> None:
        self.socket = context.socket(zmq.REP)
        self.socket.linger = 0
        self.socket.bind(_ENDPOINT)
        self._judges: dict[tuple[bytes, bytes], Judge] = {
            (LOCAL, b"NULL"): _same_user,
            (LOCAL, b"CURVE"): _same_user,
        }

    def ask(self, domain: bytes, mechanism: bytes, judge: Judge) -> None:
        """Have `judge` decide who comes in at sockets of that domain."""
        self._judges[domain, mechanism] = judge

    def answer(self) -> None:
        """Answer all that is asked."""
        with contextlib.suppress(zmq.Again):
            while True:
                self.socket.send_multipart(self._answer(self.socket.recv_multipart(zmq.NOBLOCK)))

    def close(self) -> None:
        """Nobody comes in any more."""
        self.socket.close()

    def _answer(self, question: list[bytes]) -> list[bytes]:
        _, number, domain, address, _, mechanism = question[:_QUESTION]
        judge = self._judges.get((domain, mechanism), _nobody)
        known_by = judge(address.decode(errors="replace"), question[_QUESTION:])
        if known_by is None:
            return [_VERSION, number, b"400", b"not let in", b"", b""]
        return [_VERSION, number, b"200", b"", known_by.encode(), b""]


def _same_user(address: str, _: list[bytes]) -> str | None:
    """Of a unix socket the address is `localhost:UID:GID:PID`, which the system vouches for (SO_PEERCRED)."""
    words = address.split(":")
    return words[1] if len(words) == 4 and words[1] == str(os.getuid()) else None


def _nobody(_: str, __: list[bytes]) -> str | None:
    return None
