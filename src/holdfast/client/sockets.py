"""The client's end of a kernel's ZeroMQ sockets. No message is understood here.

The sockets are plain, never blocking and read until empty; who waits for them (`aio` by descriptors,
`blocking` by a poller) must do so again after each send, since a send may swallow the readiness of the
descriptor (zmq_getsockopt(3), ZMQ_FD).
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterator, Sequence

import zmq

from holdfast.client.exchange import Channel
from holdfast.errors import NoAnswer
from holdfast.protocol.connection import ConnectionInfo

_READ_ORDER: tuple[Channel, ...] = ("control", "iopub", "shell", "stdin")
"""Output before replies and questions, so that a question's text is on the screen when it is asked."""

_EVENT = struct.Struct("=HI")
"""An event of a socket, and its value (zmq_socket_monitor(3)). pyzmq's own reader of it imports asyncio."""

_UNREAD = 100_000
"""Messages that wait in this process until they are read: ZeroMQ's own 1,000 are an instant of a flood."""

_LINGER_MS = 500
"""What was sent just before closing (an interrupt, an answer) still gets so long to leave."""

_SECRET_SEAT = 16
"""Bytes of an identity that nobody can guess."""

_GONE = zmq.Event.DISCONNECTED


class Sockets:
    """Four connected sockets and a watch that tells when the peer is gone."""

    def __init__(self, connection: ConnectionInfo, identity: bytes, card: bytes) -> None:
        """`card`: what is subscribed to besides everything (protocol/notices.py)."""
        self._context = zmq.Context()
        self._connection = connection
        if (
            connection.curve_serverkey
        ):  # our session stands in all that is published: others could take its place
            identity = secrets.token_bytes(_SECRET_SEAT)
        self._sockets: dict[Channel, zmq.Socket[bytes]] = {}
        for channel in _READ_ORDER:
            socket = self._context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            self._sockets[channel] = socket
            self._prepare(socket, channel, connection, identity)
        self._sockets["iopub"].setsockopt(zmq.SUBSCRIBE, card)
        self._watch = self._sockets["control"].get_monitor_socket(_GONE)
        for channel, socket in self._sockets.items():
            socket.connect(connection.url(channel))

    def heartbeat(self) -> zmq.Socket[bytes]:
        """One more socket, for beats; whoever asks for it closes it."""
        socket = self._context.socket(zmq.DEALER)
        secure(socket, self._connection)
        socket.connect(self._connection.url("hb"))
        return socket

    def descriptors(self) -> list[int]:
        """What becomes readable when `read` or `gone` may have something new (edge-triggered)."""
        return [int(socket.getsockopt(zmq.FD)) for socket in self._all()]

    def wait(self, milliseconds: int | None) -> None:
        """Return when there may be something to read, or the time is over. None waits for ever."""
        poller = zmq.Poller()
        for socket in self._all():
            poller.register(socket, zmq.POLLIN)
        poller.poll(milliseconds)

    def send(self, channel: Channel, frames: Sequence[bytes]) -> None:
        """Hand over one message; NoAnswer if the peer takes nothing any more."""
        try:
            self._sockets[channel].send_multipart(frames, flags=zmq.NOBLOCK, copy=True)
        except zmq.Again as error:
            raise NoAnswer("the kernel takes no more requests") from error

    def read(self) -> Iterator[tuple[Channel, list[bytes]]]:
        """What has arrived, output first. Ends when all sockets are empty; may be left earlier."""
        arrived = True
        while arrived:
            arrived = False
            for channel in _READ_ORDER:
                frames = self._receive(channel)
                while frames is not None:
                    arrived = True
                    yield channel, frames
                    frames = self._receive(channel) if channel == "iopub" else None

    def gone(self) -> bool:
        """Whether the peer has closed the connection since the last time this was asked."""
        gone = False
        while True:
            try:
                event, _ = _EVENT.unpack(self._watch.recv_multipart(zmq.NOBLOCK)[0])
            except zmq.Again:
                return gone
            gone = gone or event == _GONE

    def close(self) -> None:
        """Close everything; what was sent last gets half a second to leave."""
        self._sockets["control"].disable_monitor()
        self._watch.close(linger=0)
        for channel, socket in self._sockets.items():
            socket.close(linger=0 if channel == "iopub" else _LINGER_MS)
        self._context.term()

    def _all(self) -> list[zmq.Socket[bytes]]:
        return [*self._sockets.values(), self._watch]

    def _receive(self, channel: Channel) -> list[bytes] | None:
        try:
            return self._sockets[channel].recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    @staticmethod
    def _prepare(
        socket: zmq.Socket[bytes], channel: Channel, connection: ConnectionInfo, identity: bytes
    ) -> None:
        secure(socket, connection)
        if channel == "iopub":
            socket.setsockopt(zmq.RCVHWM, _UNREAD)
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        else:
            # The kernel's question comes on stdin to the identity that asked on shell.
            socket.setsockopt(zmq.IDENTITY, identity)


def secure(socket: zmq.Socket[bytes], connection: ConnectionInfo) -> None:
    """Have it use the keys of the connection, if it has any. To be called before it connects."""
    socket.ipv6 = ":" in connection.ip  # libzmq would look for no other addresses of a name then
    if connection.curve_publickey and connection.curve_secretkey:
        # Jupyter's convention: one key pair, which serves as the client's own too (jupyter_client 8.9).
        socket.curve_serverkey = (connection.curve_serverkey or connection.curve_publickey).encode()
        socket.curve_publickey = connection.curve_publickey.encode()
        socket.curve_secretkey = connection.curve_secretkey.encode()
