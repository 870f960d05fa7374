"""Which doors are open and who holds them: the session's own, and those of launchers.

a launcher opens its door      open_door with hold, on the doorbell; the connection is its hold
it dies                        the door stays open for the next launcher on the same file, for a while
nobody comes                   the door is closed; an unnamed session ends with its last door
a client shuts it down         the launcher is told, and ends
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec
import zmq

from holdfast import paths
from holdfast.access import doors
from holdfast.access.awaited import RETURN_SECONDS
from holdfast.access.doorbell import Doorbell, Ringer, Watcher
from holdfast.access.doorman import Doorman
from holdfast.access.doors import Door
from holdfast.access.remote import Remote
from holdfast.errors import HoldfastError, MalformedMessage
from holdfast.protocol import doorbell, operations
from holdfast.protocol.connection import Channel
from holdfast.settings import Settings
from holdfast.supervisor.cells.meanwhile import Listed
from holdfast.supervisor.clients.abroad import Abroad
from holdfast.supervisor.clients.absence import Absence
from holdfast.supervisor.clients.crowd import Crowd
from holdfast.supervisor.clients.presence import Presence
from holdfast.supervisor.disk.arrival import Arrival
from holdfast.supervisor.loop import Deadline, Loop


class Owner(Protocol):
    """The session, as far as its entrance needs it."""

    def operate(self, name: str, request: msgspec.Struct) -> msgspec.Struct:
        """Do one of our own operations."""

    def variables(self, asked: operations.VariablesRequest, then: Listed) -> None:
        """The one that is answered later."""

    def end(self, reason: str) -> None:
        """End the session."""

    def end_if_unused(self, reason: str) -> None:
        """End the session if it has never run a cell."""


class Entrance:
    """All doors of a session, and its doorbell."""

    def __init__(
        self,
        name: str,
        *,
        named: bool,
        settings: Settings,
        loop: Loop,
        doors_list: list[Door],
        absence: Absence,
        arrival: Arrival,
        presence: Presence,
    ) -> None:
        """`doors_list` is kept up to date: what is published goes to each of them."""
        folder = paths.session_runtime(name)
        self.own_file = folder / "connection.json"
        self._folder = folder
        self._name = name
        self._named = named
        self._settings = settings
        self._loop = loop
        self._doors = doors_list
        self._holders: dict[Door, Ringer | None] = {}  # doors of launchers, and who holds each now
        self._grace = Deadline(loop)  # until nobody has come
        self._absence = absence
        self._arrival = arrival
        self._presence = presence
        self._session_id = ""
        self._when_back: Callable[[], None] | None = None
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._doorman = Doorman(self._context)
        self._crowd = Crowd(loop, doors_list)
        self._abroad = Abroad(name, settings.listen, loop, self._doorman, folder / "tcp.json")
        self._owner: Owner
        self._arrived: Callable[[Door, Channel], None]
        self._bell: Doorbell

    def open(
        self, owner: Owner, arrived: Callable[[Door, Channel], None], before: Mapping[str, int] | None = None
    ) -> None:
        """Open the session's own door and the doorbell; `arrived` is called when a channel can be read.

        `before`: the doors that a supervisor had which we take over from, and how many listened at each. They
        are opened again. RefusedPath or ConnectionFileError if our own can't be opened.
        """
        self._owner = owner
        self._arrived = arrived
        self._loop.on_readable(self._doorman.socket, self._somebody_comes)
        if before is None or not self.own_file.exists():
            doors.open_own(self._folder / "door", self.own_file)
        self._open(self.own_file).ours = True
        self._abroad.open(self._opened, self._expect_back, must=before is None)
        for file, listeners in (before or {}).items():
            if Path(file) != self._abroad.file or self.door_of(file) is not self._doors[0]:
                self._open_again(Path(file), listeners)
        watcher = Watcher(self._loop.on_readable, self._loop.on_writable, self._loop.forget, self._loop.later)
        self._bell = Doorbell(self._folder / "doorbell", watcher, self._rung, self._left)
        if not self._named or self._holders:
            self._wait()

    def when_back(self, call: Callable[[], None]) -> None:
        """Call once nobody is on the way back to one of the doors, or has taken too long.

        Until then nothing is sent.
        """
        self._when_back = call
        self._look_who_is_back()

    def door_of(self, file: str) -> Door:
        """The door of a connection file; our own, if that is not open."""
        return next((door for door in self._doors if str(door.file) == file), self._doors[0])

    def renew(self, session_id: str) -> None:
        """The namespace is another one: every door says so in its headers."""
        self._session_id = session_id
        for door in self._doors:
            door.renew(session_id)

    def described(self, door: Door | None) -> dict[str, object]:
        """How clients find the session: by `door`, if that is open, or by its own."""
        shown = next((each for each in self._doors if each is door), self._doors[0])
        fields = msgspec.structs.asdict(shown.info).items()
        return {
            "file": str(shown.file),
            "info": {name: value for name, value in fields if value is not None},
            "session": self._session_id,
            "name": self._name,
        }

    def dismiss(self, door: Door, *, restart: bool) -> bool:
        """A client shut down the kernel behind `door`. True if the session goes on; its launcher is told.

        If it does not, the launcher is told at its end: whoever waits for the process waits for that.
        """
        if not restart and not (self._named and door in self._holders):
            return False
        holder = self._holders.get(door)
        if holder is not None:
            self._holders[door] = None
            holder.send({"event": "door_closed", "reason": "restart" if restart else "shutdown"})
        if not restart:
            self._close(door)
            self._note_absence()
        elif door in self._holders:
            self._wait()
        return True

    def close(self, reason: str) -> None:
        """Close everything; whoever holds a door is told."""
        for holder in self._holders.values():
            if holder is not None:
                holder.send({"event": "door_closed", "reason": reason})
        self._bell.close()
        for door in self._doors[:]:
            self._close(door)
        self._loop.forget(self._doorman.socket)
        self._doorman.close()
        self._context.term()

    def _open(self, file: Path) -> Door:
        for door in self._doors:
            if door.file == file:
                if door.matches(file):
                    door.mend()
                    return door
                self._close(door)
                break
        return self._opened(file)

    def _opened(self, file: Path, remote: Remote | None = None) -> Door:
        door = Door(file, self._context, self._session_id, self._settings.wire, remote)
        door.on_presence = self._note_presence
        door.on_rest = self._loop.look_again
        doors.serve(door, self._loop.on_readable, self._arrived)
        self._doors.append(door)
        return door

    def _expect_back(self) -> None:
        """Connections were closed: who may come in is soon there again."""
        seconds = self._settings.life.return_seconds
        self._presence.expect_back(seconds)
        for door in self._doors:
            door.keep_answers(seconds)
        self._loop.later(seconds, self._presence.changed)

    def _somebody_comes(self) -> None:
        self._doorman.answer()
        self._crowd.somebody_comes()

    def _note_presence(self) -> None:
        """Somebody came or left. A door may find that out while it sends: what follows is said after that."""
        self._loop.later(0, self._presence.changed)
        self._loop.later(0, self._look_who_is_back)

    def _open_again(self, file: Path, listeners: int) -> None:
        seconds = self._settings.life.return_seconds
        with contextlib.suppress(HoldfastError):  # its file is gone: so is who wrote it
            door = self._open(file)
            door.expect_back(listeners, seconds)
            for each in (RETURN_SECONDS, seconds):
                self._loop.later(each, self._look_who_is_back)
            if not door.ours:
                self._holders[door] = None

    def _look_who_is_back(self) -> None:
        if self._when_back is not None and not any(door.awaits_return for door in self._doors):
            for door in self._doors:
                door.wait_no_longer()
            call, self._when_back = self._when_back, None
            call()

    def _close(self, door: Door) -> None:
        self._doors.remove(door)
        self._holders.pop(door, None)
        self._absence.forget(door)
        self._abroad.close(door)
        for _, socket in door.sources():
            self._loop.forget(socket)
        door.close()

    def _rung(self, request: dict[str, Any], ringer: Ringer) -> object:
        """Somebody rang the doorbell; the reply, or None if there is none."""
        name = request.pop("op", None)
        if name == "leave":
            ringer.close()
            return None
        if not isinstance(name, str):
            raise MalformedMessage('a request without "op"', f"there are {', '.join(operations.OPERATIONS)}")
        asked = operations.arguments(name, request)
        if isinstance(asked, operations.OpenDoor):
            self._admit(asked, ringer)
            return doorbell.acceptance(operations.Done())
        if isinstance(asked, operations.Arrival):
            self._arrival.tell(lambda arrived: ringer.send(doorbell.acceptance(arrived)))
            return None
        if isinstance(asked, operations.Stop) and asked.unless_held and any(self._holders.values()):
            return doorbell.acceptance(operations.Stopping(ends=False))
        if isinstance(asked, operations.VariablesRequest):
            self._owner.variables(asked, lambda found: ringer.send(_told(found)))
            return None
        return doorbell.acceptance(self._owner.operate(name, asked))

    def _admit(self, asked: operations.OpenDoor, ringer: Ringer) -> None:
        try:
            door = self._open(Path(asked.file))
        except HoldfastError:
            if asked.hold and not self._named and not self._holders:
                self._owner.end_if_unused("its door could not be opened")
            raise
        if asked.hold:
            self._absence.end(door, missed=door not in self._holders)
            self._holders[door] = ringer
            if all(self._holders.values()):
                self._grace.cancel()

    def _left(self, ringer: Ringer) -> None:
        """A connection to the doorbell ended; if it held a door, the next launcher may come."""
        held = [door for door, holder in self._holders.items() if holder is ringer]
        for door in held:
            self._holders[door] = None
        if held:
            self._wait()
            self._note_absence()

    def _note_absence(self) -> None:
        if not any(self._holders.values()):
            self._absence.begin()

    def _wait(self) -> None:
        self._grace.set(self._settings.life.launcher_grace_seconds, self._nobody_came)

    def _nobody_came(self) -> None:
        for door in [door for door, holder in self._holders.items() if holder is None]:
            self._close(door)
        if not self._named and not self._holders:
            self._owner.end("its launcher is gone")


def _told(found: operations.Variables | HoldfastError) -> object:
    return doorbell.refusal(found) if isinstance(found, HoldfastError) else doorbell.acceptance(found)
