"""The debugger that clients see: `debug_request` in, `debug_reply` and `debug_event` out (JEP 47).

    off ──initialize: the worker lets debugpy listen──▶ started ──disconnect, or the worker's end──▶ off

debugpy works in the worker and in a process of its own; the supervisor is its client. So a cell that stands at
a breakpoint, and blocks the worker, blocks nobody else. Requests are answered one after the other, as they
came; those that need the worker's main thread (`_FOR_THE_WORKER`) wait in the queue instead, like completion.
While a debugger is started no standby is taken (see `worker/debugging.py`).
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from holdfast import paths
from holdfast.access.doors import Door
from holdfast.errors import HoldfastError, MalformedMessage
from holdfast.protocol import codec, debugging
from holdfast.protocol.connection import Channel
from holdfast.protocol.dap import Dap
from holdfast.protocol.debugging import Request
from holdfast.protocol.messages import Message
from holdfast.supervisor.adapter import Adapter, Answer
from holdfast.supervisor.broadcast import NOBODY, Broadcast, Parent
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.queue import Errand, Job

INSTALL = "debugpy is not installed beside Holdfast; try: pip install 'holdfast[debug]'"

_FOR_THE_WORKER = frozenset({"inspectVariables", "richInspectVariables", "variables", "modules"})
_WORKER = "__import__('holdfast.worker.debugging', fromlist=['_'])"
"""In an expression that a stopped frame evaluates: the module of the worker that answers there."""


@functools.cache
def is_available() -> bool:
    """Whether debugpy is there, for the interpreter that this is."""
    return importlib.util.find_spec("debugpy") is not None


class Owner(Protocol):
    """The session, as far as debugging needs it."""

    def enqueue(self, job: Job) -> None:
        """Take a job for the worker, or raise HoldfastError."""


class Asked(msgspec.Struct, eq=False):
    """A request of a client's, until it is answered."""

    door: Door
    channel: Channel
    message: Message
    dap: Request


class Debugger:
    """One for a session."""

    def __init__(self, owner: Owner, broadcast: Broadcast, loop: Loop, session: str) -> None:
        self.parent: Callable[[], Parent] = lambda: NOBODY  # to whom events belong
        self._owner = owner
        self._broadcast = broadcast
        self._loop = loop
        self._cells = str(paths.session_cells(session))
        self._waiting: deque[Asked] = deque()
        self._now: Asked | None = None  # what is being answered
        self._serving = False
        self._adapter: Adapter | None = None  # while the debugger is started
        self._port = 0
        self._skipped: list[str] = []  # files that nobody wants to step into, as patterns
        self._initialized: Callable[[], None] | None = None  # what the adapter's event of that name sets off
        self._breakpoints: dict[str, list[dict[str, Any]]] = {}
        self._stopped: set[int] = set()  # threads
        self._ended = False  # the adapter has said `terminated` itself
        self._commands: dict[str, Callable[[Asked], None]] = {
            "debugInfo": self._debug_info,
            "initialize": self._initialize,
            "attach": self._attach,
            "configurationDone": lambda asked: self._answer(asked, asked.dap.answer()),
            "dumpCell": self._dump_cell,
            "source": self._source,
            "setBreakpoints": self._set_breakpoints,
            "copyToGlobals": self._copy_to_globals,
            "disconnect": self._disconnect,
        }

    def take(self, door: Door, channel: Channel, message: Message) -> None:
        """A `debug_request`. HoldfastError if it is none, or can't be taken."""
        request = codec.decode(message.content_raw, Request, "content")
        asked = Asked(door, channel, message, request)
        if request.command in _FOR_THE_WORKER and not self._stopped and is_available():
            self._owner.enqueue(Job(message, door, channel))
        else:
            self._waiting.append(asked)
            self._serve()

    def over(self, why: str) -> None:
        """The worker is gone, or the adapter: what is being asked fails, and everybody is told."""
        asked, adapter = self._now, self._adapter
        if adapter is not None:
            told = self._ended
            self._forget()
            if not told:
                self._publish({"seq": 0, "type": "event", "event": "terminated", "body": {}})
        if asked is not None and (adapter is not None or asked.dap.command == "initialize"):
            self._answer(asked, asked.dap.answer(message=why))

    # One request after the other

    def _serve(self) -> None:
        if self._serving:
            return
        self._serving = True
        while self._now is None and self._waiting:
            asked = self._now = self._waiting.popleft()
            self._broadcast.status("busy", Parent(asked.message.header_raw))
            try:
                self._begin(asked)
            except (HoldfastError, OSError, KeyError, TypeError, ValueError) as error:
                words = f"{type(error).__name__}: {error}"
                self._answer(asked, asked.dap.answer(message=words))
        self._serving = False

    def _begin(self, asked: Asked) -> None:
        command = asked.dap.command
        known = self._commands.get(command)
        if command in ("debugInfo", "initialize") or (known is not None and self._adapter is not None):
            assert known is not None
            known(asked)
        elif not is_available():
            self._answer(asked, asked.dap.answer(message=INSTALL))
        elif self._adapter is None:
            message = None if command == "disconnect" else "the debugger is not started"
            self._answer(asked, asked.dap.answer(message=message))
        elif command in _FOR_THE_WORKER and command != "variables":
            self._ask_a_stopped_frame(asked)
        else:
            self._forward(asked)

    def _answer(self, asked: Asked, response: Dap) -> None:
        if asked is not self._now:
            return  # it has been answered: the debugger ended meanwhile
        self._now = None
        asked.door.send(asked.channel, "debug_reply", response, to=asked.message)
        self._broadcast.status("idle", Parent(asked.message.header_raw))
        self._serve()

    def _forward(self, asked: Asked, then: Answer | None = None) -> None:
        """Ask the adapter the same; `then` may change its response."""

        def answered(response: Dap) -> None:
            if then is not None and response.get("success"):
                then(response)
            if asked.dap.command == "variables" and response.get("success"):
                response["body"]["variables"] = debugging.without_hidden(response["body"]["variables"])
            self._reply(asked, response)

        self._request(asked.dap.command, asked.dap.arguments, answered)

    def _request(self, command: str, arguments: dict[str, Any] | None, then: Answer) -> None:
        if self._adapter is not None:
            self._adapter.request(command, arguments, then)

    def _reply(self, asked: Asked, response: Dap) -> None:
        """Answer with a response of the adapter's: to the client it is one to its own request."""
        self._answer(asked, response | {"request_seq": asked.dap.seq, "command": asked.dap.command})
