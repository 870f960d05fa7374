"""The template as the supervisor sees it: a process that forks workers and tells who ended."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from holdfast import listening
from holdfast.link.messages import Farewell, Fork, Frame, Keep, Start
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.line import Line
from holdfast.supervisor.succession.adoption import Stranger


class Template:
    """The process, and the way to it."""

    def __init__(
        self,
        loop: Loop,
        process: subprocess.Popen[bytes] | Stranger,
        sock: socket.socket,
        said: Callable[[Frame], None],
        gone: Callable[[], None],
    ) -> None:
        """`said` is told what it says, `gone` that it has ended by itself."""
        self._said = said
        self._gone = gone
        self._process = process
        self._line = Line(loop, sock, self._on_line)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @classmethod
    def started(
        cls,
        loop: Loop,
        start: Start,
        outputs: tuple[int, int],
        said: Callable[[Frame], None],
        gone: Callable[[], None],
    ) -> Template:
        """Start it. `start` and `outputs` (stdout, stderr) name descriptors of ours that it inherits."""
        ours, theirs = socket.socketpair()
        meeting = listening.unix(Path(start.meeting))
        start = msgspec.structs.replace(start, link=theirs.fileno(), meets=meeting.fileno())
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "holdfast.worker", msgspec.json.encode(start).decode()],
            stdin=subprocess.DEVNULL,
            stdout=outputs[0],
            stderr=outputs[1],
            pass_fds=(
                *(start.link, start.fault, start.ring, start.room, start.meets),
                *start.kept.values(),
            ),
            start_new_session=True,
        )
        theirs.close()
        meeting.close()
        return cls(loop, process, ours, said, gone)

    def keep(self, link: int, keep: Keep) -> None:
        """Have it hold a duplicate of our end of a link, for who takes over if we are killed."""
        self._line.send(keep, link)

    def farewell(self) -> None:
        """The session is about to end: if we are killed from now on, nobody takes over."""
        self._line.send(Farewell())

    def take_fd(self) -> int:
        """The descriptor that came with what it said."""
        return self._line.take_fd()

    def fork(self, link: socket.socket) -> None:
        """Ask for a fresh worker on `link`, which may be closed afterwards."""
        self._line.send(Fork(), link.fileno())

    def end(self, patience: float) -> None:
        """End it; it takes the worker along. Waits so many seconds, then kills it."""
        self.farewell()
        self._line.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(patience)
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()

    def reap(self, pid: int) -> bool:
        """Whether the child `pid` that has ended is the template; then it is waited for."""
        return pid == self._process.pid and self._process.wait() is not None

    def _on_line(self) -> None:
        for message in self._line.heard():
            self._said(message)
        if self._line.ended and not self._line.closed:
            self._line.close()
            self._process.wait()
            self._gone()
