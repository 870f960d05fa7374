"""A kernel made of a thread and sockets, which does what its cells say: for tests of clients.

A cell is one word and what follows it: `print TEXT`, `ask PROMPT` (prints the answer), `fail WHAT`, `wait`
(until it is interrupted), `gap` (as if messages were lost after its first one), `vanish` (closes
everything, as a dying kernel does), `tell NAME` (publishes what `answers` has under that name: type, content,
metadata; of the type `execute_reply` it is the answer), `question JSON` (asks with this content).
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.session import Session

from holdfast.protocol import connection
from holdfast.protocol.connection import ConnectionInfo
from kit.deadline import Deadline

_THERE_SECONDS, _AGAIN_MS = 10.0, 5

KINDS = {"shell": zmq.ROUTER, "control": zmq.ROUTER, "stdin": zmq.ROUTER, "iopub": zmq.XPUB}


class Peer:
    """Serves until it is closed. With `welcomes=False` it is a kernel from before iopub_welcome.

    `answers`: what it says to other requests, by their type; and what cells have told.
    """

    def __init__(self, folder: Path, *, welcomes: bool, answers: Mapping[str, Any]) -> None:
        self._answers = answers
        self.info: ConnectionInfo = connection.new_ipc(folder / "peer")
        self._session = Session(key=self.info.key.encode())
        self._welcomes = welcomes
        self._context = zmq.Context()
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        for channel, kind in KINDS.items():
            socket = self._sockets[channel] = self._context.socket(kind)
            socket.linger = 0
            if kind == zmq.XPUB:
                socket.xpub_verbose = True
            elif channel == "stdin":
                socket.router_mandatory = True
            socket.bind(self.info.url(channel))  # type: ignore[arg-type]
        self._waiting: tuple[list[bytes], dict[str, Any]] | None = None
        self._end, self._close = os.pipe()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        os.close(self._close)
        self._thread.join()
        os.close(self._end)

    def _serve(self) -> None:
        poller = zmq.Poller()
        for watched in (self._end, *self._sockets.values()):
            poller.register(watched, zmq.POLLIN)
        while True:
            for ready, _ in poller.poll():
                if ready == self._end:
                    self._context.destroy()
                    return
                channel = next(name for name, socket in self._sockets.items() if socket == ready)
                if self._take(channel, self._sockets[channel].recv_multipart()) == "vanish":
                    for socket in self._sockets.values():
                        poller.unregister(socket)
                    self._context.destroy()

    def _take(self, channel: str, frames: list[bytes]) -> str | None:
        if channel == "iopub":
            if self._welcomes and frames[0] == b"\x01":
                self._publish("iopub_welcome", {"subscription": ""}, None)
            return None
        idents, parts = self._session.feed_identities(frames)
        request = self._session.deserialize(parts)
        kind = request["msg_type"]
        if kind == "input_reply":
            assert self._waiting is not None
            (its_idents, cell), self._waiting = self._waiting, None
            self._publish("stream", {"name": "stdout", "text": request["content"]["value"]}, cell)
            self._finish(its_idents, cell, {"status": "ok"})
        elif kind == "execute_request":
            return self._run(idents, request)
        elif kind == "interrupt_request":
            self._reply(channel, idents, request, {"status": "ok"})
            if self._waiting is not None:
                (its_idents, cell), self._waiting = self._waiting, None
                self._finish(
                    its_idents, cell, {"status": "error", "ename": "KeyboardInterrupt", "evalue": ""}
                )
        elif kind == "kernel_info_request":
            self._publish("status", {"execution_state": "busy"}, request)
            self._reply(channel, idents, request, {"status": "ok", "banner": "peer"})
            self._publish("status", {"execution_state": "idle"}, request)
        elif kind in self._answers:
            self._reply(channel, idents, request, self._answers[kind])
        return None  # anything else stays unanswered

    def _run(self, idents: list[bytes], request: dict[str, Any]) -> str:
        word, _, rest = request["content"]["code"].partition(" ")
        self._publish("status", {"execution_state": "busy"}, request)
        if word == "print":
            self._publish("stream", {"name": "stdout", "text": rest}, request)
            self._finish(idents, request, {"status": "ok"})
        elif word == "fail":
            error = {"ename": rest, "evalue": rest, "traceback": [rest]}
            self._publish("error", error, request)
            self._finish(idents, request, {"status": "error", **error})
        elif word == "ask":
            if not request["content"]["allow_stdin"]:
                self._finish(idents, request, {"status": "error", "ename": "StdinNotImplementedError"})
                return word
            self._waiting = idents, request
            self._publish("stream", {"name": "stdout", "text": "before"}, request)
            self._send("stdin", idents, "input_request", {"prompt": rest, "password": False}, request)
        elif word == "gap":
            for seq, text in ((1, "before"), (9, rest)):
                mark = {"holdfast": {"epoch": 1, "seq": seq}}
                self._publish("stream", {"name": "stdout", "text": text}, request, mark)
            self._finish(idents, request, {"status": "ok"})
        elif word == "wait":
            self._waiting = idents, request
        elif word == "question":
            self._waiting = idents, request
            self._send("stdin", idents, "input_request", json.loads(rest), request)
        elif word == "tell":
            self._tell(idents, request, self._answers[rest])
        return word

    def _tell(self, idents: list[bytes], request: dict[str, Any], messages: Any) -> None:
        reply: object = {"status": "ok", "execution_count": 1}
        for msg_type, content, metadata in messages:
            if msg_type == "execute_reply":
                reply = content
            else:
                self._publish(msg_type, content, request, metadata)
        self._finish(idents, request, reply)

    def _finish(self, idents: list[bytes], request: dict[str, Any], content: object) -> None:
        self._reply("shell", idents, request, content)
        self._publish("status", {"execution_state": "idle"}, request)

    def _reply(self, channel: str, idents: list[bytes], request: dict[str, Any], content: object) -> None:
        self._send(channel, idents, request["msg_type"].replace("_request", "_reply"), content, request)

    def _publish(
        self, msg_type: str, content: object, parent: dict[str, Any] | None, metadata: Any = None
    ) -> None:
        self._send("iopub", [msg_type.encode()], msg_type, content, parent, metadata)

    def _send(
        self,
        channel: str,
        idents: list[bytes],
        msg_type: str,
        content: Any,
        parent: dict[str, Any] | None,
        metadata: Any = None,
    ) -> None:
        message = self._session.msg(msg_type, content, parent=parent, metadata=metadata)
        frames = [*idents, *self._session.serialize(message)]
        if channel == "stdin":
            self._ask(frames)
        else:
            self._sockets[channel].send_multipart(frames)

    def _ask(self, frames: list[bytes]) -> None:
        """Each of a client's sockets connects by itself: the one for questions may not be there yet."""
        deadline, stdin = Deadline(_THERE_SECONDS), self._sockets["stdin"]
        while True:
            try:
                stdin.send_multipart(frames)
            except zmq.ZMQError as error:
                if error.errno != errno.EHOSTUNREACH or deadline.passed:
                    raise
                stdin.poll(_AGAIN_MS)
            else:
                return


@contextmanager
def serving(
    folder: Path, *, welcomes: bool = True, answers: Mapping[str, Any] | None = None
) -> Iterator[Peer]:
    """A peer for a `with` block."""
    peer = Peer(folder, welcomes=welcomes, answers=answers or {})
    try:
        yield peer
    finally:
        peer.close()
