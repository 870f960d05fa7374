"""Who comes in by the door over TCP: judged by key when they connect, and again for each message.

The file of who may come in is looked at again and again: what it says holds at once. Nobody comes in while it
can't be read, or is not private.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict, defaultdict
from datetime import UTC, datetime
from typing import Final

from holdfast import z85
from holdfast.access.threshold import Threshold
from holdfast.errors import HoldfastError
from holdfast.keys import kept
from holdfast.keys.authorized import Authorized, Person

REMOTE: Final = b"holdfast.remote"
"""The domain (ZAP) of the door over TCP."""

_SEATS = 64
"""Identities of sockets, and sessions, that are remembered as one key's; each client has two. Whoever has
more loses his own oldest, and nobody else's."""

_KEY_BYTES = 32


class Guests:
    """Those of one session."""

    def __init__(self, threshold: Threshold) -> None:
        self._threshold = threshold
        self._stamp: tuple[int, ...] | None = None
        self._people = Authorized()
        self._inside: set[tuple[str, str]] = set()  # keys that were let in, and from where
        self._owners: dict[bytes, str] = {}  # keys, by identity and session
        self._seats: defaultdict[str, OrderedDict[bytes, None]] = defaultdict(OrderedDict)  # the same, by key
        self.trouble: HoldfastError | None = None
        """Why nobody comes in at all."""
        self._read()

    def judge(self, address: str, credentials: list[bytes]) -> str | None:
        """Asked by the doorman: the key that it is known by, if it may come in."""
        if len(credentials) != 1 or len(credentials[0]) != _KEY_BYTES:
            return None
        self._read()
        key = z85.encoded(credentials[0])
        person = self._people.of(key)
        if person is None or not person.may_come(address, datetime.now(UTC)):
            self._threshold.failed(address, time.monotonic())
            return None
        self._threshold.let_in(address)
        self._inside.add((key, address))
        return key

    @property
    def count(self) -> int:
        """Of keys that may come in."""
        self._read()
        return len(self._people.by_key)

    def who(self, key: str) -> Person | None:
        """Whose key it is, if that may still come in."""
        self._read()
        person = self._people.of(key)
        return person if person and person.may_come_at_all(datetime.now(UTC)) else None

    def sits(self, seat: bytes, key: str) -> bool:
        """Whether a client's identity, or session, is his own: it was his first, or nobody's."""
        if self._owners.setdefault(seat, key) != key:
            return False
        own = self._seats[key]
        own[seat] = None
        own.move_to_end(seat)
        if len(own) > _SEATS:
            del self._owners[own.popitem(last=False)[0]]
        return True

    def outlaws(self) -> set[str]:
        """Addresses at which somebody is inside who may not be any more. They count as gone then."""
        self._read()
        now = datetime.now(UTC)
        allowed = {
            (key, address)
            for key, address in self._inside
            if (person := self._people.of(key)) is not None and person.may_come(address, now)
        }
        gone, self._inside = self._inside - allowed, allowed
        return {address for _, address in gone}

    def _read(self) -> None:
        """Again, if the file has changed: to look costs two microseconds."""
        stamp = _stamp()
        if stamp != self._stamp or self.trouble is not None:
            self._stamp = stamp
            self._threshold.forgive()
            try:
                self._people, self.trouble = kept.people(), None
            except HoldfastError as error:
                self._people, self.trouble = Authorized(), error


def _stamp() -> tuple[int, ...] | None:
    """What tells one state of the file, and of its folder, from the next."""
    try:
        status, folder = os.lstat(kept.authorized_file()), os.lstat(kept.folder())
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_ctime_ns, folder.st_ctime_ns
