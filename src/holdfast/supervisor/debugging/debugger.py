"""The debugger that clients see: `debug_request` in, `debug_reply` and `debug_event` out (JEP 47).

    off ──initialize: the worker has debugpy listen──▶ started ──disconnect, or a process ends──▶ off

debugpy works in the worker and in a process of its own; the supervisor is its client. So a cell that stands
at a breakpoint, and blocks the worker, blocks nobody else. Requests are answered one after the other, as they
came; what needs the worker's main thread (`_FOR_THE_WORKER`) waits in the session's queue instead.
While a debugger is started no standby is taken: `worker/ipython/debugging.py` says why.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from holdfast.access.doors import Door
from holdfast.errors import HoldfastError
from holdfast.link.messages import DEBUG_BEGIN, DEBUG_END
from holdfast.protocol import codec, debugging
from holdfast.protocol.connection import Channel
from holdfast.protocol.dap import Dap
from holdfast.protocol.debugging import Request
from holdfast.protocol.messages import Message
from holdfast.supervisor.cells.queue import Errand, Job
from holdfast.supervisor.cells.room import Room
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.clients.broadcast import NOBODY, Broadcast, Parent
from holdfast.supervisor.debugging.cellfiles import CellFiles
from holdfast.supervisor.debugging.debugsession import DebugSession
from holdfast.supervisor.loop import Loop

INSTALL = "debugpy is not installed beside Holdfast; try: pip install 'holdfast[debug]'"

_FAILURES = (HoldfastError, OSError, LookupError, TypeError, ValueError)
"""What a request may end by: arguments that are missing or wrong, a file that can't be written."""
_FOR_THE_WORKER = frozenset({"inspectVariables", "richInspectVariables", "variables", "modules"})


@functools.cache
def is_available() -> bool:
    """Whether debugpy is there: the worker's interpreter is this one."""
    return importlib.util.find_spec("debugpy") is not None


class Owner(Protocol):
    """The session, as far as debugging needs it."""

    def enqueue(self, job: Job) -> None:
        """Take a job for the worker, or raise HoldfastError."""


_PAUSED: Final[Dap] = {
    "seq": 0,
    "type": "event",
    "event": "output",
    "body": {
        "category": "important",
        "output": "Holdfast takes no standby while the debugger is attached (its threads can't be copied): "
        "after a crash the variables are as they were before.\n",
    },
}
"""What the debugger's console says when it starts."""


class _Asked(msgspec.Struct, eq=False):
    """A request of a client's, until it is answered."""

    door: Door
    channel: Channel
    message: Message
    request: Request
    answered: bool = False


class Debugger:
    """One for a session."""

    def __init__(
        self, owner: Owner, broadcast: Broadcast, stage: Stage, loop: Loop, name: str, room: Room
    ) -> None:
        self._owner = owner
        self._broadcast = broadcast
        self._stage = stage
        self._loop = loop
        self._files = CellFiles(name)
        self._waiting: deque[_Asked] = deque()
        self._room = room  # for these
        self._now: _Asked | None = None  # what is being answered
        self._serving = False
        self._session: DebugSession | None = None  # while it is started
        self._commands: dict[str, Callable[[_Asked], None]] = {
            "debugInfo": self._info,
            "initialize": self._initialize,
            "dumpCell": self._dump_cell,
            "source": self._source,
            "disconnect": self._disconnect,
            "terminate": self._disconnect,  # the debugger ends, not the kernel
        }

    def take(self, door: Door, channel: Channel, message: Message) -> None:
        """A `debug_request`. HoldfastError if it is none, or can't be taken."""
        request = codec.decode(message.content_raw, Request, "content")
        stopped = self._session is not None and self._session.stopped
        if request.command in _FOR_THE_WORKER and not stopped and is_available():
            self._owner.enqueue(Job(message, door, channel))
        else:
            self._room.check(message)
            self._room.enter(message)
            self._waiting.append(_Asked(door, channel, message, request))
            self._serve()

    def over(self, why: str) -> None:
        """The worker is gone, or the adapter: whoever asks it something gets an error, and all are told."""
        asked, session = self._now, self._session
        self._session = None
        if session is not None:
            session.close()
            if not session.said_its_end:
                self._publish({"seq": 0, "type": "event", "event": "terminated", "body": {}})
        if asked is not None:
            self._answer(asked, asked.request.answer(message=f"the debugger is off: {why}"))

    def end(self) -> None:
        """The session ends."""
        self.over("the session ends")
        self._files.remove()

    # One request after the other

    def _serve(self) -> None:
        if self._serving:
            return
        self._serving = True
        while self._now is None and self._waiting:
            asked = self._now = self._waiting.popleft()
            self._room.leave(asked.message)
            self._broadcast.status("busy", Parent(asked.message.header_raw))
            try:
                self._begin(asked)
            except _FAILURES as error:
                self._answer(asked, asked.request.answer(message=f"{type(error).__name__}: {error}"))
        self._serving = False

    def _begin(self, asked: _Asked) -> None:
        request = asked.request
        if (known := self._commands.get(request.command)) is not None:
            known(asked)
        elif self._session is not None:
            self._session.ask(request, lambda response: self._take_up(asked, response))
        else:
            off = "the debugger is off; initialize it first"
            self._answer(asked, request.answer(message=off if is_available() else INSTALL))

    def _take_up(self, asked: _Asked, response: Dap) -> None:
        """Answer, unless there is nobody any more who stood at a breakpoint: then the worker itself can."""
        gone_on = self._session is not None and not self._session.stopped
        if asked.request.command not in _FOR_THE_WORKER or response.get("success") or not gone_on:
            self._answer(asked, response)
            return

        def answered(content: Dap) -> None:
            lost = asked.request.answer(message=str(content.get("evalue")))
            self._answer(asked, content if "command" in content else lost)

        self._send_for(asked, "debug_request", answered)
        self._now = None  # others need not wait for the worker
        self._serve()

    def _answer(self, asked: _Asked, response: Dap) -> None:
        if asked.answered:
            return  # when the debugger ended
        asked.answered = True
        asked.door.send(asked.channel, "debug_reply", response, to=asked.message)
        self._broadcast.status("idle", Parent(asked.message.header_raw))
        if asked is self._now:
            self._now = None
            self._serve()

    def _publish(self, event: Dap) -> None:
        job = self._stage.job
        self._broadcast.publish("debug_event", event, NOBODY if job is None else job.parent)

    # Begin and end

    def _initialize(self, asked: _Asked) -> None:
        if not is_available():
            self._answer(asked, asked.request.answer(message=INSTALL))
        elif self._session is not None:
            self._session.ask(asked.request, lambda response: self._answer(asked, response))
        else:
            self._send_for(asked, DEBUG_BEGIN, lambda content: self._begun(asked, content))

    def _begun(self, asked: _Asked, content: Dap) -> None:
        if asked.answered:  # when the worker ended
            return
        if not content.get("port"):
            words = f"debugpy did not start: {content.get('ename')}: {content.get('evalue')}"
            self._answer(asked, asked.request.answer(message=words))
            return
        try:
            self._session = DebugSession(
                self._loop, content["port"], content["skipped"], self._publish, lambda: self._left(asked)
            )
        except OSError:
            self._put_away(asked)
            raise
        self._publish(_PAUSED)
        self._session.ask(asked.request, lambda response: self._answer(asked, response))

    def _disconnect(self, asked: _Asked) -> None:
        if self._session is None:
            self._answer(asked, asked.request.answer())
            return
        arguments = {"restart": False, "terminateDebuggee": False}

        def done(_response: Dap) -> None:
            if self._session is not None:
                self._session.close()
                self._session = None
                self._put_away(asked)
            self._answer(asked, asked.request.answer())

        self._session.ask(Request("disconnect", asked.request.seq, arguments), done)

    def _left(self, asked: _Asked) -> None:
        """The adapter is gone. If the worker is not, it takes up its standbys again."""
        self.over("debugpy's adapter is gone")
        self._put_away(asked)

    def _put_away(self, asked: _Asked) -> None:
        """Let the worker put debugpy away, and take standbys again. A session that ends needs none."""
        with contextlib.suppress(HoldfastError):
            self._send_for(asked, DEBUG_END, lambda _: None)

    def _send_for(self, asked: _Asked, what: str, then: Callable[[Dap], None]) -> None:
        """Have the worker do something on behalf of a client's request, when it is free."""

        def done(content: bytes) -> None:
            try:
                then(codec.decode(content, Dap, "the worker's answer"))
            except _FAILURES as error:
                self._answer(asked, asked.request.answer(message=f"{type(error).__name__}: {error}"))

        self._owner.enqueue(Job(asked.message, asked.door, asked.channel, errand=Errand(what, done)))

    # What needs no debugpy

    def _info(self, asked: _Asked) -> None:
        session = self._session
        breakpoints = {} if session is None else session.breakpoints
        body: dict[str, Any] = {
            "isStarted": session is not None,
            "hashMethod": debugging.HASH_METHOD,
            "hashSeed": debugging.HASH_SEED,
            "tmpFilePrefix": self._files.prefix,
            "tmpFileSuffix": debugging.SUFFIX,
            "breakpoints": [
                {"source": path, "breakpoints": found} for path, found in breakpoints.items() if found
            ],
            "stoppedThreads": [] if session is None else sorted(session.stopped),
            "richRendering": True,
            "exceptionPaths": ["Python Exceptions"],
            "copyToGlobals": True,
        }
        self._answer(asked, asked.request.answer(body))

    def _dump_cell(self, asked: _Asked) -> None:
        code = (asked.request.arguments or {})["code"]
        self._answer(asked, asked.request.answer({"sourcePath": self._files.write(code)}))

    def _source(self, asked: _Asked) -> None:
        text = self._files.read((asked.request.arguments or {})["source"]["path"])
        message = "source unavailable" if text is None else None
        self._answer(asked, asked.request.answer({} if text is None else {"content": text}, message))
