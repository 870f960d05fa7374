"""Sessions of other hosts over TCP: what `tcp://HOST[:PORT]/NAME` means, whose key that host has, the way in.

A host shows its key to nobody (ZMTP's CURVE, rfc.zeromq.org/spec/26): who goes there has to know it. So it is
given with the first visit, and pinned then.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import NamedTuple

import zmq

from holdfast.client.sockets import secure
from holdfast.client.succession import Successor
from holdfast.errors import HoldfastError, KeysError, NoAnswer, SessionError
from holdfast.keys import kept, z85
from holdfast.paths import checked_name
from holdfast.protocol.connection import ConnectionInfo, bases, with_ports

SCHEME = "tcp://"

KNOCK_SECONDS = 5.0
"""For a host to answer: three times across the world, on a busy machine."""

CUT_SECONDS = 60.0
"""So long a host that was there is waited for: a tunnel, a lid that was closed for a moment."""

_PLACE = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[^/:\s\[\]]+)(?::(\d{1,5}))?/([^/\s]+)")
_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_CLOSED
)


class Place(NamedTuple):
    """A session on another host."""

    host: str
    port: int | None
    name: str

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{SCHEME}{self.host}{port}/{self.name}"

    @property
    def pinned_as(self) -> str:
        """What stands before its key in known_hosts."""
        return f"{SCHEME}{self.host}" + ("" if self.port is None else f":{self.port}")


def place(word: str) -> Place:
    """What an address means; SessionError if it is none."""
    match = _PLACE.fullmatch(word)
    if match is None:
        raise SessionError(f"{word!r} is no address of a session", "holdfast attach tcp://HOST[:PORT]/NAME")
    return Place(match[1], int(match[2]) if match[2] else None, checked_name(match[3]))


def pin(there: Place, word: str) -> None:
    """The host's key is this one, from now on. KeysError if it is no key, or another one than so far."""
    key = z85.read(word)
    if key is None:
        raise KeysError(f"{word!r} is no key", "there: holdfast keys host   (it begins with curve:)")
    known = kept.known_key(there.pinned_as)
    if known is not None and known.key != key:
        raise _changed(there, known.line)
    if known is None:
        kept.remember(there.pinned_as, key)


def connection(there: Place) -> ConnectionInfo:
    """The way in. KeysError if the host's key is not known, or another one, or ours is not let in."""
    known = kept.known_key(there.pinned_as)
    if known is None:
        raise KeysError(
            f"the key of {there.host} is not known here yet",
            f"ask for it (there: holdfast keys host), then: holdfast attach {there} --host-key 'curve:…'",
        )
    mine = kept.pair_or_new(kept.ID)
    tried = [there.port] if there.port is not None else list(bases())
    others: list[str] = []
    for base in tried:
        info = _info(there.host, base, known.key, mine)
        try:
            _knock(there, info, known.line, patient=False)
        except NoAnswer:
            if others:
                break
            raise
        name = _name(info)
        if name == there.name:
            return info
        others.append(name)
    raise SessionError(
        f"no session named {there.name!r} can be joined at {there.host}",
        f"holdfast attach {there._replace(name=others[0])}" if others else None,
    )


def finder(there: Place, info: ConnectionInfo) -> Callable[[object], Successor | None]:
    """How the session is found again when the connection was cut; None if that is of no use any more."""

    def find(_: object = None) -> Successor | None:
        deadline = time.monotonic() + CUT_SECONDS
        while time.monotonic() < deadline:
            try:
                _knock(there, info, 0, patient=True)
            except NoAnswer:
                continue  # it has waited for as long as a try takes
            except HoldfastError:
                return None
            return Successor(info, None)
        return None

    return find


def _info(host: str, base: int, key: str, mine: kept.Pair) -> ConnectionInfo:
    info = ConnectionInfo(
        ip=host,
        key=key,
        curve_serverkey=key,
        curve_publickey=mine.public,
        curve_secretkey=mine.secret,
    )
    return with_ports(info, base)


def _knock(there: Place, info: ConnectionInfo, line: int, *, patient: bool) -> None:
    """Return if we are let in. KeysError says why not; NoAnswer if nobody is (`patient`: for a while)."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as door:
        door.linger = 0
        door.ipv6 = True
        secure(door, info)
        watch = door.get_monitor_socket(_EVENTS)
        door.connect(info.url("control"))
        try:
            event = _first_event(watch, patient=patient)
        finally:
            door.disable_monitor()
            watch.close(linger=0)
    if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
        return
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        raise KeysError(
            f"{there.host} does not let your key in (not known there, expired, or not from here)",
            "send the line of `holdfast keys` to whose session it is",
        )
    if event in (zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL):
        raise _changed(there, line)
    raise NoAnswer(f"nothing answers at {info.url('control')}", f"is it there, and reachable? {there.host}")


def _first_event(watch: zmq.Socket[bytes], *, patient: bool) -> int:
    """What becomes of the first try; 0 if nobody answers in time."""
    deadline = time.monotonic() + KNOCK_SECONDS
    while (left := deadline - time.monotonic()) > 0 and watch.poll(int(left * 1000) + 1):
        event = int.from_bytes(watch.recv_multipart()[0][:2], "little")
        if event != zmq.EVENT_CLOSED:
            return event
        if not patient:  # libzmq itself goes on trying
            return 0
    return 0


def _name(info: ConnectionInfo) -> str:
    """Of the session behind a door."""
    from holdfast.client.blocking import Client  # noqa: PLC0415 - the one that is used afterwards is another

    with Client(info) as client:
        return str(client.operation("info")["name"])


def _changed(there: Place, line: int) -> KeysError:
    return KeysError(
        f"THE KEY OF {there.host} HAS CHANGED: somebody may pretend to be that host",
        f"ask there (holdfast keys host). If it is a new key: remove line {line} of {kept.known_file()}",
    )
