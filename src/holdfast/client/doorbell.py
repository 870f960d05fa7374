"""The client's end of a supervisor's doorbell: JSON lines over a unix socket, blocking. Stdlib only.

Launchers and the command line are started often, so nothing here may import msgspec or ZeroMQ (30 ms and
60 ms). The peer is a process of the same user, checked by the kernel; but what it hands on may come from
another host (`remote/`), so its lines are bounded, and looked at before they are believed.
"""

from __future__ import annotations

import json
import os
import socket
import time

from holdfast.errors import HungUp, NoAnswer, ProtocolError, SessionError

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Any, Self

ANSWER_SECONDS = 10.0
"""A supervisor answers within milliseconds; after this long it hangs."""

MOST_BYTES = 64 * 1024 * 1024
"""Of answers that wait: as much as a supervisor keeps for one ringer (`access/doorbell.py`, MAX_OUTBOX)."""

_PIECE = 256 * 1024
_CREDENTIALS = 12  # struct ucred: pid, uid, gid of four bytes each (unix(7), SO_PEERCRED)


class DoorbellClient:
    """One connection to a supervisor. Asks and answers go in order; events come in between, unasked."""

    def __init__(self, connection: socket.socket, name: str) -> None:
        self._socket = connection
        self._name = name
        self._buffer = bytearray()
        self._events: list[dict[str, Any]] = []
        self.understand: Callable[[str, dict[str, Any]], dict[str, Any]] = _as_it_is
        """Looks at answers that come from another host; ProtocolError if one is none."""

    @classmethod
    def connect(cls, path: Path, name: str) -> Self:
        """Ring at `path` for session `name`. OSError if nobody is there; NoAnswer if it is somebody else."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(os.fspath(path))
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS)
        except (BlockingIOError, TimeoutError) as error:
            connection.close()
            raise NoAnswer(f"the supervisor of {name!r} stands still", f"see holdfast info {name}") from error
        except BaseException:
            connection.close()
            raise
        owner = int.from_bytes(credentials[4:8], "little")
        if owner != os.getuid():
            connection.close()
            raise NoAnswer(
                f"{path} belongs to a process of user {owner}", "set HOLDFAST_HOME to a folder of your own"
            )
        return cls(connection, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up. Doors that this connection holds will close."""
        self._socket.close()

    @property
    def pid(self) -> int:
        """Of the process that listens there."""
        credentials = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS)
        return int.from_bytes(credentials[:4], "little")

    def fileno(self) -> int:
        """Readable when `receive` has something, or the supervisor is gone."""
        return self._socket.fileno()

    def ask(self, op: str, *, timeout: float | None = ANSWER_SECONDS, **arguments: object) -> dict[str, Any]:
        """Do an operation (protocol/operations.py) and return its reply.

        SessionError in the supervisor's words if it refuses, NoAnswer if none comes within `timeout` seconds.
        """
        return self.ask_all((op, arguments), timeout=timeout)[0]

    def ask_all(
        self, *asked: tuple[str, Mapping[str, object]], timeout: float | None = ANSWER_SECONDS
    ) -> list[dict[str, Any]]:
        """Several operations at once, and their replies in that order; errors as of `ask`."""
        deadline = None if timeout is None else time.monotonic() + timeout
        self._send(asked)
        replies: list[dict[str, Any]] = []
        while len(replies) < len(asked):
            messages = self._receive(deadline)
            if messages is None:
                raise self._no_answer("hung up", HungUp)
            replies += [message for message in messages if "ok" in message]
            self._events += [message for message in messages if "ok" not in message]
        return list(map(self._understood, asked, replies))

    def send(self, op: str, **arguments: object) -> None:
        """Ask without waiting; `receive` will have the reply."""
        self._send([(op, arguments)])

    def _send(self, asked: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        lines = [json.dumps({"op": op, **arguments}).encode() + b"\n" for op, arguments in asked]
        try:
            self._socket.sendall(b"".join(lines))
        except OSError as error:
            raise self._no_answer("hung up", HungUp) from error

    def receive(self) -> list[dict[str, Any]] | None:
        """Wait for replies and events, at least one; None when the supervisor has hung up."""
        events, self._events = self._events, []
        return events or self._receive(None)

    def _receive(self, deadline: float | None) -> list[dict[str, Any]] | None:
        whole = b"\n" in self._buffer
        while not whole:
            piece = self._read(deadline)
            if not piece:
                return None
            whole = b"\n" in piece
            self._buffer += piece
            if len(self._buffer) > MOST_BYTES:
                raise self._no_answer("answers without an end")
        *lines, rest = self._buffer.split(b"\n")
        self._buffer = rest
        try:
            messages = [json.loads(line) for line in lines]
        except (ValueError, RecursionError) as error:
            raise self._no_answer("answers what can't be understood") from error
        if not all(isinstance(message, dict) for message in messages):
            raise self._no_answer("answers what can't be understood")
        return messages

    def _read(self, deadline: float | None) -> bytes:
        rest = None if deadline is None else max(deadline - time.monotonic(), 0.001)
        self._socket.settimeout(rest)
        try:
            return self._socket.recv(_PIECE)
        except TimeoutError as error:
            raise self._no_answer("does not answer") from error
        except ConnectionResetError:
            return b""

    def _understood(self, asked: tuple[str, Mapping[str, object]], reply: dict[str, Any]) -> dict[str, Any]:
        accepted = _accepted(reply)
        try:
            return self.understand(asked[0], accepted)
        except ProtocolError as error:
            raise self._no_answer("answers what can't be understood") from error

    def _no_answer(self, what: str, kind: type[NoAnswer] = NoAnswer) -> NoAnswer:
        return kind(f"the supervisor of {self._name!r} {what}", "holdfast ls")


def _as_it_is(_op: str, reply: dict[str, Any]) -> dict[str, Any]:
    return reply


def _accepted(reply: dict[str, Any]) -> dict[str, Any]:
    if reply.pop("ok"):
        return reply
    remedy = reply.get("remedy")
    raise SessionError(str(reply.get("what", "refused")), remedy if isinstance(remedy, str) else None)
