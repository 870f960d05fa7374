"""The connections of our doors, as the system tells: over TCP from where each is, and whether it was let in.

libzmq accepts who connects, tells nobody, and can't close one connection of a socket. But its descriptors are
this process's, and what is done by one of them to a connection (shutdown(2)) the others notice.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import stat
import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

Address = str | tuple[str | int, ...]
"""Of a listening socket, as getsockname(2) tells it: a path, or a host and a port."""

_INTERNET: Final = (socket.AF_INET, socket.AF_INET6)

_COUNTS = struct.Struct("120xQQ")
"""Of `struct tcp_info` (tcp(7)), `tcpi_bytes_acked`, what the other end has got from us, and
`tcpi_bytes_received`."""

_HELD_BACK: Final = 260
"""Bytes that libzmq says to somebody who is not let in: a greeting (64), WELCOME (170), ERROR (12). To who is
it says READY after WELCOME: 50 or more (rfc.zeromq.org/spec/26)."""


Doors = frozenset[int] | frozenset[str]
"""TCP ports, or paths of unix sockets."""


class Connection(NamedTuple):
    """Somebody at the door, or inside."""

    descriptor: int
    address: str
    """Empty for a unix socket: all who come there are the user's own processes."""
    port: int
    """Tells those of one address apart: of a unix socket its inode."""
    let_in: bool
    received: int = 0
    """Bytes that have come over TCP, read or not."""


def held(doors: Doors) -> list[Connection]:
    """Those to one of these. Needs no descriptor of its own where none is left."""
    return [each for descriptor in _descriptors() if (each := _looked_at(descriptor, doors)) is not None]


def free() -> int:
    """Descriptors that this process may still have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - sum(map(_is_open, _descriptors()))


def hang_up(connection: Connection, doors: Doors) -> None:
    """Close it: libzmq sees its end."""
    descriptor = connection.descriptor
    with contextlib.suppress(OSError):  # none is left
        descriptor = os.dup(descriptor)  # libzmq may close its own, and have another one of that number
    try:
        if (now := _looked_at(descriptor, doors)) is not None and now[1:3] == connection[1:3]:
            with contextlib.suppress(OSError):
                _shut_down(descriptor)
    finally:
        if descriptor != connection.descriptor:
            os.close(descriptor)


def duplicates(address: Address) -> list[socket.socket]:
    """New descriptors of all connections to the socket that listens there; of fewer, if none are left."""
    found = []
    for descriptor in _descriptors():
        try:
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            each = socket.socket(fileno=os.dup(descriptor))
        except OSError:  # gone already, or none is left
            continue
        if _is_at(each, address):
            found.append(each)
        else:
            each.close()
    return found


def _is_at(each: socket.socket, address: Address) -> bool:
    try:
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return False
        name = each.getsockname()
    except OSError:
        return False
    if isinstance(address, str):
        return bool(name == address)
    return each.family in _INTERNET and bool(name[1] == address[1])  # any of the host's addresses


def _descriptors() -> Iterable[int]:
    try:
        return map(int, os.listdir("/proc/self/fd"))
    except OSError:  # none is left for that
        return range(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _looked_at(descriptor: int, doors: Doors) -> Connection | None:
    """The connection behind it; None if there is none of ours.

    Files are left alone: closing a second descriptor of a database would take away its locks (fcntl(2)).
    """
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISSOCK(status.st_mode):
            return None
        looked_at = socket.socket(fileno=descriptor)
    except OSError:  # gone already
        return None
    try:
        name = looked_at.getsockname()
        if looked_at.family == socket.AF_UNIX and name in doors:
            listens = looked_at.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            return None if listens else Connection(descriptor, "", status.st_ino, let_in=True)
        if looked_at.family not in _INTERNET or name[1] not in doors:
            return None
        address, port, *_ = looked_at.getpeername()
        told = looked_at.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    except OSError:  # one that listens, or has ended
        return None
    finally:
        looked_at.detach()
    if len(told) < _COUNTS.size:
        return Connection(descriptor, address, port, let_in=True)
    acked, received = _COUNTS.unpack_from(told)
    return Connection(descriptor, address, port, acked > _HELD_BACK, received)


def _shut_down(descriptor: int) -> None:
    ended = socket.socket(fileno=descriptor)
    try:
        ended.shutdown(socket.SHUT_RDWR)
    finally:
        ended.detach()
