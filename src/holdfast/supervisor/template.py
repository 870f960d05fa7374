"""The template as the supervisor sees it: a process that forks workers and tells who ended."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable

import msgspec

from holdfast.errors import LinkError
from holdfast.link.channel import Channel
from holdfast.link.messages import Fork, Frame, Start
from holdfast.supervisor.loop import Loop


class Template:
    """Starts the process at once; start it anew with another object."""

    def __init__(
        self,
        loop: Loop,
        start: Start,
        outputs: tuple[int, int],
        said: Callable[[Frame], None],
        gone: Callable[[], None],
    ) -> None:
        """`start` and `outputs` (stdout, stderr) name descriptors of ours that it inherits."""
        self._loop = loop
        self._said = said
        self._gone = gone
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        start = msgspec.structs.replace(start, link=theirs.fileno())
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "holdfast.worker", msgspec.json.encode(start).decode()],
            stdin=subprocess.DEVNULL,
            stdout=outputs[0],
            stderr=outputs[1],
            pass_fds=(start.link, start.fault, start.ring, start.room),
            start_new_session=True,
        )
        theirs.close()
        self._link = Channel(ours)
        loop.on_readable(ours.fileno(), self._on_link)

    def fork(self, link: socket.socket) -> None:
        """Ask for a fresh worker on `link`, which may be closed afterwards."""
        self._link.send(Fork(), link.fileno())

    def end(self, patience: float) -> None:
        """End it; it takes the worker along. Waits so many seconds, then kills it."""
        self._close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()

    def reap(self, pid: int) -> bool:
        """Whether the child `pid` that has ended is the template; then it is waited for."""
        return pid == self._process.pid and self._process.wait() is not None

    def _close(self) -> None:
        self._loop.forget(self._link.fileno())
        self._link.close()

    def _on_link(self) -> None:
        for message in heard(self._link):
            self._said(message)
        if self._link.ended and self._link.fileno() >= 0:
            self._close()
            self._process.wait()
            self._gone()


def heard(channel: Channel) -> list[Frame]:
    """What has come on `channel`. Who speaks nonsense is no process of ours: its channel has ended."""
    try:
        return channel.receive()
    except LinkError:
        channel.ended = True
        return []
