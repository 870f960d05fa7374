"""Takes what the supervisor asks for, one at a time and in order, and keeps a standby of the state between.

The desk knows when things happen; `cells` and `requests` know how each is done, `freeze` how a standby is
made. Everything runs in the main thread's asyncio loop, so tasks of the user's go on between cells.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec

from holdfast.link.channel import Channel
from holdfast.link.messages import (
    DEBUG_BEGIN,
    Answer,
    Ask,
    Frame,
    InputReply,
    Leave,
    Load,
    NeedInput,
    Rejoin,
    Renew,
    Run,
    Wonder,
)
from holdfast.protocol.codec import encode as to_json
from holdfast.worker.cells import Cells
from holdfast.worker.interrupts import Interrupts
from holdfast.worker.ipython import comms
from holdfast.worker.ipython.gui import Guis
from holdfast.worker.outlet import Outlet
from holdfast.worker.parents import Parents
from holdfast.worker.requests import Requests

LOST_LINK = 70
"""Exit status of a worker whose supervisor is gone (EX_SOFTWARE, sysexits.h)."""


class Keeper(Protocol):
    """Keeps the state between requests, or does not: see `freeze.Freezer`."""

    def changed(self, cell: int | None) -> None:
        """The namespace is newer than what is kept."""

    def before(self, *, changes: bool) -> bool:
        """A request is about to run. True: it must not, since this process has just woken."""

    def after(self) -> None:
        """A request is done."""

    def take(self) -> bool:
        """Keep the state now; returns a second time, True, in a process that has woken."""


def _end_here() -> None:
    os._exit(LOST_LINK)


class Desk:
    """The worker's main object: what comes in, in which order it is done, what waits for an answer."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        channel: Channel,
        outlet: Outlet,
        parents: Parents,
        interrupts: Interrupts,
        guis: Guis,
        lost: Callable[[], None] = _end_here,
    ) -> None:
        """`lost` is called when the supervisor is gone."""
        self._loop = loop
        self._channel = channel
        self._outlet = outlet
        self._parents = parents
        self._interrupts = interrupts
        self._guis = guis
        self._lost = lost
        self._waiting: deque[Frame] = deque()  # taken off the link, not yet done
        self._busy = False  # a task works on a frame
        self._context = contextvars.copy_context()  # one for all cells: ContextVars stay set between them
        self._leaving = False  # the session ends
        self._wonders = 0  # questions to the supervisor so far
        self._cells: Cells
        self._requests: Requests
        self._freezer: Keeper

    def open(
        self, cells: Cells, requests: Requests, freezer: Keeper, load: Callable[[Load], None] | None = None
    ) -> None:
        """Begin to serve. The first standby holds the state before any cell. `load` takes a checkpoint's."""
        self._cells, self._requests, self._freezer = cells, requests, freezer
        self._load = load
        self._loop.call_soon(self._start_serving)

    def woken(self) -> list[str]:
        """This process was a standby: what its predecessor had taken off the link is not for it.

        Returns what is off from now on, in words.
        """
        self._waiting.clear()
        self._busy = False
        self._interrupts.woken()
        self._loop.add_reader(self._channel.fileno(), self._on_link)
        return self._guis.woken()

    def serve_for_ever(self) -> None:
        """Run the loop until the session ends. An interrupt that escapes a task of the user's is not ours."""
        while not self._leaving:
            try:
                self._loop.run_forever()
            except (KeyboardInterrupt, SystemExit):
                continue

    def ask_supervisor(self, what: str, **arguments: Any) -> Any:
        """Ask for something the supervisor owns and wait for it."""
        self._wonders += 1
        number = self._wonders
        self._outlet.send(Wonder(self._outlet.position, number, what, to_json(arguments)))
        answer = self._await(lambda frame: isinstance(frame, Answer) and frame.wonder == number)
        assert isinstance(answer, Answer)
        return msgspec.json.decode(answer.value)

    def ask_client(self, question: Callable[[int, int], NeedInput]) -> str:
        """Ask the client that runs the current cell for a line and wait for it."""
        self.put_question(question)
        reply = self._await(lambda frame: isinstance(frame, InputReply))
        assert isinstance(reply, InputReply)
        return reply.value

    @property
    def can_ask(self) -> bool:
        """Not in a process that user code has forked: the link is not its own."""
        return not self._outlet.forked

    def fileno(self) -> int:
        """The link's."""
        return self._channel.fileno()

    def put_question(self, question: Callable[[int, int], NeedInput]) -> None:
        """Ask the client that runs the current cell for a line, and go on."""
        self._outlet.send(question(self._outlet.position, self._parents.current()))

    def answer(self) -> str | None:
        """What it has typed, if it has; what else came waits its turn."""
        self._take_in(self._channel.receive())
        for frame in self._waiting:
            if isinstance(frame, InputReply):
                self._waiting.remove(frame)
                return frame.value
        return None

    def drop_stale_input(self) -> None:
        """Forget replies to questions that an interrupt has ended."""
        self._take_in(self._channel.receive())
        stale = [frame for frame in self._waiting if isinstance(frame, InputReply)]
        for frame in stale:
            self._waiting.remove(frame)

    def _start_serving(self) -> None:
        self._freezer.take()
        self._loop.add_reader(self._channel.fileno(), self._on_link)
        self._on_link()

    def _on_link(self) -> None:
        self._take_in(self._channel.receive())
        self._next()

    def _take_in(self, frames: list[Frame]) -> None:
        self._waiting.extend(frames)
        if self._channel.ended:
            self._lost()

    def _await(self, wanted: Callable[[Frame], bool]) -> Frame:
        """Block until the wanted frame has come; what else comes waits its turn."""
        while True:
            for frame in self._waiting:
                if wanted(frame):
                    self._waiting.remove(frame)
                    return frame
            self._take_in(self._channel.wait())

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        frame = self._waiting.popleft()
        if isinstance(frame, Run) and self._interrupts.has_begun(frame.turn):
            self._loop.call_soon(self._next)  # a supervisor that took over could not know that it had come
        elif isinstance(frame, Run | Ask):
            if self._guis.served():
                self._freezer.changed(None)
            changes = isinstance(frame, Run) or frame.msg_type == DEBUG_BEGIN
            if not self._freezer.before(changes=changes):
                self._begin(self._do(frame))
        elif isinstance(frame, Leave):
            self.leave()
        elif not self._prepare(frame):
            self._loop.call_soon(self._next)

    def _prepare(self, frame: Frame) -> bool:
        """Do what is between requests. True: this process has just woken, and begins anew."""
        if isinstance(frame, Rejoin):
            comms.forget(set(comms.living()) - set(frame.comms))
            comms.resend_states()
        elif isinstance(frame, Load) and self._load is not None:
            self._load(frame)
            self._freezer.changed(frame.after)
        return isinstance(frame, Renew | Load) and self._freezer.take()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self._busy = True
        self._guis.wait_a_moment()  # the standby holds what is now: no callback may come in between
        task = self._loop.create_task(work, context=self._context)
        task.add_done_callback(self._after)

    async def _do(self, frame: Run | Ask) -> None:
        content = {"code": frame.code} if isinstance(frame, Run) else {}
        self._parents.enter(frame.cell, frame.header, frame.metadata, content)
        if isinstance(frame, Run):
            await self._cells.run(frame)
            self._freezer.changed(frame.cell)
        elif self._requests.handle(frame):
            self._freezer.changed(None)

    def _after(self, task: asyncio.Task[None]) -> None:
        self._busy = False
        if not task.cancelled() and (error := task.exception()) is not None:
            os.write(2, f"holdfast: a request failed: {error!r}\n".encode())
        self._freezer.after()
        self._next()

    def leave(self) -> None:
        """End as Python does: exit handlers run, then the process is gone."""
        self._leaving = True
        self._loop.stop()
