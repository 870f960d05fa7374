"""Finds what a supervisor that was killed has left with the template, and takes it over."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import msgspec

from holdfast import __version__
from holdfast.errors import LinkError
from holdfast.link.channel import Channel
from holdfast.link.messages import FRESH, KEPT, LINK, Adopt, Died, Kept, Legacy, Orphan, Start

ANSWER_SECONDS = 30.0
"""A template is always idle and answers at once, but it may just be starting: as `Life.start_seconds`."""

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid (unix(7), SO_PEERCRED)


class Stranger:
    """A process that is no child of ours: what is needed of a `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._process = os.pidfd_open(pid)

    def wait(self, timeout: float | None = None) -> int:
        """Until it has ended; how is not known. TimeoutExpired."""
        if self.returncode is None:
            if not select.select([self._process], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("template", timeout or 0.0)
            self.returncode = 0
            os.close(self._process)
        return self.returncode

    def kill(self) -> None:
        """End it."""
        if self.returncode is None:
            signal.pidfd_send_signal(self._process, signal.SIGKILL)


class Inheritance(msgspec.Struct):
    """What there was."""

    way: socket.socket
    """To the template."""
    template: Stranger | None
    start: Start
    life: int
    """Number of the namespace, as the template counts."""
    wires: dict[str, int]
    link: tuple[int, int] | None = None
    """Number, and our end, of the link to the worker; None if there was none."""
    pid: int | None = None
    """The worker's process id, as far as the template knows."""
    after: int = FRESH
    """As in `Keep`."""
    deaths: dict[int, Died] = {}
    """Of processes of the session, the latest."""
    orphans: list[tuple[int, Orphan]] = []
    """Standbys, with a connection to each."""


def is_there(meeting: Path) -> bool:
    """Whether a template waits at `meeting` for somebody to take over."""
    sock = _reached(meeting)
    if sock is not None:
        sock.close()
    return sock is not None


def find(meeting: Path) -> Inheritance | None:
    """Ask for it at `meeting`; None if nobody is there who has it. The caller holds the session's lock."""
    sock = _reached(meeting)
    if sock is None:
        return None
    channel = Channel(sock)
    channel.send(Adopt(__version__))
    found = _everything(channel)
    if found is None:
        channel.close()
    return found


def _reached(meeting: Path) -> socket.socket | None:
    """A connection to a template of ours."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(os.fspath(meeting))
        credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        if _CREDENTIALS.unpack(credentials)[1] != os.getuid():
            raise PermissionError
    except OSError:
        sock.close()
        return None
    return sock


def _everything(channel: Channel) -> Inheritance | None:
    held: dict[str, int] = {}
    found = Inheritance(channel.sock, None, Start(-1, -1, -1, -1), 0, held, deaths={}, orphans=[])
    deadline = time.monotonic() + ANSWER_SECONDS
    while not channel.ended and select.select([channel], [], [], max(0.0, deadline - time.monotonic()))[0]:
        try:
            _take(found, channel)
        except (LinkError, msgspec.MsgspecError):
            break
        if found.template is not None and set(KEPT) <= held.keys():
            return found
    for fd in (*held.values(), *(fd for fd, _ in found.orphans)):
        os.close(fd)
    return None


def _take(found: Inheritance, channel: Channel) -> None:
    for message in channel.receive():
        if isinstance(message, Kept):
            found.wires[message.label] = channel.take_fd()
        elif isinstance(message, Died):
            found.deaths[message.pid] = message
        elif isinstance(message, Orphan):
            found.orphans.append((channel.take_fd(), message))
        elif isinstance(message, Legacy):
            _complete(found, message)


def _complete(found: Inheritance, legacy: Legacy) -> None:
    found.start = msgspec.json.decode(legacy.start, type=Start)
    found.life, found.pid, found.after = legacy.life, legacy.pid or None, legacy.after
    with contextlib.suppress(OSError):
        found.template = Stranger(legacy.template)
    link = found.wires.pop(LINK, None)
    if link is not None:
        found.link = legacy.link, link
