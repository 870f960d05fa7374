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
from holdfast.errors import KeysError, NoAnswer, SessionError
from holdfast.keys import kept, z85
from holdfast.paths import checked_name
from holdfast.protocol.connection import ConnectionInfo, bases, with_ports

SCHEME = "tcp://"

KNOCK_SECONDS = 5.0
"""For a host to answer: three times across the world, on a busy machine."""

CUT_SECONDS = 60.0
"""So long a host that was there is waited for: a tunnel, a lid that was closed for a moment."""

_LAST_PORT = 65_531
"""Four more follow it."""

_PLACE = re.compile(r"tcp://(\[[0-9a-fA-F:.]+\]|[^/:\s\[\]]+)(?::(\d{1,5}))?/([^/\s]+)")
_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_CLOSED
)
_ITS_KEY = (zmq.EVENT_HANDSHAKE_SUCCEEDED, zmq.EVENT_HANDSHAKE_FAILED_AUTH)
"""Who can say one of these has the key that we think he has."""


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
    if match is None or (match[2] and not 0 < int(match[2]) <= _LAST_PORT):
        raise SessionError(f"{word!r} is no address of a session", "holdfast attach tcp://HOST[:PORT]/NAME")
    return Place(match[1], int(match[2]) if match[2] else None, checked_name(match[3]))


def connection(there: Place, word: str | None = None) -> ConnectionInfo:
    """The way in. KeysError if the host's key is not known, or another one, or ours is not let in.

    `word` names the key that the host is to have. It is pinned once the host has shown that it has it.
    """
    key, line = _expected(there, word)
    mine = kept.pair_or_new(kept.ID)
    others: list[str] = []
    for base in [there.port] if there.port is not None else bases():
        info = _info(there.host, base, key, mine)
        try:
            event = _knocked(info, patient=False)
            if event in _ITS_KEY and line is None:
                kept.remember(there.pinned_as, key)
            _check(there, info, event, line)
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


def finder(info: ConnectionInfo) -> Callable[[object], Successor | None]:
    """How the session is found again when the connection was cut; None if that is of no use any more."""

    def find(_: object = None) -> Successor | None:
        deadline = time.monotonic() + CUT_SECONDS
        while time.monotonic() < deadline:
            event = _knocked(info, patient=True)
            if event:
                return (
                    Successor(info, None, gone="the session")
                    if event == zmq.EVENT_HANDSHAKE_SUCCEEDED
                    else None
                )
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


def _expected(there: Place, word: str | None) -> tuple[str, int | None]:
    """The key that the host should have, and the line in which it is pinned, if it is."""
    given = None if word is None else z85.read(word)
    if word is not None and given is None:
        raise KeysError(f"{word!r} is no key", "there: holdfast keys host   (it begins with curve:)")
    known = kept.known_key(there.pinned_as)
    if known is not None:
        if given not in (None, known.key):
            raise _changed(there, known.line)
        return known.key, known.line
    if given is None:
        raise KeysError(
            f"the key of {there.host} is not known here yet",
            f"ask for it (there: holdfast keys host), then: holdfast attach {there} --host-key 'curve:…'",
        )
    return given, None


def _knocked(info: ConnectionInfo, *, patient: bool) -> int:
    """What becomes of a connection, an event of ZeroMQ's; 0 if nobody is there (`patient`: for a while)."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as door:
        door.linger = 0
        secure(door, info)
        watch = door.get_monitor_socket(_EVENTS)
        try:
            door.connect(info.url("control"))
            return _first_event(watch, patient=patient)
        except zmq.ZMQError as error:
            what = f"{info.ip!r} is no address of a host"
            raise NoAnswer(what, "holdfast attach tcp://HOST[:PORT]/NAME") from error
        finally:
            door.disable_monitor()
            watch.close(linger=0)


def _check(there: Place, info: ConnectionInfo, event: int, line: int | None) -> None:
    """KeysError says why we are not let in; NoAnswer if nobody is there."""
    if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
        raise KeysError(
            f"{there.host} does not let your key in (not known there, expired, or not from here)",
            "send the line of `holdfast keys` to whose session it is",
        )
    if event == 0:
        raise NoAnswer(
            f"nothing answers at {info.url('control')}", f"is it there, and reachable? {there.host}"
        )
    if event != zmq.EVENT_HANDSHAKE_SUCCEEDED:
        if line is not None:
            raise _changed(there, line)
        raise KeysError(f"{there.host} does not have that key", "ask there again: holdfast keys host")


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
