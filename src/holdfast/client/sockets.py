"""The client's end of a kernel's ZeroMQ sockets. No message is understood here.

The sockets are plain, never blocking and read until empty; who waits for them (`aio` by descriptors,
`blocking` by a poller) must do so again after each send, since a send may swallow the readiness of the
descriptor (zmq_getsockopt(3), ZMQ_FD).
"""

from __future__ import annotations

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

_GONE = zmq.Event.DISCONNECTED

_BEAT_MS, _SILENT_MS = 5_000, 15_000
"""Between two of our heartbeats to another host, and how long it may be silent. What it has set itself
(`settings.Listen`) binds us too, but only from its first heartbeat on."""

_ANSWER_MS = 5_000
"""For another host to take a connection, and to say that we may come in. Where packets vanish, the system
alone would wait for minutes."""


class Sockets:
    """Four connected sockets and a watch that tells when the peer is gone."""

    def __init__(self, connection: ConnectionInfo, identity: bytes, card: bytes) -> None:
        """`card`: what is subscribed to besides everything (protocol/notices.py)."""
        self._context = zmq.Context()
        self._connection = connection
        self._sockets: dict[Channel, zmq.Socket[bytes]] = {}
        for channel in _READ_ORDER:
            socket = self._context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            self._sockets[channel] = socket
            self._prepare(socket, channel, connection, identity)
        self._sockets["iopub"].setsockopt(zmq.SUBSCRIBE, card)
        # The connections to another host are cut one by one: each by its own packets, or their absence.
        watched = _READ_ORDER if connection.curve_serverkey else ("control",)
        self._watches = [self._sockets[channel].get_monitor_socket(_GONE) for channel in watched]
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
        return any(list(map(_has_gone, self._watches)))  # all are asked, each until it is empty

    def close(self, *, at_once: bool = False) -> None:
        """Close everything; what was sent last gets half a second to leave, or is forgotten `at_once`."""
        for channel, socket in self._sockets.items():
            socket.disable_monitor()
            socket.close(linger=0 if at_once or channel == "iopub" else _LINGER_MS)
        for watch in self._watches:
            watch.close(linger=0)
        self._context.term()

    def _all(self) -> list[zmq.Socket[bytes]]:
        return [*self._sockets.values(), *self._watches]

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
    if connection.curve_serverkey:
        socket.connect_timeout = socket.handshake_ivl = _ANSWER_MS
        socket.heartbeat_ivl, socket.heartbeat_timeout = _BEAT_MS, _SILENT_MS
    if connection.curve_publickey and connection.curve_secretkey:
        # Jupyter's convention: one key pair, which serves as the client's own too (jupyter_client 8.9).
        socket.curve_serverkey = (connection.curve_serverkey or connection.curve_publickey).encode()
        socket.curve_publickey = connection.curve_publickey.encode()
        socket.curve_secretkey = connection.curve_secretkey.encode()


def _has_gone(watch: zmq.Socket[bytes]) -> bool:
    gone = False
    while True:
        try:
            event, _ = _EVENT.unpack(watch.recv_multipart(zmq.NOBLOCK)[0])
        except zmq.Again:
            return gone
        gone = gone or event == _GONE
