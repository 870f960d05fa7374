"""The session's door over TCP: opened if the settings ask for it, and closed to who may come in no more.

the file of who may come in changes     it holds at once, for who connects and for each message
somebody is inside who may not be       within half a second his address is hung up on; who may, comes again
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from holdfast.access import abroad, guests
from holdfast.access.doorman import Doorman
from holdfast.access.doors import Door
from holdfast.access.guests import Guests
from holdfast.access.remote import Remote
from holdfast.access.threshold import Threshold
from holdfast.errors import ConnectionFileError, HoldfastError
from holdfast.protocol import connection
from holdfast.settings import Listen
from holdfast.supervisor.clients.doorstep import Doorstep
from holdfast.supervisor.loop import Loop

Make = Callable[[Path, Remote], Door]
"""Opens a door from its connection file."""


class Abroad:
    """Of one session."""

    def __init__(self, name: str, listen: Listen, loop: Loop, doorman: Doorman, file: Path) -> None:
        """`file`: the door's connection file. Only we read it, there is a secret key in it."""
        self.file = file
        self._name = name
        self._listen = listen
        self._loop = loop
        self._doorman = doorman
        self._door: Door | None = None
        self._doorstep: Doorstep | None = None
        self._on_thrown_out: Callable[[], None]
        self._watchman: subprocess.Popen[bytes] | None = None  # kept: it outlives us, and is not waited for

    def open(self, make: Make, on_thrown_out: Callable[[], None], *, must: bool) -> None:
        """Open it, if it is asked for. `on_thrown_out`: connections were closed, and who may is soon back.

        HoldfastError if it may not or can't be; without `must` that is only said, and the session goes on.
        """
        self._on_thrown_out = on_thrown_out
        try:
            plan = abroad.planned(self._listen, anybody=must)
            if plan is not None:
                self._door = self._opened(plan, make)
                self._loop.later(self._listen.look_seconds, self._look)
                self._watchman = _watchman(self._name)
        except HoldfastError as error:
            if must:
                raise
            print(f"no door over TCP any more: {error.what}", file=sys.stderr, flush=True)

    def _opened(self, plan: abroad.Plan, make: Make) -> Door:
        threshold = Threshold(self._listen)
        remote = Remote(Guests(threshold), self._listen)
        self._doorman.ask(guests.REMOTE, b"CURVE", remote.guests.judge)
        refusal: ConnectionFileError | None = None
        for info in abroad.candidates(plan, self.file):
            connection.write(self.file, info)
            try:
                door = make(self.file, remote)
            except ConnectionFileError as error:
                refusal = error
            else:
                self._doorstep = Doorstep(self._loop, threshold, door)
                return door
        assert refusal is not None
        raise ConnectionFileError(refusal.what, "choose five other ports: --port N") from refusal

    def close(self, door: Door) -> None:
        """A door is about to be closed: perhaps this one."""
        if door is self._door and self._doorstep is not None:
            self._doorstep.forget()
            self._door = self._doorstep = None

    def _look(self) -> None:
        door = self._door
        if door is None or door.remote is None or self._doorstep is None:
            return
        if outlaws := door.remote.guests.outlaws():
            self._doorstep.throw_out(outlaws)
            self._on_thrown_out()
        self._doorstep.look()
        self._loop.later(self._listen.look_seconds, self._look)


def _watchman(name: str) -> subprocess.Popen[bytes] | None:
    """A process that has us succeeded should we be killed (client/watchman.py): guests can't do that."""
    command = [sys.executable, "-P", "-m", "holdfast.client.watchman", name]
    me = os.pidfd_open(os.getpid())
    try:
        return subprocess.Popen(command, stdin=me, stdout=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        print(f"nobody watches over the supervisor: {error.strerror}", file=sys.stderr, flush=True)
        return None
    finally:
        os.close(me)
