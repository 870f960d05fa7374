"""The template, whichever process that is: started, taken over, started again; it tells how others ended.

What we keep for who takes over if we are killed is kept there.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable

import msgspec

from holdfast.link.messages import FRESH, Died, Frame, Keep, Start
from holdfast.supervisor.adoption import Inheritance
from holdfast.supervisor.live import Live
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.template import Template


class Nursery:
    """One for a lineage."""

    def __init__(
        self,
        loop: Loop,
        start: Start,
        outputs: tuple[int, int],
        inheritance: Inheritance | None,
        said: Callable[[Frame], None],
        ended: Callable[[int, int | None], None],
        renewed: Callable[[], None],
    ) -> None:
        """`said` is told what the template says, but `ended` of deaths, with process id and status.

        `renewed`: there is another template, the last one was killed.
        """
        self._loop = loop
        self._start = start
        self._outputs = outputs
        self._inheritance = inheritance
        self._said = said
        self._ended = ended
        self._renewed = renewed
        self.life = 0 if inheritance is None else inheritance.life  # fresh workers so far
        self._strangers = False  # processes live that are nobody's children that we hear of
        self._template: Template

    def begin(self) -> None:
        """Start the template, or take over the one that there is."""
        found = self._inheritance
        if found is None:
            self._start_template()
        else:
            self._template = Template(self._loop, found.template, found.way, self._on_said, self._on_gone)

    def fork(self, worker: Live) -> None:
        """Have a fresh worker begin."""
        self.life += 1
        self.keep(worker, FRESH)
        worker.give(self._template.fork)

    def keep(self, worker: Live, after: int) -> None:
        """Have the template hold our end of the worker's link; see `Keep`."""
        self._template.keep(worker.fileno(), Keep(worker.link, worker.pid or 0, after))

    def orphan(self) -> socket.socket:
        """The connection that came with an `Orphan`."""
        return socket.socket(fileno=self._template.take_fd())

    def farewell(self) -> None:
        """The session is about to end: nobody takes over."""
        self._template.farewell()

    def end(self, patience: float) -> None:
        """End the template, which takes all others along."""
        self._template.end(patience)

    def reap(self) -> None:
        """A child of ours has ended. We adopt a dead template's children (subreaper, prctl(2))."""
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if self._template.reap(ended.si_pid):
                    continue
                pid, status, _ = os.wait4(ended.si_pid, 0)
                self._ended(pid, status)

    def watch(self, pid: int) -> None:
        """See a worker's end ourselves, if nobody else tells us of it."""
        if not self._strangers:
            return
        process = os.pidfd_open(pid)

        def ended() -> None:
            self._loop.forget(process)
            os.close(process)
            self._ended(pid, None)

        self._loop.on_readable(process, ended)

    def _start_template(self) -> None:
        start = msgspec.structs.replace(self._start, life=self.life)
        self._template = Template.started(self._loop, start, self._outputs, self._on_said, self._on_gone)

    def _on_said(self, message: Frame) -> None:
        if isinstance(message, Died):
            self._ended(message.pid, message.status)
        else:
            self._said(message)

    def _on_gone(self) -> None:
        """Somebody killed it. Worker and standbys live on; they are our children now, if it was one."""
        self._strangers = self._strangers or self._inheritance is not None
        self._start_template()
        self._renewed()
