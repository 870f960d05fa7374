"""What becomes of pipes and sockets in a copy of the worker: it depends on who is at the other end.

Both ends ours: made anew, with what waits inside. Nobody at the other end any more: the same, so that what
was left in there can still be read. Somebody else: a dead end, for two readers would share one stream.
"""

from __future__ import annotations

import _socket  # not `socket`: programs replace its classes by their own (PySocks, gevent)
import contextlib
import fcntl
import os
import select
import struct
import termios
from collections.abc import Callable, Iterable, Iterator

from holdfast.worker.standby import libc
from holdfast.worker.standby.descriptors import Descriptor
from holdfast.worker.standby.fates import Anew, Cut, Fate, grouped, seat, seats
from holdfast.worker.standby.remaking import (
    End,
    Made,
    OwnPipe,
    OwnSocketPair,
    broken_pipe,
    end_of_file,
    hung_up_tcp,
    hung_up_unix,
    new_socket,
    shut_udp,
)
from holdfast.worker.standby.sockdiag import UnixSocket, unix_sockets

_INET = (_socket.AF_INET, _socket.AF_INET6)
_SHUT_BOTH = 3
_CLOSED = UnixSocket(peer=0, shutdown=0)


def of_pipes(found: Iterable[Descriptor]) -> Iterator[Fate]:
    """Pipes without a name."""
    for group in grouped(found, lambda each: each.inode).values():
        pipe = None
        with contextlib.suppress(OSError):
            pipe = _own_pipe(group)
        if pipe:
            yield Anew(pipe, tuple(group))
            continue
        for each in group:
            dead_end = Made(seat(each), broken_pipe if each.writable else end_of_file)
            yield Cut(each, "pipe to another process", dead_end)


def _own_pipe(group: list[Descriptor]) -> OwnPipe | None:
    """The pipe to be made anew; None if another process may be at its other end."""
    readers = [each for each in group if each.flags & os.O_ACCMODE == os.O_RDONLY]
    writers = [each for each in group if each.flags & os.O_ACCMODE == os.O_WRONLY]
    both_ends = readers and writers
    if not both_ends and not _is_alone(group[0].fd):
        return None
    capacity = fcntl.fcntl(group[0].fd, fcntl.F_GETPIPE_SZ)
    content = _waiting_in_pipe(readers[0].fd, capacity) if readers else b""
    return OwnPipe(seats(readers), seats(writers), content, capacity)


def _is_alone(fd: int) -> bool:
    """Whether nobody at all is at the other end of a pipe."""
    poll = select.poll()
    poll.register(fd, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


def _bytes_waiting(fd: int) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))
    return int(count)


def _waiting_in_pipe(fd: int, capacity: int) -> bytes:
    waiting = _bytes_waiting(fd)
    if not waiting:
        return b""
    reading, writing = os.pipe()
    try:
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, capacity)
        return os.read(reading, libc.tee(fd, writing, waiting))
    finally:
        os.close(reading)
        os.close(writing)


@contextlib.contextmanager
def _borrowed(fd: int) -> Iterator[_socket.socket]:
    """Look through a socket object at a number that stays open."""
    # A default timeout would make the description non-blocking: the live worker's too.
    timeout = _socket.getdefaulttimeout()
    _socket.setdefaulttimeout(None)
    try:
        sock = _socket.socket(fileno=fd)
    finally:
        _socket.setdefaulttimeout(timeout)
    try:
        yield sock
    finally:
        sock.detach()


def of_sockets(found: Iterable[Descriptor]) -> Iterator[Fate]:
    """Sockets of all families. Dups of one have one inode."""
    unix: dict[int, list[Descriptor]] = {}
    for group in grouped(found, lambda each: each.inode).values():
        fates: list[Fate] = [Cut(each, "open socket", Made(seat(each), hung_up_unix)) for each in group]
        with contextlib.suppress(OSError), _borrowed(group[0].fd) as sock:
            if sock.family == _socket.AF_UNIX:
                unix[group[0].inode[1]] = group
                continue
            if sock.family in _INET:
                fates = [_inet(each, sock) for each in group]
        yield from fates
    yield from _unix(unix)


def _unix(groups: dict[int, list[Descriptor]]) -> Iterator[Fate]:
    told = unix_sockets(groups)
    for inode, group in groups.items():
        known = told.get(inode, _CLOSED)
        peer = told.get(known.peer, _CLOSED)
        if known.peer in groups and known.peer != inode and peer.peer == inode:
            if inode < known.peer:  # each pair comes by twice
                yield _pair(group, known, groups[known.peer], peer)
        elif not known.peer and known.shutdown == _SHUT_BOTH:
            yield _pair(group, known, [], _CLOSED)
        else:
            with _borrowed(group[0].fd) as sock:
                fates = [_foreign_unix(each, sock) for each in group]
            yield from fates


def _pair(group: list[Descriptor], known: UnixSocket, others: list[Descriptor], peer: UnixSocket) -> Anew:
    with _borrowed(group[0].fd) as sock:
        kind = int(sock.type)
    one, other = _end(group, known), _end(others, peer)
    return Anew(OwnSocketPair(kind, one, other), (*group, *others))


def _end(group: list[Descriptor], known: UnixSocket) -> End:
    """Of datagrams only the first that waits is seen."""
    if not group:
        return End((), b"", 0)
    content = b""
    with contextlib.suppress(OSError), _borrowed(group[0].fd) as sock:
        if waiting := _bytes_waiting(group[0].fd):
            content = sock.recv(waiting, _socket.MSG_PEEK | _socket.MSG_DONTWAIT)
    return End(seats(group), content, known.shutdown)


def _foreign_unix(each: Descriptor, sock: _socket.socket) -> Fate:
    kind = int(sock.type)
    own, peer = _path(sock.getsockname), _path(sock.getpeername)
    if _listens(sock):
        return Cut(each, "listening socket", _unused(each, sock), own or "", mute=True)
    if peer is None and not own:
        return Anew(_unused(each, sock), (each,))
    dead_end = Made(seat(each), hung_up_unix, (kind,))
    return Cut(
        each, "socket to another process", dead_end, peer or own or "", mute=kind == _socket.SOCK_DGRAM
    )


def _inet(each: Descriptor, sock: _socket.socket) -> Fate:
    own, peer = sock.getsockname(), _address(sock.getpeername)
    family = int(sock.family)
    if _listens(sock):
        return Cut(each, "listening socket", _unused(each, sock), _address(sock.getsockname) or "", mute=True)
    if peer is None and own[1] == 0:
        return Anew(_unused(each, sock), (each,))
    target = peer or _address(sock.getsockname) or ""
    if sock.type == _socket.SOCK_STREAM:
        return Cut(each, "open socket", Made(seat(each), hung_up_tcp, (family,)), target)
    if sock.type == _socket.SOCK_DGRAM:
        return Cut(each, "open socket", Made(seat(each), shut_udp, (family,)), target, mute=True)
    return Cut(each, "open socket", _unused(each, sock), target, mute=True)


def _unused(each: Descriptor, sock: _socket.socket) -> Made:
    return Made(seat(each), new_socket, (int(sock.family), int(sock.type), int(sock.proto)))


def _listens(sock: _socket.socket) -> bool:
    try:
        return bool(sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN))
    except OSError:
        return False


def _address(ask: Callable[[], tuple[str, int]]) -> str | None:
    """`host:port`, None if the socket has none on that side."""
    try:
        host, port = ask()[:2]
    except OSError:
        return None
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _path(ask: Callable[[], str | bytes]) -> str | None:
    """Path or abstract name ("" for an end of a pair), None if the socket has no other end."""
    try:
        name = ask()
    except OSError:
        return None
    return os.fsdecode(name).replace("\0", "@")
