"""The connection to debugpy's adapter: requests out, responses and events in. Knows no command's meaning.

The adapter is a process of debugpy's that listens on the loopback interface; the worker said on which port.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import Any

from holdfast.errors import HoldfastError
from holdfast.protocol import dap
from holdfast.protocol.dap import Dap
from holdfast.supervisor.loop import Loop

_READ_BYTES = 65536

Answer = Callable[[Dap], None]
"""Takes the response to a request."""


class Adapter:
    """One debugging session's connection."""

    def __init__(
        self, loop: Loop, port: int, on_event: Callable[[Dap], None], on_end: Callable[[], None]
    ) -> None:
        """Connect. `on_end` is called when the other side ends it; who waits for a response gets none."""
        self._loop = loop
        self._on_event = on_event
        self._on_end = on_end
        self._decoder = dap.Decoder()
        self._seq = 0  # of the last request
        self._answers: dict[int, Answer] = {}  # what waits for a response, by its request's number
        self._outbox = bytearray()
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(BlockingIOError):  # connect(2): it is writable once it is connected
            self._socket.connect(("127.0.0.1", port))
        loop.on_readable(self._socket.fileno(), self._read)
        loop.on_writable(self._socket.fileno(), self._write)

    def request(self, command: str, arguments: dict[str, Any] | None, then: Answer) -> None:
        """Ask something; `then` gets the response. MalformedMessage if it can't be said."""
        message: Dap = {"seq": self._seq + 1, "type": "request", "command": command}
        if arguments is not None:
            message["arguments"] = arguments
        data = dap.encode(message)
        self._seq += 1
        self._answers[self._seq] = then
        self._outbox += data
        self._loop.on_writable(self._socket.fileno(), self._write)

    def close(self) -> None:
        """End it; nobody is called any more."""
        if self._socket.fileno() >= 0:
            self._answers.clear()
            self._loop.forget(self._socket.fileno())
            self._socket.close()

    def _write(self) -> None:
        if self._outbox:
            try:
                sent = self._socket.send(self._outbox)
            except BlockingIOError:
                return
            except OSError:  # the reading side learns of it, too
                sent = len(self._outbox)
            del self._outbox[:sent]
        if not self._outbox:
            self._loop.on_writable(self._socket.fileno(), None)

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        try:
            for message in self._decoder.feed(data):
                self._take(message)
        except (HoldfastError, LookupError, TypeError, AttributeError):  # no debugpy that we know speaks so
            data = b""
        if not data and self._socket.fileno() >= 0:
            self.close()
            self._on_end()

    def _take(self, message: Dap) -> None:
        kind = message.get("type")
        if kind == "event":
            self._on_event(message)
        elif kind == "response":
            then = self._answers.pop(message.get("request_seq", 0), None)
            if then is not None:
                then(message)
