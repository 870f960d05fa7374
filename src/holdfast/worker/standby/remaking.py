"""Things a woken copy makes anew under the numbers they had, each from what was noted when it was frozen.

Nothing here looks at other processes or decides what becomes of a descriptor: `privatise` does. Every
`remake` raises OSError if the kernel refuses, and leaves the number as it was then.
"""

from __future__ import annotations

import _socket  # not `socket`: programs replace its classes by their own (PySocks, gevent)
import contextlib
import fcntl
import os
from collections.abc import Callable, Container, Iterable
from typing import NamedTuple, Protocol, TypeAlias

from holdfast.worker.standby import libc


class Seat(NamedTuple):
    """A number to be taken by something new, and the flags that belong to the number's old holder."""

    fd: int
    inheritable: bool
    nonblocking: bool

    def put(self, new: int) -> None:
        """Let the number mean what `new` means, for reading and writing in its old way."""
        os.set_blocking(new, not self.nonblocking)
        self.occupy(new)

    def occupy(self, new: int) -> None:
        """Let the number mean what `new` means, whose flags stay as they are."""
        os.dup2(new, self.fd, inheritable=self.inheritable)


Seats: TypeAlias = tuple[Seat, ...]
"""Numbers of one open file description: dups share it after remaking too."""


class Remade(Protocol):
    """Something that can be made anew."""

    def remake(self) -> None:
        """Make it and put it under its numbers."""


def hold_file(at: Seat) -> None:
    """Let a number only refer to its file, without access to it (O_PATH, open(2)).

    So a sleeping copy has no file open: none is kept from being run for being written ("text file busy"),
    and nobody who watches files (inotify) sees it come and go. Its status is still the file's: SQLite deletes
    the journal of another process's transaction if its own number for it tells of an empty file.
    """
    _seat_all([at], os.open(f"/proc/self/fd/{at.fd}", os.O_PATH | os.O_CLOEXEC))


_REOPENED_WITH = (
    os.O_ACCMODE | os.O_APPEND | os.O_NONBLOCK | os.O_DIRECT | os.O_SYNC | os.O_NOATIME | os.O_DIRECTORY
)


class File(NamedTuple):
    """A regular file or folder. Until it is remade its numbers are references to it (see `hold_file`)."""

    seats: Seats
    flags: int
    position: int
    folder: bool

    def remake(self) -> None:
        """Open it again with an offset of its own, where the offset was."""
        # An unnamed temporary file still has O_TMPFILE in its flags, which holds O_DIRECTORY.
        flags = self.flags & _REOPENED_WITH & ~(0 if self.folder else os.O_DIRECTORY)
        new = os.open(f"/proc/self/fd/{self.seats[0].fd}", flags | os.O_CLOEXEC)
        with contextlib.suppress(OSError):  # a few files of /proc can't be moved in
            os.lseek(new, self.position, os.SEEK_SET)
        _seat_all(self.seats, new)


class OwnPipe(NamedTuple):
    """A pipe with nobody else at its ends; without writers, if they had all closed theirs."""

    readers: Seats
    writers: Seats
    content: bytes
    capacity: int

    def remake(self) -> None:
        """Make a new pipe with the bytes that waited in the old one."""
        reading, writing = os.pipe()
        try:
            if self.capacity != fcntl.fcntl(writing, fcntl.F_GETPIPE_SZ):
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, self.capacity)
            os.set_blocking(writing, False)
            if self.content:
                os.write(writing, self.content)
            _put_all(self.readers, reading)
            _put_all(self.writers, writing)
        finally:
            os.close(reading)
            os.close(writing)


class End(NamedTuple):
    """One end of a socket pair of our own."""

    seats: Seats
    content: bytes
    """What waits to be read at this end."""
    shutdown: int
    """How the end was shut down: bit 1 reading, bit 2 writing."""


SHUT_WRITING = 2


class OwnSocketPair(NamedTuple):
    """A socket pair with nobody else at its ends; an end without numbers was closed."""

    kind: int
    one: End
    other: End

    def remake(self) -> None:
        """Make a new pair with what waited in the old one."""
        first, second = _socket.socketpair(_socket.AF_UNIX, self.kind)
        with contextlib.closing(first), contextlib.closing(second):
            for content, opposite in ((self.one.content, second), (self.other.content, first)):
                if content:
                    opposite.setblocking(False)  # what does not fit is lost, but nobody waits for ever
                    opposite.send(content)
            for end, new in ((self.one, first), (self.other, second)):
                if end.shutdown & SHUT_WRITING:
                    new.shutdown(_socket.SHUT_WR)
                _put_all(end.seats, new.fileno())


class Counter(NamedTuple):
    """An eventfd(2)."""

    seats: Seats
    value: int
    semaphore: bool

    def remake(self) -> None:
        """Make one with the same value."""
        new = os.eventfd(0, os.EFD_CLOEXEC | (os.EFD_SEMAPHORE if self.semaphore else 0))
        try:
            if self.value:
                os.eventfd_write(new, self.value)
            _put_all(self.seats, new)
        finally:
            os.close(new)


class Timer(NamedTuple):
    """A timerfd(2): what was left when the copy was made starts again when it wakes."""

    seats: Seats
    clock: int
    left_ns: int
    interval_ns: int

    def remake(self) -> None:
        """Make one and arm it, if it was armed."""
        new = libc.timerfd(self.clock)
        try:
            libc.timerfd_arm(new, self.left_ns, self.interval_ns)
            _put_all(self.seats, new)
        finally:
            os.close(new)


class Registration(NamedTuple):
    """One descriptor's entry in an epoll set."""

    fd: int
    events: int
    data: int


class EpollSet(NamedTuple):
    """An epoll(7) set. First all sets are made, then they are filled: a set may be in another."""

    seats: Seats
    registrations: tuple[Registration, ...]

    def remake(self) -> None:
        """Make an empty set."""
        new = libc.epoll()
        _seat_all(self.seats, new)

    def fill(self, mute: Container[int]) -> None:
        """Register what was registered, but `mute`: dead ends that would be reported ready for ever."""
        for fd, events, data in self.registrations:
            if fd not in mute:
                with contextlib.suppress(OSError):  # its number was closed while a dup kept it registered
                    libc.epoll_add(self.seats[0].fd, fd, events, data)


class Made(NamedTuple):
    """Something new of its kind, that nobody else is connected to."""

    seat: Seat
    make: Callable[..., int]
    arguments: tuple[int, ...] = ()

    def remake(self) -> None:
        """Make it."""
        new = self.make(*self.arguments)
        try:
            self.seat.put(new)
        finally:
            os.close(new)


def end_of_file() -> int:
    """Reading says end of file at once."""
    reading, writing = os.pipe()
    os.close(writing)
    return reading


def broken_pipe() -> int:
    """Writing raises BrokenPipeError."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def never_ready() -> int:
    """Nothing ever comes."""
    return os.eventfd(0, os.EFD_CLOEXEC)


def hung_up_unix(kind: int = _socket.SOCK_STREAM) -> int:
    """Make a Unix socket whose other end is gone: end of file, and broken pipe."""
    mine, other = _socket.socketpair(_socket.AF_UNIX, kind)
    other.close()
    with contextlib.suppress(OSError):
        mine.shutdown(_socket.SHUT_RDWR)
    return mine.detach()


def hung_up_tcp(family: int) -> int:
    """Make a TCP connection that the other side has closed, as pools of connections expect to find theirs.

    Without a loopback interface, a socket that was never connected.
    """
    mine = _socket.socket(family, _socket.SOCK_STREAM)
    try:
        with contextlib.closing(_socket.socket(family, _socket.SOCK_STREAM)) as listening:
            listening.bind((_LOOPBACK[family], 0))
            listening.listen(1)
            mine.connect(listening.getsockname())
            accepted, _ = listening._accept()  # type: ignore[attr-defined]  # the typed one is Python's
            os.close(accepted)
    except OSError:
        pass
    return mine.detach()


def shut_udp(family: int) -> int:
    """Make a datagram socket that says end of file and takes nothing."""
    mine = _socket.socket(family, _socket.SOCK_DGRAM)
    try:
        mine.connect((_LOOPBACK[family], 9))  # the discard port (RFC 863); nothing is sent to it
        mine.shutdown(_socket.SHUT_RDWR)
    except OSError:
        pass
    return mine.detach()


def new_socket(family: int, kind: int, protocol: int) -> int:
    """Make a socket of the same kind, not bound and not connected."""
    try:
        return _socket.socket(family, kind, protocol).detach()
    except OSError:  # raw sockets need privileges that may be gone
        return hung_up_unix()


_LOOPBACK = {_socket.AF_INET: "127.0.0.1", _socket.AF_INET6: "::1"}


def _put_all(seats: Iterable[Seat], new: int) -> None:
    for seat in seats:
        seat.put(new)


def _seat_all(seats: Iterable[Seat], new: int) -> None:
    """Put `new` under all numbers and close it."""
    try:
        for seat in seats:
            seat.occupy(new)
    finally:
        os.close(new)
