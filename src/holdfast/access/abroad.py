"""The door over TCP: whether it may be opened at all, and at which ports. Said before anything is started.

5555 … 5559    shell, iopub, stdin, control, heartbeat of the first session
5560 … 5564    of the second, and so on
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zmq

from holdfast.errors import AccessRefused, ConnectionFileError
from holdfast.keys import kept
from holdfast.keys.kept import Pair
from holdfast.listening import TCP
from holdfast.protocol import connection
from holdfast.protocol.connection import ConnectionInfo
from holdfast.settings import Listen

OLDEST = (4, 3, 4)
"""libzmq: those before can be crashed by somebody who has no key (CVE-2019-13132, CVE-2020-15166; 4.3.3:
CVE-2020-36400)."""

_EVERYWHERE = {"*": "0.0.0.0"}  # noqa: S104 - needs `public`


class Plan(NamedTuple):
    """A door that may be opened."""

    address: str
    port: int
    pair: Pair


def planned(asked: Listen, *, anybody: bool = True) -> Plan | None:
    """What was asked for; None if nothing was. AccessRefused, KeysError, RefusedPath if it may not be.

    `anybody`: somebody's key must be known. Of a session that is there already they may be taken away.
    """
    if not asked.address:
        return None
    address, port = _read(asked.address)
    public = address.is_unspecified or address.is_global
    if public and not asked.public:
        raise AccessRefused(
            f"{address} can be reached from everywhere",
            "say so with --public, or give the address of one network of this host",
        )
    if not zmq.has("curve") or zmq.zmq_version_info() < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise AccessRefused(
            f"this libzmq ({zmq.zmq_version()}) does not keep others out",
            f"install pyzmq with libzmq {oldest}",
        )
    if anybody and not kept.people().people:
        raise AccessRefused(
            f"nobody could come in: no key is in {kept.authorized_file()}",
            "holdfast keys authorize LINE   (the line that `holdfast keys` shows where they are)",
        )
    return Plan(str(address), asked.port or port, kept.pair_or_new(kept.HOST))


def candidates(plan: Plan, file: Path) -> Iterator[ConnectionInfo]:
    """What may be tried, one after the other: the ports that `file` has from before, then block by block."""
    try:
        before = connection.read(file)
    except ConnectionFileError:
        before = None
    bases = [plan.port] if plan.port else list(connection.bases())
    if before is not None and not plan.port:
        bases = [before.shell_port, *bases]
    info = ConnectionInfo(
        ip=plan.address,
        key=plan.pair.public,
        curve_publickey=plan.pair.public,
        curve_secretkey=plan.pair.secret,
    )
    for base in bases:
        yield connection.with_ports(info, base)


def _read(text: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, int]:
    """`tcp://ADDRESS`, with `:PORT` or without."""
    rest = text.removeprefix(TCP)
    host, port = rest, ""
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    try:
        number = int(port or "0")
        if not 0 <= number <= connection.LAST_BASE:
            raise ValueError
        if host == "localhost":
            host = "127.0.0.1"
        return ipaddress.ip_address(_EVERYWHERE.get(host, host)), number
    except ValueError:
        raise AccessRefused(
            f"{text!r} is no address of a host", f"{TCP}ADDRESS, with the number of one of its networks"
        ) from None
