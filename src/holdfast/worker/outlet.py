"""The worker's one way out: text through the ring, everything else over the link, in one order.

Any thread may speak; the lock keeps them apart. A child that user code forks must never speak here (its
messages would tear the parent's), so there `forked` is true and text goes to file descriptors 1 and 2.
"""

from __future__ import annotations

import os
import select
import threading
from threading import get_ident
from typing import Final

from holdfast.link.channel import Channel
from holdfast.link.messages import Bell, Frame, Segment
from holdfast.link.ring import RingWriter
from holdfast.worker.interrupts import Interrupts

DESCRIPTOR: Final = {"stdout": 1, "stderr": 2}


class Outlet:
    """Everything the worker says."""

    def __init__(self, channel: Channel, ring: RingWriter, room_fd: int, interrupts: Interrupts) -> None:
        self.channel = channel
        self.forked = False  # this process is a fork that user code made: not the worker
        self._apart = False  # it is a double: it answers, and what is printed in it is nobody's
        self._ring = ring
        self._room_fd = room_fd  # eventfd(2): the supervisor has read
        self._interrupts = interrupts
        self._lock = threading.RLock()  # reentrant: a signal handler of the user's may print
        self._main = get_ident()
        self._parent = -1  # whose text the ring carries now
        self._stream = ""

    @property
    def position(self) -> int:
        """Where the ring stands: what `at` means in a message sent now."""
        return self._ring.position

    def text(self, stream: str, parent: int, data: bytes) -> None:
        """Write `data` (UTF-8) to `stream` ("stdout" or "stderr") as output of cell `parent`."""
        if self.forked:
            _write_all(DESCRIPTOR[stream], data)
        elif self._apart:
            return
        elif get_ident() == self._main:
            self._interrupts.sending += 1
            try:
                with self._lock:
                    self._put(stream, parent, data)
            finally:
                self._interrupts.sent()
        else:
            with self._lock:
                self._put(stream, parent, data)

    def send(self, message: Frame, *fds: int) -> None:
        """Send `message`; it blocks while the supervisor is slow, and is silent once the link is gone."""
        if self.forked:
            return
        if get_ident() == self._main:
            self._interrupts.sending += 1
            try:
                with self._lock:
                    self.channel.send(message, *fds)
            finally:
                self._interrupts.sent()
        else:
            with self._lock:
                self.channel.send(message, *fds)

    def hold(self, message: Frame) -> None:
        """Send `message` with the next one. Only for what is followed by nothing but the cell's end."""
        with self._lock:
            self.channel.hold(message)

    def flush(self) -> None:
        """Send what was held."""
        if self.channel.held and not self.forked:
            self._interrupts.sending += 1
            try:
                with self._lock:
                    self.channel.flush()
            finally:
                self._interrupts.sent()

    def fork_begins(self) -> None:
        """The supervisor sees that a fork is under way: if it hangs, nothing will be said."""
        self._ring.fork_begins()

    def fork_ended(self) -> None:
        """It sees that it is over."""
        self._ring.fork_ended()

    def renew(self) -> None:
        """After a fork became the worker: nobody holds the lock, the ring stands where it was left."""
        self._lock = threading.RLock()
        self._main = get_ident()
        self._interrupts.sending = 0
        self._ring.rejoin()
        self._parent = -1

    def set_apart(self) -> None:
        """After a fork became a double: it speaks on a link of its own, and the ring is not its own."""
        self._lock = threading.RLock()
        self._main = get_ident()
        self._interrupts.sending = 0
        self._apart = True

    def _put(self, stream: str, parent: int, data: bytes) -> None:
        ring = self._ring
        if self.channel.held:
            self.channel.flush()  # what is in the ring is read without waiting for what is on the link
        if parent != self._parent or stream != self._stream:
            self._parent, self._stream = parent, stream
            self.channel.send(Segment(ring.position, parent, stream))
        count = ring.put(data)
        if ring.bell_wanted():
            self.channel.send(Bell())
        if count < len(data):
            self._put_rest(memoryview(data)[count:])

    def _put_rest(self, rest: memoryview) -> None:
        """The ring was full: go on as the supervisor makes room."""
        while rest and not self.channel.ended:
            if self._ring.wait_for_room():
                self.channel.send(Bell())  # the supervisor may mean to look later: now, please
                self._wait_for_room()
            rest = rest[self._ring.put(bytes(rest[: self._ring.capacity])) :]
        if self._ring.bell_wanted():
            self.channel.send(Bell())

    def _wait_for_room(self) -> None:
        poll = select.poll()
        poll.register(self._room_fd, select.POLLIN)
        poll.register(self.channel, 0)  # only POLLHUP and POLLERR: the supervisor is gone
        if any(fd != self._room_fd for fd, _ in poll.poll()):
            self.channel.ended = True
            return
        try:
            os.read(self._room_fd, 8)
        except BlockingIOError:
            return  # another thread took the sign; the ring says whether there is room


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
