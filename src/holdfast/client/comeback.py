"""A client's connection is gone: who serves the session is found, gone to, asked for what was missed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from holdfast.client.background import done_in_background
from holdfast.client.ears import Ears
from holdfast.client.succession import Find, Search, Successor
from holdfast.errors import HoldfastError


class Comeback:
    """Of one client."""

    def __init__(
        self,
        find: Find,
        go: Callable[[Successor], Coroutine[Any, Any, None]],
        lost: Callable[[], None],
        hears: Callable[[], Ears],
    ) -> None:
        """`go` there, and catch up: HoldfastError or TimeoutError if that fails. `lost`: nobody serves it."""
        self._find = find
        self._go = go
        self._lost = lost
        self._hears = hears
        self._ended = False
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._since = 0.0

    def begin(self, *, ended: bool = False, since: float | None = None) -> None:
        """The connection is gone; maybe again, before all was well. `ended`: the session has said so.

        `since`: on the loop's clock, if it was silent for a while.
        """
        if self._task is None or self._task.done():
            self._since = self._loop.time() if since is None else since
        self.end()
        self._ended = ended
        self._task = self._loop.create_task(self._run())

    def end(self) -> None:
        """It is of no interest any more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        try:
            await self._come_back()
        except Exception as error:  # noqa: BLE001 - whatever it is, who waits must not do so for ever
            self._hears().sought(f"it can't be come back to: {type(error).__name__}: {error}")
            self._lost()

    async def _come_back(self) -> None:
        found = await self._found()
        while found is not None:
            try:
                await self._go(found)
            except (HoldfastError, TimeoutError):
                found = await self._found() if found.may_be_cut else None
            else:
                self._hears().returned(self._loop.time() - self._since, found)
                return
        self._lost()

    async def _found(self) -> Successor | None:
        try:
            return await done_in_background(self._find, Search(self._say, self._ended))
        except HoldfastError:
            return None

    def _say(self, what: str) -> None:
        """From the thread in which it is sought."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: whoever waited has left
            self._loop.call_soon_threadsafe(lambda: self._hears().sought(what))
