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
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Self, Unpack

import msgspec

from holdfast.client.asking import Asking, OnInput
from holdfast.client.catchup import CatchUp, Missed
from holdfast.client.comeback import Comeback
from holdfast.client.ears import Ears
from holdfast.client.exchange import (
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
    is_after,
)
from holdfast.client.line import Line
from holdfast.client.past import Past, Recent
from holdfast.client.succession import Find, Successor, served_next
from holdfast.errors import NoAnswer
from holdfast.protocol.connection import ConnectionInfo
from holdfast.protocol.notices import QUESTION, Kind
from holdfast.protocol.operations import Variables, request_type

Told = Mapping[str, Any] | None
"""Metadata of a message."""

TURN_SECONDS = 0.02
"""So long messages are handled before the loop may do something else: a flood of output, of which a message
can have a quarter of a megabyte, must freeze neither the prompt nor Ctrl-C."""


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

    def take_back(self) -> bool:
        """If it has not been sent, for want of a connection: it fails with NoAnswer, and never is."""
        if self._conversation.unsent:
            self._conversation.fail(NoAnswer("taken back; it has not run"))
        return self._conversation.unsent

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

    def __init__(
        self,
        connection: ConnectionInfo,
        *,
        username: str = "",
        name: str | None = None,
        kind: Kind = "program",
        find: Find | None = None,
    ) -> None:
        """`name`: of the session, for its next supervisor; `find`: how one elsewhere is found."""
        self.elsewhere = find is not None
        """The session is on another host: paths that it names are not ours."""
        find = find or (None if name is None else served_next(name, lambda: self._connection))
        self._felt = False
        self.hears = Ears()
        self._exchange = Exchange(connection, username, kind)
        self._comeback = Comeback(find, self._go, self._give_up, lambda: self.hears) if find else None
        self._exchange.watchful = True
        self._catch_up = CatchUp(self._exchange, self.operation, self._send, self._deliver)
        self._connection = connection
        self._line: Line | None = None
        self._loop, self._news = asyncio.get_running_loop(), asyncio.Event()
        self._asking = Asking(self._exchange, self._send)
        self._mending: asyncio.Task[None] | None = None
        self.foreign: asyncio.Queue[Incoming] = asyncio.Queue()
        """What belongs to no open request of ours: others' cells, late output (`mine` tells)."""
        self.on_output: Callable[[Incoming], None] | None = None
        """Takes all of iopub instead, also that of our own cells, in the order it was published."""
        self.lost = asyncio.Event()
        """Set when the kernel has closed the connection: nothing comes any more. Make a new Client."""

    @property
    def session(self) -> str:
        """This client's `header.session`."""
        return self._exchange.session

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def open(self, known: Recent | None = None) -> None:
        """Open the sockets, without waiting (`connect` does); what was published before may be `known`."""
        if known is not None:
            self._catch_up.came_at(known)
        self._line = Line(self._connection, self._exchange.seat, self._exchange.card(time.time()), self._read)

    async def connect(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109 - the deadline is an error of ours
        """Open the sockets and wait (seconds) until output will reach us; NoAnswer if it does not."""
        if self._line is None:
            self.open()
        deadline = self._loop.time() + timeout
        while not self._exchange.joined:
            if self.lost.is_set() or self._loop.time() >= deadline:
                self.close()
                raise NoAnswer(f"nothing answers at {self._connection.url('shell')}")
            await self._probe()

    def close(self) -> None:
        """Leave. The session goes on; requests still open fail with NoAnswer."""
        line, self._line = self._line, None
        if line is None:
            return
        self._asking.close()
        if self._comeback is not None:
            self._comeback.end()
        if self._mending is not None:
            self._mending.cancel()
        self._exchange.fail(NoAnswer("this client has left"))
        line.close()

    def execute(
        self,
        code: str,
        *,
        on_input: OnInput | None = None,
        metadata: Told = None,
        **options: Unpack[ExecuteOptions],
    ) -> Execution:
        """Send one cell. Without `on_input`, input() in it is an error. Options as of `execute_content`."""
        content = execute_content(code, allow_stdin=on_input is not None, **options)
        conversation = self._begin("execute_request", content, "shell", whole=True, metadata=metadata)
        if on_input is not None:
            self._asking.expect(conversation, on_input)
        return Execution(conversation)

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
        """Interrupt the running cell, whoever runs it. `force`: at any price, the state before is back."""
        if force:
            await self.operation("interrupt", force=True)
        else:
            checked(await self.request("interrupt_request", channel="control"))

    async def past(self, cells: int) -> list[Past]:
        """The last cells before now, for who has just come: `foreign` goes on from there (Holdfast)."""
        told = await self._catch_up.past(cells)
        for message in [self.foreign.get_nowait() for _ in range(self.foreign.qsize())]:
            if is_after(message, told.position):
                self.foreign.put_nowait(message)
        return told.cells

    async def catch_up(self) -> None:
        """Ask for what was not heard: this process was stopped, or slow (Holdfast)."""
        self._tell(await self._catch_up.as_far_as_told())

    def forsaken(self) -> None:
        """The kernel has gone, as is known from elsewhere, before the connection stood."""
        if self._line is not None and not self._exchange.joined:
            self._lose(self._line)

    def feel_pulse(self) -> None:
        """From now on tell when the kernel falls silent, though the connection stands."""
        if self._line is not None:
            self._line.feel_pulse(self.hears.silence)

    def _tell(self, missed: Missed) -> None:
        if any(missed):
            self.hears.missed(missed)

    def _begin(
        self, msg_type: str, content: object, channel: Channel, *, whole: bool = False, metadata: Told = None
    ) -> Conversation:
        begun, frames = self._exchange.begin(msg_type, content, until_idle=whole, metadata=metadata or {})
        begun.unsent = not self._send(channel, frames, may_wait=whole)
        return begun

    def _send(self, channel: Channel, frames: list[bytes], *, may_wait: bool = False) -> bool:
        if self._line is None or self.lost.is_set():
            raise NoAnswer("there is no connection to the kernel")
        return self._line.send(channel, frames, may_wait=may_wait)

    def _read(self) -> None:
        line, over = self._line, time.monotonic() + TURN_SECONDS
        if line is None:
            return
        for channel, frames in line.read():
            self._handle(channel, frames)
            if time.monotonic() >= over:
                self._loop.call_soon(self._read)
                break
        else:
            if line.gone():
                self._lose(line)
        self._news.set()

    def _lose(self, line: Line) -> None:
        for channel, frames in line.read():  # what came in before the end
            self._handle(channel, frames)
        self._felt = line.stop_pulse() or self._felt
        if self._comeback is None:
            self._give_up()
        else:
            self._exchange.pause(NoAnswer(REPLACED))
            if self.elsewhere:
                line.drop()
            self._comeback.begin(ended=self._exchange.ended, since=line.silent_since)

    def _give_up(self) -> None:
        self.lost.set()
        self._catch_up.give_up(NoAnswer("the kernel has closed the connection"))

    async def _go(self, found: Successor) -> None:
        """Go where it is to be found now, and catch up."""
        moved = self._move(found)
        async with asyncio.timeout(RETURN_SECONDS):
            while not self._exchange.joined:
                await self._probe()
        self._tell(await self._catch_up.run())
        if moved:  # a question, or our answer, may have been on its way when the connection was cut
            self._asking.ask_again((await self.operation("info")).get("question"))
        if self._felt:
            self.feel_pulse()

    def _move(self, found: Successor) -> bool:
        """Be connected there; whether that is by another way."""
        line = self._line
        if line is None or (found.connection == self._connection and not found.may_be_cut):
            return False
        self._connection = found.connection
        self._exchange.renew(found.connection)
        self._exchange.pause(NoAnswer(REPLACED))
        line.close()
        self.open()
        return True

    def _handle(self, channel: Channel, frames: list[bytes]) -> None:
        if (routed := self._exchange.feed(channel, frames)) is not None:
            self._deliver(*routed)
        elif self._exchange.torn and (self._mending is None or self._mending.done()):
            self._mending = self._loop.create_task(self.catch_up())  # we did not read in time
        self._exchange.left_out.tell(self.hears.unfit)

    def _deliver(self, message: Incoming, conversation: Conversation | None) -> None:
        if message.channel == "iopub":
            if self.on_output is not None:
                self.on_output(message)
            elif conversation is None:
                self.foreign.put_nowait(message)
        if conversation is None:
            return
        if message.msg_type == QUESTION and not message.content.get("open"):
            self._asking.withdraw(conversation.msg_id)  # somebody else has answered it
        elif message.channel == "stdin":
            self._asking.ask(message, conversation)
        elif conversation.done or conversation.reply is not None:
            self._asking.over(conversation.msg_id)

    async def _probe(self) -> None:
        """Wait for output to reach us; if none comes, ask for some."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                self._news.clear()
                await self._news.wait()
        except TimeoutError:
            self._begin("kernel_info_request", {}, "shell")
