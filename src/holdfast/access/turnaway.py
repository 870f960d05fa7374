"""Having the system drop what comes to a TCP socket from some sources, before anything is made of it.

A program of a few instructions looks at each packet (socket(7), SO_ATTACH_FILTER; the kernel's
networking/filter.rst). Any process may give one to its own sockets. A connection has the one that its
listener had when it was made: so those that are there already go on.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import socket
import struct
from collections.abc import Iterable
from typing import Final

_SO_ATTACH_FILTER: Final = 26  # asm-generic/socket.h
_INSTRUCTION = struct.Struct(
    "HBBI"
)  # linux/filter.h, struct sock_filter: code, jump if true, if false, operand
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_NETWORK_HEADER = 0xFFF0_0000  # SKF_NET_OFF
_SOURCE: Final[dict[int, int]] = {socket.AF_INET: 12, socket.AF_INET6: 8}
"""Where the source's address stands in the header (RFC 791, RFC 8200)."""
_NONE, _ALL = 0, 0xFFFF_FFFF
"""Bytes of a packet that are taken."""
_WORD = 4


def turn_away(sock: socket.socket, sources: Iterable[str]) -> None:
    """From now on these addresses, of IPv6 networks, are not heard there, and all others are.

    Where the system has no such filters, nothing is done: who comes is hung up on, which costs a little more.
    """
    program = b"".join(_INSTRUCTION.pack(*each) for each in _program(sock.family, sources))
    memory = ctypes.create_string_buffer(program, len(program))
    told = struct.pack("HP", len(program) // _INSTRUCTION.size, ctypes.addressof(memory))
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, told)


def _program(family: int, sources: Iterable[str]) -> Iterable[tuple[int, int, int, int]]:
    for source in sources:
        network = ipaddress.ip_network(source)
        if network.version != (4 if family == socket.AF_INET else 6):
            continue
        packed = network.network_address.packed[: network.prefixlen // 8]
        starts = range(0, len(packed), _WORD)
        for number, start in enumerate(starts):
            others = 2 * (len(starts) - number - 1) + 1  # instructions of this source that are left then
            yield _LOAD, 0, 0, _NETWORK_HEADER + _SOURCE[family] + start
            yield _IF_EQUAL, 0, others, int.from_bytes(packed[start : start + _WORD])
        yield _RETURN, 0, 0, _NONE
    yield _RETURN, 0, 0, _ALL
