"""The blocking client, twin of `aio`: for scripts and piped input, where one thing happens at a time.

    with Client(connection.read(path)) as client:
        run = client.execute("1 + 1")
        for message in run:
            ...
        reply = run.reply()

Everything arrives while somebody waits: in an iteration, a `reply`, a `request`, or `listen`. A
KeyboardInterrupt may break any wait; what was waited for can be waited for again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, Unpack

import msgspec

from holdfast.client import start
from holdfast.client.doorbell import DoorbellClient
from holdfast.client.exchange import (
    END_OF_INPUT,
    PROBE_SECONDS,
    REPLACED,
    RETURN_SECONDS,
    Channel,
    Conversation,
    Exchange,
    ExecuteOptions,
    Incoming,
    checked,
    execute_content,
)
from holdfast.client.sockets import Sockets
from holdfast.client.succession import successor
from holdfast.errors import HoldfastError, NoAnswer
from holdfast.protocol.connection import ConnectionInfo
from holdfast.protocol.operations import Variables, request_type

OnInput = Callable[[str, bool], str]
"""Asked with the prompt and whether it is a password. EOFError means end of input."""


class Execution:
    """One running cell: iterate over its messages (all of iopub, to the final idle), then ask for `reply`."""

    def __init__(self, client: Client, conversation: Conversation, on_input: OnInput | None) -> None:
        self.msg_id = conversation.msg_id
        self._client = client
        self._conversation = conversation
        self._on_input = on_input

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Incoming:
        conversation = self._conversation
        while not conversation.inbox:
            if conversation.failure is not None:
                raise conversation.failure
            if conversation.done:
                raise StopIteration
            self._advance()
        return conversation.inbox.popleft()

    def wait(self, seconds: float | None) -> bool:
        """Wait so long for more to come. Whether the iteration would give it, or its end, at once."""
        if not self._ready:
            self._advance(seconds)
        return self._ready

    @property
    def _ready(self) -> bool:
        return bool(self._conversation.inbox) or self._conversation.done

    def reply(self) -> Incoming:
        """Wait for the `execute_reply`. Takes nothing from the iteration. NoAnswer if the kernel goes."""
        while self._conversation.reply is None:
            if self._conversation.failure is not None:
                raise self._conversation.failure
            self._advance()
        return self._conversation.reply

    def _advance(self, seconds: float | None = None) -> None:
        question, self._conversation.question = self._conversation.question, None
        if question is None or self._on_input is None:
            self._client.listen(seconds)
            return
        try:
            value = self._on_input(
                str(question.content.get("prompt", "")), bool(question.content.get("password"))
            )
        except EOFError:
            value = END_OF_INPUT
        self._client.answer(question, value)


class Client:
    """A client of one kernel. `username` is what others see; messages nobody asked for go to `foreign`."""

    def __init__(
        self,
        connection: ConnectionInfo,
        *,
        username: str = "",
        name: str | None = None,
        hold: str | None = None,
    ) -> None:
        """`name`: of the session. Should its supervisor be killed, another one is sought, or started.

        `hold`: the connection file, if we hold that door (`open_door`): then also with the other one.
        """
        self._name = name
        self._hold = hold
        self._bell: DoorbellClient | None = None  # by which we hold it with the other one
        self._away = False  # what was missed is not known yet
        self._connection = connection
        self._exchange = Exchange(connection, username)
        self._sockets: Sockets | None = None
        self.foreign: deque[Incoming] = deque(maxlen=10_000)
        """What belongs to no open request of ours, the newest: others' cells, late output."""
        self.on_unfit: Callable[[str], object] = str
        """Is told once, in words, if the session sends what can't be used: that is left out."""
        self.lost = False
        """The kernel has closed the connection: nothing comes any more. Make a new Client."""

    @property
    def session(self) -> str:
        """This client's `header.session`."""
        return self._exchange.session

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self, timeout: float = 10.0) -> None:
        """Open the sockets and wait (seconds) until output will reach us; NoAnswer if it does not."""
        self._sockets = Sockets(self._connection, self._exchange.seat, self._exchange.card(time.time()))
        deadline = time.monotonic() + timeout
        probe = time.monotonic() + PROBE_SECONDS
        while not self._exchange.joined:
            now = time.monotonic()
            if self.lost or now >= deadline:
                self.close()
                raise NoAnswer(f"nothing answers at {self._connection.url('shell')}")
            if now >= probe:
                probe = now + PROBE_SECONDS
                self._probe()
            self.listen(min(probe, deadline) - now)

    def close(self) -> None:
        """Leave. The session goes on; requests still open fail with NoAnswer."""
        if self._bell is not None:
            self._bell.close()
        sockets, self._sockets = self._sockets, None
        if sockets is not None:
            self._exchange.fail(NoAnswer("this client has left"))
            sockets.close()

    def execute(
        self, code: str, *, on_input: OnInput | None = None, **options: Unpack[ExecuteOptions]
    ) -> Execution:
        """Send one cell. Without `on_input`, input() in it is an error. Options as of `execute_content`."""
        content = execute_content(code, allow_stdin=on_input is not None, **options)
        conversation = self._begin("execute_request", content, "shell", until_idle=True)
        return Execution(self, conversation, on_input)

    def request(
        self,
        msg_type: str,
        content: object = None,
        *,
        channel: Channel = "shell",
        timeout: float | None = 10.0,
    ) -> Incoming:
        """Any request with one reply. NoAnswer after `timeout` seconds, or when the kernel is gone."""
        conversation = self._begin(msg_type, content or {}, channel)
        deadline = None if timeout is None else time.monotonic() + timeout
        while conversation.reply is None:
            if conversation.failure is not None:
                raise conversation.failure
            rest = None if deadline is None else deadline - time.monotonic()
            if rest is not None and rest <= 0:
                self._exchange.forget(conversation)
                raise NoAnswer(f"no answer to {msg_type} within {timeout:g} s")
            self.listen(rest)
        return conversation.reply

    def operation(self, name: str, **arguments: object) -> dict[str, Any]:
        """The answer to one of our own operations (protocol/operations.py). HoldfastError if refused."""
        return checked(self.request(request_type(name), arguments, channel="control"))

    def variables(self, *names: str) -> Variables:
        """What is in the namespace, or these names: as of the last cell, or before the one that runs."""
        return msgspec.convert(self.operation("variables", names=names), Variables)

    def interrupt(self, *, force: bool = False) -> None:
        """Interrupt the running cell, whoever runs it (messaging.html, "Kernel interrupt").

        `force`: stop the interpreter, whatever it is doing; the state of before the cell is back (Holdfast).
        """
        if force:
            self.operation("interrupt", force=True)
        else:
            checked(self.request("interrupt_request", channel="control"))

    def answer(self, question: Incoming, value: str) -> None:
        """Send the `input_reply` to an `input_request`."""
        self._send("stdin", self._exchange.say("input_reply", {"value": value}, parent=question.header))

    def listen(self, seconds: float | None) -> None:
        """Take in what has come; if nothing has, wait for it so long (None: for ever)."""
        sockets = self._connected()
        if not self._away:
            sockets.wait(None if seconds is None else max(0, round(seconds * 1000)))
            self._take_in(sockets)
        if self._away or sockets.gone():
            self._take_in(sockets)  # what came in before the end
            self._come_back(sockets)

    def _come_back(self, sockets: Sockets) -> None:
        """Find the supervisor that takes over, and what was missed. If there is none, all is lost."""
        while self._name is not None:
            self._away = True
            self._exchange.pause(NoAnswer(REPLACED))
            try:
                found = successor(self._name, self._connection)
                if found is None or found.story is not None:
                    break
                self._hold_again(self._name)
            except HoldfastError:
                break
            if self._caught_up(sockets):
                self._away = False
                return
        self._away, self.lost = False, True
        self._exchange.fail(NoAnswer("the kernel has closed the connection"))

    def _hold_again(self, name: str) -> None:
        """Hold the door, if we did before: the connection is the hold."""
        if self._bell is not None:
            self._bell.close()
        if self._hold is not None:
            self._bell = start.ring(name)
            self._bell.ask("open_door", file=self._hold, hold=True)

    def _caught_up(self, sockets: Sockets) -> bool:
        """Take in what was missed. False: that supervisor is gone, too."""
        exchange = self._exchange
        if not self._heard(sockets, lambda: exchange.joined, self._probe):
            return False
        more = True
        while more:
            asked, frames = exchange.begin(request_type("resume"), exchange.missed(), until_idle=False)
            self._send("control", frames)
            if not self._heard(sockets, lambda: asked.reply is not None):  # noqa: B023 - called at once
                return False
            assert asked.reply is not None
            told = checked(asked.reply)
            more = told["more"] and (told["epoch"], told["seq"]) > exchange.position  # else it never ended
            for message, conversation in exchange.take_missed(told):
                self._deliver(message, conversation)
        for frames in exchange.unsent(told["unknown"]):
            self._send("shell", frames)
        for message, conversation in exchange.go_on():
            self._deliver(message, conversation)
        return True

    def _heard(self, sockets: Sockets, what: Callable[[], bool], again: Callable[[], object] = bool) -> bool:
        """Wait for something, not for ever; `again` may ask for it once more."""
        now = time.monotonic()
        deadline, due = now + RETURN_SECONDS, now + PROBE_SECONDS
        while not what():
            now = time.monotonic()
            if now >= deadline or sockets.gone():
                return False
            if now >= due:
                due = now + PROBE_SECONDS
                again()
            sockets.wait(round((due - now) * 1000))
            self._take_in(sockets)
        return True

    def _probe(self) -> None:
        """Have something come on iopub."""
        self._begin("kernel_info_request", {}, "shell")

    def _take_in(self, sockets: Sockets) -> None:
        for channel, frames in sockets.read():
            routed = self._exchange.feed(channel, frames)
            if routed is not None:
                self._deliver(*routed)
        self._exchange.left_out.tell(self.on_unfit)

    def _deliver(self, message: Incoming, conversation: Conversation | None) -> None:
        if conversation is None and message.channel == "iopub":
            self.foreign.append(message)

    def _begin(
        self, msg_type: str, content: object, channel: Channel, *, until_idle: bool = False
    ) -> Conversation:
        conversation, frames = self._exchange.begin(msg_type, content, until_idle=until_idle)
        self._send(channel, frames)
        return conversation

    def _send(self, channel: Channel, frames: list[bytes]) -> None:
        self._connected().send(channel, frames)

    def _connected(self) -> Sockets:
        if self._sockets is None or self.lost:
            raise NoAnswer("there is no connection to the kernel")
        return self._sockets
