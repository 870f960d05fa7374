"""What each request of a client means: answered here, or queued for the worker.

    kernel_info, history, is_complete, connect, comm_info       answered at once, whatever the worker does
    execute, complete, inspect, comm_*                          queued, served in the order they came
    interrupt, shutdown, holdfast_*                             done by the session

Every request gets busy, its reply, and idle, with itself as parent. A request that is not what the protocol
says gets an error reply (messaging spec, "Request-Reply").
"""

from __future__ import annotations

import contextlib
import functools
import platform
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from holdfast import __version__
from holdfast.access.doors import Door
from holdfast.completeness import check
from holdfast.errors import AccessRefused, HoldfastError, MalformedMessage
from holdfast.protocol import codec, content, operations
from holdfast.protocol.connection import CHANNELS, Channel
from holdfast.protocol.messages import PROTOCOL_VERSION, Message
from holdfast.supervisor.cells.meanwhile import Listed
from holdfast.supervisor.cells.queue import Job
from holdfast.supervisor.cells.stage import Stage
from holdfast.supervisor.clients import rights
from holdfast.supervisor.clients.broadcast import Broadcast, Parent
from holdfast.supervisor.clients.presence import Presence
from holdfast.supervisor.clients.usage import Usage
from holdfast.supervisor.debugging.debugger import Debugger, is_available
from holdfast.supervisor.ledger import Ledger

FOR_THE_WORKER = frozenset(
    {"execute_request", "complete_request", "inspect_request", "comm_open", "comm_msg", "comm_close"}
)
_VARIABLES = operations.request_type("variables")
LANGUAGE = {
    "name": "python",
    "version": platform.python_version(),
    "mimetype": "text/x-python",
    "file_extension": ".py",
    "pygments_lexer": "ipython3",
    "codemirror_mode": {"name": "ipython", "version": 3},
    "nbconvert_exporter": "python",
}
HELP = [
    {"text": "Python Reference", "url": f"https://docs.python.org/{platform.python_version()[:4]}"},
    {"text": "IPython Reference", "url": "https://ipython.readthedocs.io/en/stable/"},
]


class Owner(Protocol):
    """The session, as far as requests need it."""

    def enqueue(self, job: Job) -> None:
        """Take a job for the worker, or raise HoldfastError."""

    def interrupt(self, *, may_insist: bool = True) -> None:
        """Interrupt the running cell."""

    def shut_down(self, door: Door, *, restart: bool) -> None:
        """A client asks for the end, or for a fresh namespace."""

    def operate(self, name: str, request: msgspec.Struct) -> msgspec.Struct:
        """Do one of our own operations."""

    def variables(self, asked: operations.VariablesRequest, then: Listed) -> None:
        """The one that is answered later."""


class Desk:
    """Takes messages from doors."""

    def __init__(
        self,
        owner: Owner,
        broadcast: Broadcast,
        stage: Stage,
        ledger: Ledger,
        debugger: Debugger,
        presence: Presence,
        *,
        embedded: bool,
    ) -> None:
        """`embedded`: the worker is a program that embeds us, with no standby and no debugger."""
        self._embedded = embedded
        self._owner = owner
        self._broadcast = broadcast
        self._stage = stage
        self._ledger = ledger
        self._debugger = debugger
        self._presence = presence
        self._earlier = ledger.journal.latest_headers()
        """Of cells that another supervisor took. A client's socket that connects anew may send one again, and
        our own memory of signatures (`ReplayWindow`) knows only what came to us."""
        self._used = Usage()
        self._answers: dict[str, Callable[[Door, Any], object]] = {
            "kernel_info_request": self._kernel_info,
            "history_request": self._past,
            "is_complete_request": self._is_complete,
            "connect_request": self._connect,
            "comm_info_request": self._comm_info,
            "interrupt_request": self._interrupt,
            "usage_request": self._usage,
        }

    def arrived(self, door: Door, channel: Channel) -> None:
        """Something can be read on a door's channel."""
        if channel == "hb":
            door.echo_heartbeats()
        elif channel == "iopub":
            door.greet()
        else:
            self.hold_back(door, channel)

    def _is_in_anothers_name(self, door: Door, message: Message) -> bool:
        """Whether its session, or its id, is that of somebody else's message: all can read both."""
        cell = self._ledger.journal.of_request(message.header.msg_id)
        taken = cell is not None and cell.header != message.header_raw
        return taken or self._presence.is_anothers(message.header.session, door)

    def take(self, door: Door, channel: Channel, message: Message) -> None:
        """Act on one message."""
        kind = message.header.msg_type
        if door.remote is not None and self._is_in_anothers_name(door, message):
            return  # an answer would go to that one, too: busy and idle are everybody's to hear
        try:
            rights.check(message)
        except AccessRefused as error:
            self._answer(door, channel, message, functools.partial(_refusal, error))
            return
        self._presence.heard(door, message.header)
        if kind == "input_reply":
            with contextlib.suppress(
                MalformedMessage
            ):  # who was asked may still answer in the protocol's words
                self._stage.questions.answer(door, message, self._stage.job)
        elif kind == "shutdown_request":
            self._shut_down(door, channel, message)
        else:
            try:
                self._checked(message)
                if kind in FOR_THE_WORKER:
                    if message.header_raw not in self._earlier:
                        self._owner.enqueue(self._job(door, channel, message))
                    return
                if kind == _VARIABLES:
                    self._list_variables(door, channel, message)
                    return
                if kind == "debug_request":
                    self._debugger.take(door, channel, message)
                    return
            except HoldfastError as error:
                self._answer(door, channel, message, functools.partial(_refusal, error))
                return
            self._answer(door, channel, message, lambda: self._reply_to(door, message))

    def hold_back(self, door: Door, channel: Channel) -> bool:
        """Take in what has been sent on a channel: cells wait in the queue, the rest is answered.

        Whether there was anything; of very much, only some is taken.
        """
        messages = door.arrivals(channel)
        for message in messages:
            self.take(door, channel, message)
        return bool(messages)

    def _list_variables(self, door: Door, channel: Channel, message: Message) -> None:
        asked = codec.decode(message.content_raw, operations.VariablesRequest, "content")
        waits = msgspec.structs.replace(
            message, content_raw=b"{}", buffers=[]
        )  # it may be large, and is read

        def told(found: operations.Variables | HoldfastError) -> None:
            self._answer(door, channel, waits, lambda: _told(found))

        self._owner.variables(asked, told)

    def _checked(self, message: Message) -> None:
        if message.header.subshell_id is not None:
            raise MalformedMessage(f"there is no subshell {message.header.subshell_id!r}: none are offered")
        if message.header.msg_type in FOR_THE_WORKER:
            codec.decode(message.content_raw, content.REQUESTS[message.header.msg_type], "content")

    def _job(self, door: Door, channel: Channel, message: Message) -> Job:
        request = None
        if message.header.msg_type == "execute_request":
            request = codec.decode(message.content_raw, content.ExecuteRequest, "content")
        return Job(message, door, channel, request)

    def _answer(self, door: Door, channel: Channel, message: Message, reply: Callable[[], object]) -> None:
        """Busy, the reply, idle. A message that is no request and that nobody knows gets no reply."""
        parent = Parent(message.header_raw)
        self._broadcast.status("busy", parent)
        kind = message.header.msg_type
        try:
            fields = reply()
        except HoldfastError as error:
            fields = _refusal(error)
        except OSError as error:  # no descriptor, no memory: it is one request that can't be met
            fields = _refusal(HoldfastError(f"the supervisor can't do that now: {error.strerror}"))
        if kind.endswith("_request"):
            door.send(channel, kind.removesuffix("_request") + "_reply", fields, to=message)
        self._broadcast.status("idle", parent)

    def _reply_to(self, door: Door, message: Message) -> object:
        kind = message.header.msg_type
        if (name := operations.asked(kind)) is not None:
            asked = operations.arguments(name, message.content_raw)
            if door.remote is not None and isinstance(asked, operations.AnswerRequest):
                asked = msgspec.structs.replace(asked, by=message.header.username)
            done = self._owner.operate(name, asked)
            return {"status": "ok", **msgspec.structs.asdict(done)}
        answer = self._answers.get(kind)
        if answer is None:
            raise MalformedMessage(f"{kind} is not known here")
        request = codec.decode(message.content_raw, content.REQUESTS[kind], "content")
        return answer(door, request)

    def _shut_down(self, door: Door, channel: Channel, message: Message) -> None:
        try:
            request = codec.decode(message.content_raw, content.ShutdownRequest, "content")
        except MalformedMessage as error:
            self._answer(door, channel, message, functools.partial(_refusal, error))
            return
        fields = {"status": "ok", "restart": request.restart}
        self._answer(door, channel, message, lambda: fields)
        self._broadcast.publish("shutdown_reply", fields, Parent(message.header_raw))
        self._owner.shut_down(door, restart=request.restart)

    def _kernel_info(self, _door: Door, _request: content.KernelInfoRequest) -> object:
        debugger = is_available() and not self._embedded
        return {
            "status": "ok",
            "protocol_version": PROTOCOL_VERSION,
            "implementation": "ipython",
            "implementation_version": __version__,
            "language_info": LANGUAGE,
            "banner": f"Python {platform.python_version()} · Holdfast {__version__}\n{self._promise()}",
            "help_links": HELP,
            "supported_features": ["debugger"] if debugger else [],
            "debugger": debugger,
        }

    def _promise(self) -> str:
        if self._embedded:
            return "This is a running program, stopped at holdfast.embed(): `exit` lets it go on."
        return "A crash of this interpreter costs one cell, not the session. '?' for help."

    def _past(self, _door: Door, request: content.HistoryRequest) -> object:
        return {"status": "ok", "history": self._ledger.past(request)}

    def _is_complete(self, _door: Door, request: content.IsCompleteRequest) -> object:
        verdict = check(request.code)
        if verdict.status == "incomplete":
            return {"status": "incomplete", "indent": verdict.indent}
        return {"status": verdict.status}

    def _connect(self, door: Door, _request: content.ConnectRequest) -> object:
        ports = {f"{channel}_port": door.info.port(channel) for channel in CHANNELS}
        return {"status": "ok", **ports}

    def _comm_info(self, _door: Door, request: content.CommInfoRequest) -> object:
        return {"status": "ok", "comms": self._stage.comms.described(request.target_name)}

    def _usage(self, _door: Door, _request: content.UsageRequest) -> object:
        return self._used.content(self._stage.worker_pid)

    def _interrupt(self, door: Door, _request: content.InterruptRequest) -> object:
        self._owner.interrupt(may_insist=not door.ours)  # a client of ours can force
        return {"status": "ok"}


def _told(found: operations.Variables | HoldfastError) -> dict[str, object]:
    if isinstance(found, HoldfastError):
        return _refusal(found)
    return {"status": "ok", **msgspec.structs.asdict(found)}


def _refusal(error: HoldfastError) -> dict[str, object]:
    evalue = f"{error.what}; try: {error.remedy}" if error.remedy else error.what
    ename = type(error).__name__
    return {"status": "error", "ename": ename, "evalue": evalue, "traceback": [f"{ename}: {evalue}"]}
