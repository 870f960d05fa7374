"""A session on another host, as a client needs it: the way in, and how it is found again. Blocking."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast.client.doorbell import DoorbellClient
from holdfast.client.remote.address import Address
from holdfast.client.remote.complaints import Failed, forbidden, harmless
from holdfast.client.remote.tunnel import ANSWER_SECONDS, Tunnel, door
from holdfast.client.succession import Search, Successor
from holdfast.errors import NoAnswer, SessionError, SessionNotRunning
from holdfast.protocol import connection
from holdfast.settings import Remote

FIRST_PAUSE_SECONDS = 1.0
"""Between the first two tries: a host that restarts its network is soon back."""

_BEGUN: dict[str, type] = {"epoch": int, "begun": bool, "lingers": bool}
_ANSWERS: dict[str, dict[str, type]] = {
    "attach": _BEGUN,
    "new": _BEGUN,
    "find": {"found": bool, "epoch": int},
}
_NOBODY: dict[str, type] = {}
"""What an answer of the porter's must have; the key of a door is looked at where it is used."""


class RemoteSession:
    """Of one address with a name."""

    def __init__(self, address: Address, settings: Remote) -> None:
        """Connect to its host; ssh may ask the user. HoldfastError says why it can't be."""
        self._address = address
        self._settings = settings
        self._finding = threading.Lock()
        self._left = threading.Event()
        self._epoch = 0
        self._tunnel = Tunnel(address, settings, alone=False)

    @property
    def version(self) -> str:
        """Of Holdfast there."""
        return self._tunnel.version

    def open(self, op: str, **arguments: object) -> dict[str, Any]:
        """Have the porter `attach` or make a `new` one; what it tells besides the way in.

        SessionError if it refuses, Failed if nothing comes through.
        """
        told = self._told(op, **arguments)
        self._epoch = told["epoch"]
        info = door(self._tunnel.prefix, told)
        connection.write(self._tunnel.prefix.with_name("connection.json"), info)
        with self.ring() as bell:
            try:
                bell.ask("info")
            except NoAnswer:
                raise self._tunnel.failure() if not self._tunnel.lives else forbidden(self._address) from None
        return told

    @property
    def connection_file(self) -> Path:
        """Of the way in, until it changes."""
        return self._tunnel.prefix.with_name("connection.json")

    def ring(self, timeout: float = ANSWER_SECONDS) -> DoorbellClient:
        """A connection to its supervisor, within so many seconds. SessionNotRunning if it has none."""
        nobody = NoAnswer(f"there is no connection to {self._address.host}")
        if not self._finding.acquire(timeout=timeout):  # it is sought just now
            raise nobody
        try:
            if not self._tunnel.lives:
                raise nobody
            if not self._told("find", timeout=timeout)["found"]:
                raise SessionNotRunning(f"session {self._address.name!r} is not running; its state is kept")
            return self._tunnel.ring()
        finally:
            self._finding.release()

    def find(self, search: Search) -> Successor | None:
        """Who serves it now, by a new connection if need be; None: nobody does.

        Failed: there will be no connection, unless the user does something.
        """
        with self._finding:
            gone = "the supervisor"
            told = self._asked_as_it_is()
            if told is None:
                gone = f"the connection to {self._address.host}"
                told = self._asked_anew(search.say)
            if not told["found"]:
                return None
            same, self._epoch = told["epoch"] == self._epoch, told["epoch"]
            story = None if same or told.get("story") is None else harmless(str(told["story"]))
            return Successor(door(self._tunnel.prefix, told), story, self._epoch, gone, may_be_cut=True)

    def close(self) -> None:
        """Leave."""
        self._left.set()
        self._tunnel.close()

    def _asked_as_it_is(self) -> dict[str, Any] | None:
        """Where it is, as far as the connection stands. None: it does not."""
        if not self._tunnel.lives:
            return None
        try:
            self._tunnel.move()  # who was connected must not be so again before it is known what was missed
            return self._told("find")
        except (NoAnswer, SessionError, OSError):  # also: the folder of the sockets is gone
            return None

    def _told(self, op: str, **arguments: Any) -> dict[str, Any]:
        """What the porter answers; the other host decides what that is. SessionError, NoAnswer."""
        told = self._tunnel.ask(op, name=self._address.name, **arguments)
        expected = _NOBODY if told.get("found") is False else _ANSWERS[op]
        if not all(isinstance(told.get(key), kind) for key, kind in expected.items()):
            raise SessionError(f"{self._address.host} answers what can't be understood")
        return told

    def _asked_anew(self, say: Callable[[str], None]) -> dict[str, Any]:
        pause, told = 0.0, False
        instead: dict[str, None] = {}
        while True:
            self._tunnel.close()
            instead[self._tunnel.token] = None
            if self._left.wait(pause):
                raise NoAnswer("the console was left")
            try:
                self._tunnel = Tunnel(self._address, self._settings, alone=True)
                if self._left.is_set():
                    self._tunnel.close()
                    raise NoAnswer("the console was left")
                return self._told("find", instead=list(instead))
            except OSError as error:  # no room, no descriptors: that may pass
                if not told:
                    say(f"no connection to {self._address.host}: {error.strerror}; it is tried again")
                told = True
            except Failed as error:
                if error.lasting:
                    say(f"{error.what}. It needs you: holdfast attach {self._address}")
                    raise
                if not told:
                    say(f"{error.what}; it is tried again until you leave (Ctrl-\\)")
                told = True
            pause = max(FIRST_PAUSE_SECONDS, min(2 * pause, self._settings.retry_seconds))
