"""What this client has not heard: asked for and delivered as if it came now, in its order, nothing twice.

A supervisor was killed and another one answers; messages were dropped since we did not read them; or we have
just come, and want to see what happened before. No socket: `aio` has those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

from holdfast.client.exchange import Channel, Conversation, Exchange, Incoming, Routed
from holdfast.client.past import Recent, recent
from holdfast.errors import HoldfastError, NoAnswer

Ask = Callable[..., Awaitable[dict[str, Any]]]
"""`Client.operation`."""

ANSWER_SECONDS = 10.0
"""For the answer to what was missed, for which what comes now waits: a supervisor reads it in its journal
within milliseconds."""


class Missed(NamedTuple):
    """What can't be told any more."""

    cells: int = 0
    """Cells that ran, too many to be told."""
    size: int = 0
    """Bytes of output of the others."""
    unknown: bool = False
    """Nobody has told what it was."""


class CatchUp:
    """Of one client."""

    def __init__(
        self,
        exchange: Exchange,
        ask: Ask,
        send: Callable[[Channel, list[bytes]], object],
        deliver: Callable[[Incoming, Conversation | None], None],
    ) -> None:
        self._exchange = exchange
        self._ask = ask
        self._send = send
        self._deliver = deliver
        self._under_way = asyncio.Lock()
        self._given_up = False

    async def run(self) -> Missed:
        """Everything up to now; what is published meanwhile waits. HoldfastError if it can't be had."""
        async with self._under_way:
            return await self._run()

    async def as_far_as_told(self) -> Missed:
        """The same; what nobody tells, though the connection stands, is missing."""
        try:
            return await self.run()
        except HoldfastError:
            return Missed(unknown=self._exchange.joined and not self._given_up)

    async def _run(self) -> Missed:
        exchange = self._exchange
        exchange.hold()
        cells = size = 0
        try:
            more = True
            while more:
                before, told = exchange.position, await self._told()
                more = told["more"] and (told["epoch"], told["seq"]) > before  # else it would never end
                cells, size = cells + told.get("untold", 0), size + told["gap"]
                self._deliver_all(exchange.take_missed(told))
            for frames in exchange.unsent(told["unknown"]):
                self._send("shell", frames)
        finally:
            if exchange.joined:  # else this is asked again where the session goes on: what is held waits
                self._deliver_all(exchange.go_on())
        return Missed(cells, size)

    async def _told(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._ask("resume", **self._exchange.missed())
        except TimeoutError:
            raise NoAnswer("nobody tells what was missed") from None

    def give_up(self, error: HoldfastError) -> None:
        """Nobody tells any more what came before that which waits: deliver it, and fail what is asked."""
        self._given_up = True
        self._deliver_all(self._exchange.go_on())
        self._exchange.fail(error)

    async def past(self, cells: int) -> Recent:
        """The last cells before now, and up to where: what was published until then will not come again."""
        answer, fitting = await self._ask("recent", cells=cells), self._exchange.left_out.fitting
        try:
            told = recent(answer)
        except (KeyError, TypeError, AttributeError) as error:
            raise NoAnswer("the session's answer can't be understood: recent") from error
        self.came_at(told)
        for cell in told.cells:
            cell.messages[:] = [each for each in cell.messages if fitting(*each) is not None]
        return told

    def came_at(self, told: Recent) -> None:
        """This much is known: `run` tells what came after it."""
        self._exchange.came_at(told.position, told.begun)

    def _deliver_all(self, routed: Iterable[Routed]) -> None:
        for each in routed:
            self._deliver(*each)
