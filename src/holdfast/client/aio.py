"""The asynchronous client: execute, ask, follow others, answer questions, interrupt. For asyncio.

    async with Client(connection.read(path), username="ana") as client:
        run = client.execute("1 + 1")
        async for message in run:
            ...
        reply = await run.reply

Works with any Jupyter kernel. What belongs to which request is `exchange`'s business, the sockets are
`sockets`'. No printing, no terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, Unpack

import msgspec

from holdfast.client import start
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
from holdfast.errors import HoldfastError, NoAnswer
from holdfast.protocol.connection import ConnectionInfo
from holdfast.protocol.operations import Variables, request_type

OnInput = Callable[[str, bool], Awaitable[str]]
"""Asked with the prompt and whether it is a password. EOFError means end of input (Ctrl-D)."""

TURN = 256
"""Messages handled before the loop may do something else: a flood of output must not freeze the prompt."""


class Execution:
    """One running cell: iterate over its messages (all of iopub, to the final idle); await its `reply`."""

    def __init__(self, conversation: Conversation) -> None:
        self.msg_id = conversation.msg_id
        self._conversation = conversation
        self._news = asyncio.Event()
        conversation.wake = self._news.set

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Incoming:
        conversation = self._conversation
        while not conversation.inbox:
            if conversation.failure is not None:
                raise conversation.failure
            if conversation.done:
                raise StopAsyncIteration
            await self._wait()
        return conversation.inbox.popleft()

    @property
    def reply(self) -> Coroutine[Any, Any, Incoming]:
        """To be awaited: the `execute_reply`. Takes nothing from the iteration. NoAnswer if lost."""
        return self._until_reply()

    @property
    def done(self) -> bool:
        """Whether reply and idle have arrived, or the kernel is gone."""
        return self._conversation.done

    async def _until_reply(self) -> Incoming:
        while self._conversation.reply is None:
            if self._conversation.failure is not None:
                raise self._conversation.failure
            await self._wait()
        return self._conversation.reply

    async def _wait(self) -> None:
        self._news.clear()
        await self._news.wait()


class Client:
    """A client of one kernel. `username` is what others see; messages nobody asked for go to `foreign`."""

    def __init__(self, connection: ConnectionInfo, *, username: str = "", name: str | None = None) -> None:
        """`name`: of the session. Should its supervisor be killed, another one is sought, or started."""
        self._name = name
        self._coming_back: asyncio.Task[None] | None = None
        self.on_return: Callable[[float], None] = lambda _: None
        """Told when another supervisor has taken over, and for how many seconds there was none."""
        self._exchange = Exchange(connection, username)
        self._connection = connection
        self._sockets: Sockets | None = None
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._askers: dict[str, OnInput] = {}
        self._questions: dict[str, asyncio.Task[None]] = {}
        self.foreign: asyncio.Queue[Incoming] = asyncio.Queue()
        """What belongs to no open request of ours: others' cells, late output (`mine` tells)."""
        self.lost = asyncio.Event()
        """Set when the kernel has closed the connection: nothing comes any more. Make a new Client."""

    @property
    def session(self) -> str:
        """This client's `header.session`."""
        return self._exchange.session

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, seq) of the last message a Holdfast supervisor published to us; (0, 0) if none did."""
        return self._exchange.position

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def connect(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the deadline is an error of ours
        """Open the sockets and wait (seconds) until output will reach us; NoAnswer if it does not."""
        sockets = self._sockets = Sockets(self._connection, self.session.encode())
        for descriptor in sockets.descriptors():
            self._loop.add_reader(descriptor, self._read)
        self._read()
        deadline = self._loop.time() + timeout
        while not self._exchange.joined:
            if self.lost.is_set() or self._loop.time() >= deadline:
                self.close()
                raise NoAnswer(f"nothing answers at {self._connection.url('shell')}")
            try:
                async with asyncio.timeout(PROBE_SECONDS):
                    await self._until_news()
            except TimeoutError:
                self._begin("kernel_info_request", {}, "shell")

    def close(self) -> None:
        """Leave. The session goes on; requests still open fail with NoAnswer."""
        sockets, self._sockets = self._sockets, None
        if sockets is None:
            return
        for descriptor in sockets.descriptors():
            self._loop.remove_reader(descriptor)
        for task in (*self._questions.values(), self._coming_back):
            if task is not None:
                task.cancel()
        self._exchange.fail(NoAnswer("this client has left"))
        sockets.close()

    def execute(
        self,
        code: str,
        *,
        on_input: OnInput | None = None,
        metadata: Mapping[str, Any] | None = None,
        **options: Unpack[ExecuteOptions],
    ) -> Execution:
        """Send one cell. Without `on_input`, input() in it is an error. Options as of `execute_content`."""
        content = execute_content(code, allow_stdin=on_input is not None, **options)
        conversation, frames = self._exchange.begin(
            "execute_request", content, until_idle=True, metadata=metadata or {}
        )
        self._send("shell", frames)
        execution = Execution(conversation)
        if on_input is not None:
            self._askers[conversation.msg_id] = on_input
        return execution

    async def request(
        self,
        msg_type: str,
        content: object = None,
        *,
        channel: Channel = "shell",
        timeout: float | None = 10.0,  # noqa: ASYNC109 - as above
    ) -> Incoming:
        """Any request with one reply. NoAnswer after `timeout` seconds, or when the kernel is gone."""
        conversation = self._begin(msg_type, content or {}, channel)
        try:
            async with asyncio.timeout(timeout):
                return await Execution(conversation).reply
        except TimeoutError:
            raise NoAnswer(f"no answer to {msg_type} within {timeout:g} s") from None
        finally:
            self._exchange.forget(conversation)

    def say(self, msg_type: str, content: object, *, channel: Channel = "shell") -> None:
        """A message that has no reply (comm messages)."""
        self._send(channel, self._exchange.say(msg_type, content))

    async def operation(self, name: str, **arguments: object) -> dict[str, Any]:
        """The answer to one of our own operations (protocol/operations.py). HoldfastError if refused."""
        return checked(await self.request(request_type(name), arguments, channel="control"))

    async def variables(self, *names: str) -> Variables:
        """What is in the namespace, or these names: as of the last cell, or before the one that runs."""
        return msgspec.convert(await self.operation("variables", names=names), Variables)

    async def interrupt(self, *, force: bool = False) -> None:
        """Interrupt the running cell, whoever runs it (messaging.html, "Kernel interrupt").

        `force`: stop the interpreter, whatever it is doing; the state of before the cell is back (Holdfast).
        """
        if force:
            await self.operation("interrupt", force=True)
        else:
            checked(await self.request("interrupt_request", channel="control"))

    def _begin(self, msg_type: str, content: object, channel: Channel) -> Conversation:
        conversation, frames = self._exchange.begin(msg_type, content, until_idle=False)
        self._send(channel, frames)
        return conversation

    def _send(self, channel: Channel, frames: list[bytes]) -> None:
        if self._sockets is None or self.lost.is_set():
            raise NoAnswer("there is no connection to the kernel")
        self._sockets.send(channel, frames)
        self._loop.call_soon(self._read)  # see `sockets`: a send may swallow the wake-up of a read

    def _read(self) -> None:
        sockets = self._sockets
        if sockets is None:
            return
        for count, (channel, frames) in enumerate(sockets.read()):
            self._handle(channel, frames)
            if count == TURN:
                self._loop.call_soon(self._read)
                break
        else:
            if sockets.gone():
                self._lose(sockets)
        self._news.set()

    def _lose(self, sockets: Sockets) -> None:
        for channel, frames in sockets.read():  # what came in before the end
            self._handle(channel, frames)
        if self._coming_back is not None:
            self._coming_back.cancel()
        if self._name is None:
            self._give_up()
        else:
            self._exchange.pause(NoAnswer(REPLACED))
            self._coming_back = self._loop.create_task(self._come_back(self._name))

    def _give_up(self) -> None:
        self.lost.set()
        self._exchange.fail(NoAnswer("the kernel has closed the connection"))

    async def _come_back(self, name: str) -> None:
        """Find the supervisor that takes over, and what was missed. If there is none, all is lost."""
        began = self._loop.time()
        try:
            bell = await self._loop.run_in_executor(None, start.revive, name)
            if bell is None:
                self._give_up()
                return
            bell.close()
            await self._catch_up()
        except (HoldfastError, TimeoutError):
            self._give_up()
        else:
            self.on_return(self._loop.time() - began)

    async def _catch_up(self) -> None:
        exchange = self._exchange
        async with asyncio.timeout(RETURN_SECONDS):
            while not exchange.joined:
                await self._until_news()
        more = True
        while more:
            told = await self.operation("resume", **exchange.missed())
            more = told["more"]
            for routed in exchange.take_missed(told):
                self._deliver(*routed)
        for frames in exchange.unsent(told["unknown"]):
            self._send("shell", frames)
        for routed in exchange.go_on():
            self._deliver(*routed)

    def _handle(self, channel: Channel, frames: list[bytes]) -> None:
        routed = self._exchange.feed(channel, frames)
        if routed is not None:
            self._deliver(*routed)

    def _deliver(self, message: Incoming, conversation: Conversation | None) -> None:
        if conversation is None:
            if message.channel == "iopub":
                self.foreign.put_nowait(message)
        elif message.channel == "stdin":
            self._ask(message, conversation)
        elif conversation.done or conversation.reply is not None:
            self._stop_asking(conversation.msg_id)

    def _ask(self, request: Incoming, conversation: Conversation) -> None:
        """Start the question; a new one takes the place of one that was interrupted."""
        asker = self._askers.get(conversation.msg_id)
        if asker is None:
            return
        earlier = self._questions.pop(conversation.msg_id, None)
        task = self._loop.create_task(self._answer(request, asker, earlier))
        self._questions[conversation.msg_id] = task

    async def _answer(
        self, request: Incoming, asker: OnInput, earlier: asyncio.Task[None] | None = None
    ) -> None:
        if earlier is not None:  # who asks has one prompt
            earlier.cancel()
            await asyncio.wait([earlier])
        try:
            value = await asker(str(request.content.get("prompt", "")), bool(request.content.get("password")))
        except EOFError:
            value = END_OF_INPUT
        with contextlib.suppress(NoAnswer):  # the kernel went while we were asking: its cell tells
            self._send("stdin", self._exchange.say("input_reply", {"value": value}, parent=request.header))

    def _stop_asking(self, msg_id: str) -> None:
        self._askers.pop(msg_id, None)
        question = self._questions.pop(msg_id, None)
        if question is not None:
            question.cancel()

    async def _until_news(self) -> None:
        self._news.clear()
        await self._news.wait()
