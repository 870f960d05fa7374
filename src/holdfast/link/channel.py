"""One end of the link: messages and descriptors over a stream socket. The only I/O of this folder.

Used by both sides: the supervisor's socket does not block and what can't be sent waits in the outbox, the
worker's blocks. A message's descriptors travel with its first byte and are taken off in the messages' order.

A channel that `keeps` only looks at what has come (SO_PEEK_OFF, socket(7)): messages stay in the socket until
`take_off` says that they are written down, so whoever holds the socket next finds the rest. What would fill
the socket travels in a memfd.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import mmap
import os
import select
import socket
from collections import deque

from holdfast.errors import LinkError
from holdfast.link.frames import Decoder, body, decode, encode
from holdfast.link.messages import Bulk, Frame

READ_BYTES = 64 * 1024
"""Bytes taken in one recvmsg(2): a burst of outputs in one call."""

BULK_BYTES = 64 * 1024
"""A larger message travels in a memfd: a socket takes 200 KB, in which it could wait for ever to be whole."""

_LOST = -1
"""In the place of a descriptor for which there was no room in this process (recvmsg(2), MSG_CTRUNC)."""

GULP_BYTES = 16 * 1024 * 1024
"""Of such messages, taken at once: more may wait there than who hears them has room for."""

_RECEIVING = int(socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
_SO_PEEK_OFF = 42  # asm-generic/socket.h
_ROOM_FOR_FDS = socket.CMSG_SPACE(16 * array.array("i").itemsize)

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE


class Channel:
    """Messages over `sock`, which this object owns."""

    def __init__(self, sock: socket.socket, *, keeps: bool = False) -> None:
        self.sock = sock
        self.ended = False  # the other end is closed, or gone
        self.more = False  # `receive` has left something that had arrived
        self._bulk = 0  # bytes out of memfds, in what it has taken
        self._unheard = False  # seen as something was sent: its last words may still be in the socket
        self._said = 0  # messages sent so far
        self._keeps = keeps
        self._seen: deque[tuple[int, int]] = deque()  # number and bytes of messages in the socket
        if keeps:
            sock.setsockopt(socket.SOL_SOCKET, _SO_PEEK_OFF, 0)
        self.held = bytearray()  # messages that wait for the next one
        self._room = memoryview(bytearray(READ_BYTES))
        self._decoder = Decoder()
        self._came: deque[int] = deque()  # descriptors that came, of messages that have not
        self._fds: deque[int] = deque()  # those of messages that were received, not yet taken
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
        data, memory = self._encoded(message), None
        if len(data) > BULK_BYTES and not fds:
            data, memory = self._in_memory(data)
            fds = (memory,)
        if self.held:
            data, self.held = self.held + data, bytearray()
        sent = 0 if self._outbox else self._push(data, fds)
        if sent < len(data) and not self.ended:
            rest = () if sent else tuple(os.dup(fd) for fd in fds)
            self._outbox.append((memoryview(data)[sent:], rest))
        if memory is not None:
            os.close(memory)

    def hold(self, message: Frame) -> None:
        """Send `message` together with the next one, or with `flush`: one wake-up of the other side less."""
        data = self._encoded(message)
        if len(data) > BULK_BYTES:
            self._said -= 1
            self.send(message)
        else:
            self.held += data

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
            self.ended = self._unheard = True
            return 0

    def receive(self) -> list[Frame]:
        """What has arrived, without waiting; `more` says if not all of it, `ended` that no more can come."""
        return [message for _, message in self.numbered()]

    def numbered(self) -> list[tuple[int, Frame]]:
        """The same, each with its number on this connection."""
        messages: list[tuple[int, Frame]] = []
        self._bulk = 0
        decoder = self._decoder
        flags = _RECEIVING | socket.MSG_PEEK if self._keeps else _RECEIVING
        while (not self.ended or self._unheard) and self._bulk < GULP_BYTES:
            try:
                size, ancillary, _, _ = self.sock.recvmsg_into((self._room,), _ROOM_FOR_FDS, flags)
            except BlockingIOError:
                break
            except OSError:
                self._end()
                break
            if ancillary:
                self._keep_fds(ancillary)
            if not size:
                self._end()
                break
            try:
                for message in decoder.feed(self._room[:size]):  # and again: descriptors end one early
                    messages.append((decoder.number, self._whole(message)))  # noqa: PERF401 - all before a wrong one
            except LinkError:
                if not messages:
                    raise
                self._end()  # what was said before the nonsense was meant
        self.more = self._bulk >= GULP_BYTES
        return messages

    @property
    def seen(self) -> int:
        """Messages that were looked at and not taken off."""
        return len(self._seen)

    def take_off(self, number: int) -> None:
        """Messages up to `number` are written down: take them out of the socket."""
        count = 0
        while self._seen and self._seen[0][0] <= number:
            count += self._seen.popleft()[1]
        while count > 0 and self.fileno() >= 0:
            try:
                taken = self.sock.recv_into(self._room[: min(count, READ_BYTES)], 0, int(socket.MSG_DONTWAIT))
            except OSError:
                return
            if not taken:
                return
            count -= taken  # descriptors that came with it are closed by the kernel: we have our own

    def wait(self) -> list[Frame]:
        """Block until something has arrived or the channel has ended, then as `receive`."""
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        poll.poll()
        return self.receive()

    def take_fd(self) -> int:
        """The next descriptor that came along; the caller owns it. LinkError if there is none."""
        if not self._fds or (taken := self._fds.popleft()) == _LOST:
            raise LinkError("a message came without its descriptor")
        return taken

    def restart(self) -> None:
        """Forget everything half said: the descriptor has become another connection (dup2(2))."""
        self.ended = self._unheard = False
        self._said = 0
        self._decoder = Decoder()
        self._clear()
        self._close_fds()

    def close(self) -> None:
        """Close the socket and every descriptor nobody took."""
        self._end()
        self.sock.close()
        self._clear()
        self._close_fds()

    def _end(self) -> None:
        self.ended, self._unheard = True, False

    def _whole(self, message: Frame) -> Frame:
        """What was meant by a message that has come, and its descriptors put where they are taken."""
        if self._keeps:
            self._seen.append((self._decoder.number, self._decoder.size))
        own = [self._came.popleft() for _ in range(min(message.FDS, len(self._came)))]
        if isinstance(message, Bulk):
            self._bulk += sum(os.fstat(fd).st_size for fd in own)
            return _out_of_memory(own)
        self._fds.extend(own + [_LOST] * (message.FDS - len(own)))
        return message

    def _encoded(self, message: Frame) -> bytearray:
        self._said += 1
        return encode(message, self._said)

    def _in_memory(self, data: bytearray) -> tuple[bytearray, int]:
        """The message laid down in a memfd: what to send instead of it, and the memfd."""
        memory = os.memfd_create("holdfast-message", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        rest = body(data)
        while rest:
            rest = rest[os.write(memory, rest) :]
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
        return encode(Bulk(), self._said), memory

    def _close_fds(self) -> None:
        for kept in (self._came, self._fds):
            while kept:
                if (fd := kept.popleft()) != _LOST:
                    os.close(fd)

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
                self._came.extend(fds)


def _out_of_memory(fds: list[int]) -> Frame:
    """The message that a `Bulk` stands for."""
    if not fds:
        raise LinkError("a message came without its descriptor")
    try:
        if fcntl.fcntl(fds[0], fcntl.F_GET_SEALS) & _SEALS != _SEALS:  # who shortens it would end its reader
            raise LinkError("a message lies in memory that may change")
        with mmap.mmap(fds[0], 0, prot=mmap.PROT_READ) as content, memoryview(content) as view:
            return decode(view)
    except (OSError, ValueError) as error:
        raise LinkError(f"a message can't be read from where it lies: {error}") from error
    finally:
        os.close(fds[0])
