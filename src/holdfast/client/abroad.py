"""Sessions of other hosts over TCP: what `tcp://HOST[:PORT]/NAME` means, whose key that host has, the way in.

A host shows its key to nobody (ZMTP's CURVE, rfc.zeromq.org/spec/26): who goes there has to know it. So it is
given with the first visit, and pinned then. How a session is found again is `visit.py`'s.
"""

from __future__ import annotations

import errno
import re
import socket
from typing import Any, NamedTuple

import zmq

from holdfast import z85
from holdfast.client.sockets import secure
from holdfast.errors import KeysError, NoAnswer, SessionError
from holdfast.keys import kept
from holdfast.listening import TCP
from holdfast.paths import checked_name
from holdfast.protocol.connection import LAST_BASE, ConnectionInfo, bases, with_ports

KNOCK_MS = 4_000
"""For a host to answer: three times across the world, on a busy machine."""

_PLACE = re.compile(TCP + r"(\[[0-9a-fA-F:.]+\]|[^/:\s\[\]]+)(?::(\d{1,5}))?/([^/\s]+)")
_EVENTS = (
    zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
)


class Stranger(KeysError):
    """Behind that door is not the host that was meant; without a port, the next may be his."""


class Place(NamedTuple):
    """A session on another host."""

    host: str
    port: int | None
    name: str

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"{TCP}{self.host}{port}/{self.name}"

    @property
    def pinned_as(self) -> str:
        """What stands before its key in known_hosts: the first block goes without saying."""
        port = "" if self.port in (None, next(iter(bases()))) else f":{self.port}"
        return f"{TCP}{self.host}{port}"


class Refused(NoAnswer):
    """The host is there; the session is not."""


class Entrance(NamedTuple):
    """A session that has let us in."""

    connection: ConnectionInfo
    told: dict[str, Any]
    """What it says of itself (`Info` of protocol/operations.py)."""


def place(word: str) -> Place:
    """What an address means; SessionError if it is none."""
    match = _PLACE.fullmatch(word)
    if match is None or (match[2] and not 0 < int(match[2]) <= LAST_BASE):
        raise SessionError(f"{word!r} is no address of a session", "holdfast attach tcp://HOST[:PORT]/NAME")
    return Place(match[1], int(match[2]) if match[2] else None, checked_name(match[3]))


def enter(there: Place, word: str | None = None, port: int | None = None) -> Entrance:
    """The way in. KeysError if the host's key is not known, or another one, or ours is not let in.

    NoAnswer (Refused, if the host is there) if nobody answers; SessionError if only other sessions do.
    `word` names the key that the host is to have. It is pinned once the host has let us in: only then has it
    shown that it has it. `port`: where it was before, and is only looked for.
    """
    key, line = _expected(there, word)
    mine = kept.pair_or_new(kept.ID)
    others: list[str] = []
    nobody: NoAnswer | None = None
    stranger: Stranger | None = None
    for base in [port] if (port := there.port or port) is not None else bases():
        info = _info(there.host, base, key, mine)
        try:
            told = _admitted(there, info, line)
        except Stranger as error:  # another user's session has these ports, or a program that is none
            stranger = stranger or error
            continue
        except NoAnswer as error:
            nobody = nobody or error
            if isinstance(error, Refused):  # no session has these ports; a later one may have the next
                continue
            break
        if line is None:
            kept.remember(there.pinned_as, key)
            _, line = _expected(there, None)
        if told["name"] == there.name:
            return Entrance(info, told)
        others.append(told["name"])
    if not others and (trouble := stranger or nobody) is not None:
        raise trouble
    raise SessionError(
        f"no session named {there.name!r} can be joined at {there.host}",
        f"holdfast attach {there._replace(name=others[0])}" if others else None,
    )


def _admitted(there: Place, info: ConnectionInfo, line: int | None) -> dict[str, Any]:
    """Knock, and hear what the session says of itself. Errors as of `enter`.

    What breaks in the middle is tried once more: who is let in no longer takes all others along for a moment.
    """
    event = _knocked(info)
    if event not in (0, zmq.EVENT_CLOSED, zmq.EVENT_HANDSHAKE_SUCCEEDED):
        event = _knocked(info)
    _check(there, info, event, line)
    try:
        return _told(info)
    except NoAnswer:
        return _told(info)


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


def _knocked(info: ConnectionInfo) -> int:
    """What becomes of a connection, by ZeroMQ's event: EVENT_CLOSED if nobody is there, 0 if none comes."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as door:
        door.linger = 0
        secure(door, info)
        watch = door.get_monitor_socket(_EVENTS)
        try:
            door.connect(info.url("control"))
            return int.from_bytes(watch.recv_multipart()[0][:2], "little") if watch.poll(KNOCK_MS) else 0
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
            f"{there.host} does not let your key in (not known, expired, not from here), or is not that host",
            "send the line of `holdfast keys` to whose session it is",
        )
    if event in (0, zmq.EVENT_CLOSED):
        raise _nobody(there, info, silent=event == 0)
    if event != zmq.EVENT_HANDSHAKE_SUCCEEDED:
        if line is not None:
            raise _changed(there, line)
        raise Stranger(f"{there.host} does not have that key", "ask there again: holdfast keys host")


def _nobody(there: Place, info: ConnectionInfo, *, silent: bool) -> NoAnswer:
    """Why nobody was there: the system tells more than ZeroMQ. `silent`: not even that came."""
    where = info.ip.strip("[]"), info.port("control")
    try:
        if silent:
            socket.getaddrinfo(*where)
            remedy = f"is it there, and reachable? {info.url('control')}"
            return NoAnswer(f"{there.host} does not answer", remedy)
        socket.create_connection(where, KNOCK_MS / 1000).close()
        why = "it hangs up"
    except OSError as error:  # also: a name that nobody knows
        if error.errno == errno.ECONNREFUSED:
            words = f"no session can be joined at {there.host}: nobody listens at port {info.shell_port}"
            return Refused(words, f"there: holdfast attach {there.name} --listen tcp://ADDRESS")
        why = error.strerror or str(error)
    return NoAnswer(f"{there.host} can't be reached: {why}", f"is that its address? {info.url('control')}")


def _told(info: ConnectionInfo) -> dict[str, Any]:
    """What the session behind a door says of itself."""
    from holdfast.client.blocking import Client  # noqa: PLC0415 - the one that is used afterwards is another

    with Client(info) as client:
        told = client.operation("info")
    return told | {"name": checked_name(str(told.get("name")))}


def _changed(there: Place, line: int) -> Stranger:
    return Stranger(
        f"THE KEY OF {there.host} HAS CHANGED: somebody may pretend to be that host",
        f"ask there (holdfast keys host). If it is a new key: remove line {line} of {kept.known_file()}",
    )
