"""The worker of now, whichever process that is: there may be none, and one follows the other.

Links to workers are numbered; a supervisor that takes over knows by that whether it found the link of which
something was written down.
"""

from __future__ import annotations

from collections.abc import Callable

from holdfast.link.messages import Frame
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.processes.live import Live
from holdfast.supervisor.succession.bookmark import Bookmark


class Seat:
    """Of a lineage. Of an embedded program it stays empty."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._links = 0  # so far
        self.worker: Live | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker, if there is one."""
        return self.worker.pid if self.worker is not None else None

    def new(self, look: Callable[[], None]) -> Live:
        """Another one is about to be; `look` is called when it has said something."""
        self.clear()
        self._links += 1
        self.worker = Live.new(self._loop, look, self._links)
        return self.worker

    def take_over(
        self, link: tuple[int, int], pid: int | None, mark: Bookmark, look: Callable[[], None]
    ) -> bool:
        """One that another supervisor had, on the `link` (number, descriptor). Whether it was there yet."""
        self._links, fd = link
        known = mark.link == self._links
        self.worker = Live.taken_over(self._loop, look, self._links, fd, mark.number if known else 0)
        self.worker.pid = mark.pid if known and mark.pid else pid
        return known and mark.alive

    def clear(self) -> None:
        """There is none any more."""
        if self.worker is not None:
            self.worker.hang_up()
            self.worker = None

    def send(self, frame: Frame) -> None:
        """Say something to the worker."""
        if self.worker is not None:
            self.worker.send(frame)

    def interrupt(self) -> None:
        """SIGINT for the worker and what it started."""
        if self.worker is not None:
            self.worker.interrupt()

    def kill(self, why: str | None = None) -> None:
        """Kill the worker; somebody takes over. `why` is the cause that clients read."""
        if self.worker is not None:
            self.worker.kill(why)

    # What is written down

    @property
    def place(self) -> tuple[int, int]:
        """The link to the worker, and the message on it that was heard last."""
        return (self._links, self.worker.said) if self.worker is not None else (0, 0)

    @property
    def crowded(self) -> bool:
        """Much of what the worker has said waits to be taken off."""
        return self.worker is not None and self.worker.crowded

    def take_off(self) -> None:
        """What the worker has said is written down."""
        if self.worker is not None:
            self.worker.take_off()
