"""One end of the link: messages and descriptors over a stream socket. The only I/O of this folder.

Used by both sides: the supervisor's socket does not block and what can't be sent waits in the outbox, the
worker's blocks. A message's descriptors travel with its first byte and are taken off in the messages' order.
"""

from __future__ import annotations

import array
import contextlib
import os
import select
import socket
from collections import deque

from holdfast.errors import LinkError
from holdfast.link.frames import Decoder, encode
from holdfast.link.messages import Frame

READ_BYTES = 64 * 1024
"""Bytes taken in one recvmsg(2): a burst of outputs in one call."""

_RECEIVING = int(socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
_ROOM_FOR_FDS = socket.CMSG_SPACE(16 * array.array("i").itemsize)


class Channel:
    """Messages over `sock`, which this object owns."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.ended = False  # the other end is closed, or gone
        self.held = bytearray()  # messages that wait for the next one
        self._room = memoryview(bytearray(READ_BYTES))
        self._decoder = Decoder()
        self._fds: deque[int] = deque()  # descriptors that came, not yet taken by their message
        self._outbox: deque[tuple[memoryview, tuple[int, ...]]] = deque()  # not yet sent, in order

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self.sock.fileno()

    def send(self, message: Frame, *fds: int) -> None:
        """Send `message`, or as much as the socket takes; the rest goes with `flush`.

        The caller keeps its descriptors and may close them: what waits has duplicates.
        """
        if len(fds) != message.FDS:
            raise LinkError(f"{type(message).__name__} carries {message.FDS} descriptors, not {len(fds)}")
        data = encode(message)
        if self.held:
            data, self.held = self.held + data, bytearray()
        sent = 0 if self._outbox else self._push(data, fds)
        if sent < len(data) and not self.ended:
            rest = () if sent else tuple(os.dup(fd) for fd in fds)
            self._outbox.append((memoryview(data)[sent:], rest))

    def hold(self, message: Frame) -> None:
        """Send `message` together with the next one, or with `flush`: one wake-up of the other side less."""
        self.held += encode(message)

    @property
    def pending(self) -> bool:
        """Whether something still waits to be sent."""
        return bool(self._outbox)

    def flush(self) -> None:
        """Send what waits. A peer that is gone ends the channel; nothing is raised for it."""
        outbox = self._outbox
        if self.held:
            outbox.append((memoryview(self.held), ()))
            self.held = bytearray()
        while outbox and not self.ended:
            data, fds = outbox[0]
            sent = self._push(data, fds)
            if not sent:
                return
            for fd in fds:
                os.close(fd)
            if sent == len(data):
                outbox.popleft()
            else:
                outbox[0] = (data[sent:], ())

    def _push(self, data: memoryview | bytearray, fds: tuple[int, ...]) -> int:
        """Send what the socket takes now; how many bytes that were. The descriptors go with the first."""
        try:
            return socket.send_fds(self.sock, [data], fds) if fds else self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError:  # EPIPE, ECONNRESET, EBADF: whoever reads learns of it by `ended`
            self.ended = True
            return 0

    def receive(self) -> list[Frame]:
        """Everything that has arrived, without waiting. `ended` says whether more can come."""
        messages: list[Frame] = []
        while not self.ended:
            try:
                size, ancillary, _flags, _address = self.sock.recvmsg_into(
                    (self._room,), _ROOM_FOR_FDS, _RECEIVING
                )
            except BlockingIOError:
                break
            except OSError:
                self.ended = True
                break
            if ancillary:
                self._keep_fds(ancillary)
            if not size:
                self.ended = True
                break
            messages.extend(self._decoder.feed(self._room[:size]))  # and again: descriptors end one early
        return messages

    def wait(self) -> list[Frame]:
        """Block until something has arrived or the channel has ended, then as `receive`."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        poll.poll()
        return self.receive()

    def take_fd(self) -> int:
        """The next descriptor that came along; the caller owns it. LinkError if there is none."""
        if not self._fds:
            raise LinkError("a message came without its descriptor")
        return self._fds.popleft()

    def restart(self) -> None:
        """Forget everything half said: the descriptor has become another connection (dup2(2))."""
        self.ended = False
        self._decoder = Decoder()
        self._clear()
        while self._fds:
            os.close(self._fds.popleft())

    def close(self) -> None:
        """Close the socket and every descriptor nobody took."""
        self.ended = True
        self.sock.close()
        self._clear()
        while self._fds:
            os.close(self._fds.popleft())

    def _clear(self) -> None:
        self.held.clear()
        for _, fds in self._outbox:
            for fd in fds:
                os.close(fd)
        self._outbox.clear()

    def _keep_fds(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds = array.array("i")
                with contextlib.suppress(ValueError):  # a truncated last entry
                    fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
                self._fds.extend(fds)
