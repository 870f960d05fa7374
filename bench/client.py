"""A raw Jupyter client that adds as little time of its own as it can: sockets, signatures, time stamps.

It knows no kernel from another and checks no signatures: what it costs, it costs all kernels alike.
"""

from __future__ import annotations

import math
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import zmq

from holdfast.protocol.codec import Sender
from holdfast.protocol.connection import ConnectionInfo
from holdfast.protocol.messages import DELIMITER
from holdfast.protocol.signing import Signer

NOW = "print(__import__('time').monotonic_ns())"
"""A cell that tells when it began, on a clock that all processes share."""

PATIENCE = 60.0
"""Seconds. No row needs a tenth of it; it keeps a broken kernel from hanging the bench."""

RECONNECT_MS = 5
"""libzmq tries an endpoint that nobody serves yet every 100 ms, which would blur every start."""


class Silence(Exception):
    """What had to come did not come in time."""


class _Head(msgspec.Struct):
    msg_type: str = ""
    msg_id: str = ""


class _State(msgspec.Struct):
    execution_state: str = ""


_head = msgspec.json.Decoder(_Head).decode
_state = msgspec.json.Decoder(_State).decode


@dataclass
class Request:
    """Something asked, and what came of it so far. All times are time.monotonic() of the arrival."""

    asked: str
    """Type, and the code if it has any: for the words of an error."""
    sent: float
    replied: float | None = None
    reply: bytes = b""
    idle: float | None = None
    published: list[tuple[float, str, bytes]] = field(default_factory=list)
    """Everything of iopub but states: arrival, type, content."""

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self.replied is not None and self.idle is not None

    @property
    def seconds(self) -> float:
        """From sending to the later of reply and idle."""
        assert self.replied is not None
        assert self.idle is not None
        return max(self.replied, self.idle) - self.sent

    @property
    def seconds_to_reply(self) -> float:
        """From sending to the reply."""
        assert self.replied is not None
        return self.replied - self.sent

    def texts(self) -> list[tuple[float, str]]:
        """What was printed: arrival and text of each piece."""
        streams = [(at, content) for at, kind, content in self.published if kind == "stream"]
        return [(at, msgspec.json.decode(content)["text"]) for at, content in streams]

    def number(self) -> float:
        """The first word that was printed, which is a number."""
        said = "".join(text for _, text in self.texts())
        try:
            return float(said.split()[0])
        except (IndexError, ValueError):
            raise Silence(f"{self.asked} printed {said!r}: {self.reply!r:.500}") from None

    def answer(self) -> dict[str, object]:
        """Content of the reply."""
        decoded: dict[str, object] = msgspec.json.decode(self.reply)
        return decoded


class Client:
    """One frontend of one kernel."""

    def __init__(self, info: ConnectionInfo) -> None:
        self._requests: dict[str, Request] = {}
        self._sender = Sender(Signer(info.key.encode()), secrets.token_hex(8), "bench")
        self._context = zmq.Context()
        self._poller = zmq.Poller()
        self._sockets = {
            "shell": self._connect(zmq.DEALER, info.url("shell")),
            "control": self._connect(zmq.DEALER, info.url("control")),
            "iopub": self._connect(zmq.SUB, info.url("iopub")),
        }
        self._sockets["iopub"].subscribe(b"")

    def close(self) -> None:
        """Leave."""
        self._context.destroy(linger=0)

    def send(self, msg_type: str, content: dict[str, object], channel: str = "shell") -> Request:
        """Ask for something and don't wait."""
        msg_id = secrets.token_hex(16)
        frames = self._sender.frames(msg_type, content, msg_id=msg_id)
        asked = f"{msg_type} {content.get('code', '')!r:.60}"
        request = self._requests[msg_id] = Request(asked, time.monotonic())
        self._sockets[channel].send_multipart(frames)
        return request

    def execute(self, code: str) -> Request:
        """Send a cell, as a notebook does."""
        content: dict[str, object] = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        return self.send("execute_request", content)

    def run(self, code: str, seconds: float = PATIENCE) -> Request:
        """Run a cell to its end."""
        return self.finish(self.execute(code), seconds)

    def do(self, code: str) -> Request:
        """Run a cell that must succeed."""
        request = self.run(code)
        answer = request.answer()
        if answer["status"] != "ok":
            raise Silence(f"{code[:60]!r} failed: {answer.get('ename')}: {answer.get('evalue')}")
        return request

    def finish(self, request: Request, seconds: float = PATIENCE) -> Request:
        """Wait for reply and idle."""
        return self.until(request, lambda: request.finished, seconds)

    def reply(self, request: Request, seconds: float = PATIENCE) -> Request:
        """Wait for the reply alone."""
        return self.until(request, lambda: request.replied is not None, seconds)

    def until(self, request: Request, condition: Callable[[], object], seconds: float = PATIENCE) -> Request:
        """Take in messages until `condition()` holds; Silence if it does not in so many seconds."""
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise Silence(f"no {_missing(request)} within {seconds:g} s to {request.asked}")
            self._take_in(left)
        return request

    def pause(self, seconds: float) -> None:
        """A user who thinks: so many seconds pass, what comes in is taken in."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._take_in(left)

    def _take_in(self, seconds: float) -> None:
        for socket, _ in self._poller.poll(math.ceil(seconds * 1000)):
            self._file(socket, socket.recv_multipart())

    def _file(self, socket: zmq.Socket[bytes], frames: list[bytes]) -> None:
        now = time.monotonic()
        start = frames.index(DELIMITER) + 2
        header, parent, _, content = frames[start : start + 4]
        request = self._requests.get(_head(parent).msg_id)
        if request is None:
            return
        if socket is not self._sockets["iopub"]:
            request.replied, request.reply = now, content
            return
        kind = _head(header).msg_type
        if kind != "status":
            request.published.append((now, kind, content))
        elif _state(content).execution_state == "idle":
            request.idle = now

    def _connect(self, kind: int, url: str) -> zmq.Socket[bytes]:
        socket: zmq.Socket[bytes] = self._context.socket(kind)
        socket.set_hwm(0)  # what gets lost must have been lost by the kernel
        socket.linger = 0
        socket.reconnect_ivl = RECONNECT_MS
        socket.connect(url)
        self._poller.register(socket, zmq.POLLIN)
        return socket


def _missing(request: Request) -> str:
    if request.replied is None:
        return "reply"
    return "idle" if request.idle is None else "output"


def end_of(pid: int, seconds: float) -> bool:
    """Whether the process `pid` ends within so many seconds (pidfd_open(2))."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poller = zmq.Poller()
        poller.register(descriptor, zmq.POLLIN)
        return bool(poller.poll(math.ceil(seconds * 1000)))
    finally:
        os.close(descriptor)
