"""Who is at the other end of a Unix socket, asked of the kernel by NETLINK_SOCK_DIAG (sock_diag(7)).

The other end's inode is told by nothing else: a socket pair's names are empty on both sides.
"""

from __future__ import annotations

import _socket  # not `socket`: programs replace its classes by their own (PySocks, gevent)
import contextlib
import struct
from collections.abc import Iterable
from typing import NamedTuple

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLMSG_ERROR = 2
_NLM_F_REQUEST = 1
_SHOW_PEER = 4
_ATTRIBUTE_PEER = 2
_ATTRIBUTE_SHUTDOWN = 6
_NO_COOKIE = 0xFFFFFFFF
_HEADER = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_REQUEST = struct.Struct("=BBHIIIII")  # family, protocol, pad, states, inode, show, cookie (2)
_ATTRIBUTES_AT = _HEADER.size + 16  # after the answer's struct unix_diag_msg
_ATTRIBUTE = struct.Struct("=HH")
_ANSWER_BYTES = 4096  # one socket's answer has some 60


class UnixSocket(NamedTuple):
    """What the kernel says of one Unix socket."""

    peer: int
    """Inode of the other end, 0 if there is none."""
    shutdown: int
    """1: no more reading, 2: no more writing, 3: both (the kernel's RCV_SHUTDOWN, SEND_SHUTDOWN)."""


def unix_sockets(inodes: Iterable[int]) -> dict[int, UnixSocket]:
    """Peers of the Unix sockets with these inodes; those that the kernel does not know are left out.

    One question a socket: the whole machine's table, which a dump would bring, may be large.
    Empty where the kernel or a sandbox has no socket diagnosis.
    """
    found: dict[int, UnixSocket] = {}
    try:
        asking = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW, _NETLINK_SOCK_DIAG)
    except OSError:
        return found
    with contextlib.closing(asking):
        for inode in inodes:
            try:
                asking.send(_question(inode))
                answer = asking.recv(_ANSWER_BYTES)
            except OSError:
                break
            if _HEADER.unpack_from(answer)[1] != _NLMSG_ERROR:
                found[inode] = _parse(answer)
    return found


def _question(inode: int) -> bytes:
    body = _REQUEST.pack(_socket.AF_UNIX, 0, 0, 0, inode, _SHOW_PEER, _NO_COOKIE, _NO_COOKIE)
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0) + body


def _parse(answer: bytes) -> UnixSocket:
    peer = shutdown = 0
    at = _ATTRIBUTES_AT
    while at + _ATTRIBUTE.size <= len(answer):
        length, kind = _ATTRIBUTE.unpack_from(answer, at)
        if length < _ATTRIBUTE.size:
            break
        if kind == _ATTRIBUTE_PEER:
            (peer,) = struct.unpack_from("=I", answer, at + _ATTRIBUTE.size)
        elif kind == _ATTRIBUTE_SHUTDOWN:
            shutdown = answer[at + _ATTRIBUTE.size]
        at += (length + 3) & ~3
    return UnixSocket(peer, shutdown)
