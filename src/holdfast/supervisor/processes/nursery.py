"""The template, whichever process that is: started, taken over, started again; it tells how others ended.

What we keep for who takes over if we are killed is kept there.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import Protocol

import msgspec

from holdfast.link.messages import FRESH, Died, Frame, Keep, Start
from holdfast.processes import look
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.live import Live
from holdfast.supervisor.processes.template import Template
from holdfast.supervisor.succession.adoption import Inheritance

HASTY_ENDS = 5
PAUSE_SECONDS = 10.0
"""A template that has ended so often within so long does not live here (memory is short, its packages are
being replaced): the next one waits so long. Starting one takes a second of a core."""

REPORT_SECONDS = 0.5
"""So long the template's word of how a process has ended may be on its way, before it counts as not known."""


class Owner(Protocol):
    """Who is told."""

    def on_template(self, message: Frame) -> None:
        """What the template said, but of deaths."""

    def on_died(self, pid: int, status: int | None) -> None:
        """A process has ended, with waitpid(2)'s status, if that is known."""

    def on_template_renewed(self) -> None:
        """There is another template, the last one was killed."""


class Nursery:
    """One for a lineage."""

    def __init__(
        self, loop: Loop, start: Start, outputs: tuple[int, int], inheritance: Inheritance | None
    ) -> None:
        """`start` and `outputs` (stdout, stderr) name descriptors of ours that every process inherits.

        With an `inheritance` the processes are there already.
        """
        self._loop = loop
        self._start = start
        self._outputs = outputs
        self.inheritance = inheritance
        self.life = 0 if inheritance is None else inheritance.life  # fresh workers so far
        self._ends: list[float] = []  # of templates, lately
        self._over = False
        self._begun = False
        self._owner: Owner
        self._template: Template

    def begin(self, owner: Owner) -> None:
        """Start the template, or take over the one that there is."""
        self._owner = owner
        found = self.inheritance
        if found is None or found.template is None:
            self._start_template()
        else:
            self._template = Template(self._loop, found.template, found.way, self._on_said, self._on_gone)
        self._begun = True

    def fork(self, worker: Live) -> None:
        """Have a fresh worker begin."""
        self.life += 1
        self.keep(worker, FRESH)
        worker.give(self._template.fork)

    def keep(self, worker: Live, after: int) -> None:
        """Have the template hold our end of the worker's link; see `Keep`."""
        self._template.keep(worker.fileno(), Keep(worker.link, worker.pid or 0, after))

    def take_fd(self) -> int:
        """The descriptor that came with what the template said."""
        return self._template.take_fd()

    def farewell(self) -> None:
        """The session is about to end: nobody takes over."""
        self._template.farewell()

    def end(self, patience: float) -> None:
        """End the template, which takes all others along. Nothing, if it could not be started."""
        self._over = True
        if self._begun:
            self._template.end(patience)

    def reap(self) -> None:
        """A child of ours has ended. We adopt a dead template's children (subreaper, prctl(2))."""
        with contextlib.suppress(ChildProcessError):
            while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                if self._template.reap(ended.si_pid):
                    continue
                pid, status, _ = os.wait4(ended.si_pid, 0)
                self._owner.on_died(pid, status)

    def watch(self, pid: int | None) -> None:
        """See a worker's end ourselves, if nobody else tells us of it."""
        if pid is None or self._hears_of(pid):
            return
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:  # it has ended, and whose child it was has waited for it
            self._loop.later(REPORT_SECONDS, lambda: self._owner.on_died(pid, None))
            return
        except OSError:  # no descriptor is left for that now
            self._loop.later(REPORT_SECONDS, lambda: self.watch(pid))
            return

        def ended() -> None:
            self._loop.forget(process)
            os.close(process)
            self._owner.on_died(pid, None)

        self._loop.on_readable(process, ended)

    def _hears_of(self, pid: int) -> bool:
        """Whether it is a child of the template's, or has become ours, as those of a dead template do.

        One that another template had is neither, if that one was killed, and its supervisor, too.
        """
        found = look(pid)
        return found is not None and found.parent in (self._template.pid, os.getpid())

    def _start_template(self) -> None:
        start = msgspec.structs.replace(self._start, life=self.life)
        self._template = Template.started(self._loop, start, self._outputs, self._on_said, self._on_gone)

    def _on_said(self, message: Frame) -> None:
        if isinstance(message, Died):
            self._owner.on_died(message.pid, message.status)
        else:
            self._owner.on_template(message)

    def _on_gone(self) -> None:
        """Somebody killed it. Worker and standbys live on; they are our children now, if it was one."""
        now = time.monotonic()
        self._ends = [*(each for each in self._ends if now - each < PAUSE_SECONDS), now]
        if len(self._ends) < HASTY_ENDS:
            self._renew()
        else:
            self._loop.later(PAUSE_SECONDS, self._renew)

    def _renew(self) -> None:
        if self._over:
            return
        self._start_template()
        self._owner.on_template_renewed()
