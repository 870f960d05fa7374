"""What a supervisor that is killed leaves behind, held by the template for the one that takes over.

    the supervisor lives      duplicates of its ends of link, ring and pipes are held, deaths are remembered
    it is gone, no farewell   standbys that have lost it come to the meeting; so does its successor, the heir
    the heir asks             it gets everything, and its connection becomes the one to the supervisor
    nobody comes in time      the session is over

The meeting is a unix socket in the session's own folder (0700), and only the same user is heard.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import time
from collections import OrderedDict

import msgspec

from holdfast import __version__
from holdfast.errors import LinkError
from holdfast.link.channel import Channel
from holdfast.link.messages import (
    FRESH,
    LINK,
    Adopt,
    Died,
    Frame,
    Keep,
    Kept,
    Legacy,
    Orphan,
    Sleeping,
    Start,
)

DEATHS_KEPT = 64
"""The latest deaths that an heir is told of: of a worker and of the standbys it could have, and some more."""

GUESTS = 128
"""Who may have come and said nothing yet. Standbys, of which there are fewer, and heirs speak at once."""

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid (unix(7), SO_PEERCRED)


class Heritage:
    """One for a template."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self.life = start.life  # fresh workers so far
        self.expected = True  # somebody may take over
        self._link: tuple[int, Keep] | None = None
        self._deaths: OrderedDict[int, Died] = OrderedDict()
        self._orphans: list[tuple[Channel, Sleeping]] = []
        self._guests: list[Channel] = []  # have come, and not yet said who they are
        self._heir: Channel | None = None
        self._deadline: float | None = None  # time.monotonic() at which nobody has come
        self._meeting = socket.socket(fileno=start.meets)
        self._place = os.stat(start.meeting).st_ino
        self._meeting.setblocking(False)

    @property
    def sources(self) -> list[int]:
        """What to watch."""
        return [self._meeting.fileno(), *(guest.fileno() for guest in self._guests)]

    def patience(self) -> float | None:
        """Seconds to wait for somebody; None: for ever."""
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    @property
    def given_up(self) -> bool:
        """Nobody has come in time."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    def begin_life(self) -> None:
        """A fresh worker is about to be forked."""
        self.life += 1

    def born(self, pid: int) -> None:
        """It was. The link that is held is the one to it."""
        self._deaths.pop(pid, None)
        if self._link is not None:
            fd, keep = self._link
            self._link = fd, Keep(keep.link, pid, keep.after)

    def keep(self, fd: int, keep: Keep) -> None:
        """Hold a link, and let go of the last one."""
        if self._link is not None:
            os.close(self._link[0])
        self._link = fd, keep
        self._deaths.pop(keep.pid, None)

    def died(self, died: Died) -> None:
        """Remember it: the supervisor may be killed before it has done what follows from it."""
        self._deaths[died.pid] = died
        if len(self._deaths) > DEATHS_KEPT:
            self._deaths.popitem(last=False)

    def meet(self) -> None:
        """Hear who has come."""
        with contextlib.suppress(OSError):  # nobody else has come, or no descriptor is free for now
            while True:
                sock, _ = self._meeting.accept()
                credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
                if _CREDENTIALS.unpack(credentials)[1] == os.getuid():
                    self._guests.append(Channel(sock))
                    if len(self._guests) > GUESTS:
                        self._guests.pop(0).close()
                else:
                    sock.close()
        for guest in self._guests[:]:
            said = _heard(guest)
            if said is not None or guest.ended:
                self._guests.remove(guest)
                self._seat(guest, said)

    def wait_for_heir(self) -> bool:
        """The supervisor is gone: wait for another one. True if none is expected."""
        if self._deadline is None:
            self._deadline = time.monotonic() + self._start.adopt_seconds
        return not self.expected

    def take_heir(self) -> Channel | None:
        """Hand everything over to who has come for it; the connection to the supervisor from now on."""
        heir, self._heir = self._heir, None
        if heir is None:
            return None
        start = self._start
        held = {"ring": start.ring, "room": start.room, "fault_end": start.fault, "stdout_end": 1}
        held |= {"stderr_end": 2, **start.kept}
        for label, fd in held.items():
            heir.send(Kept(label), fd)
        keep = Keep(0, 0, FRESH)
        if self._link is not None:
            fd, keep = self._link
            heir.send(Kept(LINK), fd)
        for died in self._deaths.values():
            heir.send(died)
        self.pass_on(heir)
        heir.send(Legacy(keep.link, keep.pid, keep.after, self.life, msgspec.json.encode(start), os.getpid()))
        self._deadline = None
        return heir

    def pass_on(self, supervisor: Channel) -> None:
        """Give it the standbys that have come."""
        for channel, each in self._orphans:
            orphan = Orphan(each.life, each.after, each.pid, each.fingerprint, each.taken)
            supervisor.send(orphan, channel.fileno())
            channel.close()
        self._orphans.clear()

    def close(self) -> None:
        """The session is over: nobody can come any more."""
        with contextlib.suppress(FileNotFoundError):
            if os.stat(self._start.meeting).st_ino == self._place:  # not another template's by now
                os.unlink(self._start.meeting)

    def let_go(self) -> None:
        """In a fresh worker: all this is the template's."""
        for fd in self._start.kept.values():
            os.close(fd)
        if self._link is not None:
            os.close(self._link[0])
        self._meeting.close()
        for each in (*self._guests, *(channel for channel, _ in self._orphans), self._heir):
            if each is not None:
                each.close()

    def _seat(self, guest: Channel, said: Frame | None) -> None:
        if isinstance(said, Sleeping):
            self._orphans.append((guest, said))
        elif isinstance(said, Adopt) and said.version == __version__:
            if self._heir is not None:
                self._heir.close()  # it was killed, too
            self._heir = guest
        else:
            guest.close()


def _heard(guest: Channel) -> Frame | None:
    """The first thing that it says, if it has said something."""
    try:
        return next(iter(guest.receive()), None)
    except LinkError:
        guest.ended = True
        return None
