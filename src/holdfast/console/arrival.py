"""What stands above a console's first prompt: where the user is, what happened, what runs.

All of it is the supervisor's to answer, so it takes no longer while the worker is busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import msgspec

from holdfast.client.aio import Client
from holdfast.client.past import Past
from holdfast.console.opening import CELLS, Opening
from holdfast.console.questions import Questions
from holdfast.errors import HoldfastError
from holdfast.protocol.operations import Clients, Info

ANSWER_SECONDS = 1.0
"""A supervisor tells about itself within milliseconds; another kernel never does, and the prompt appears."""

T = TypeVar("T")


class Arrival:
    """Of one console."""

    def __init__(
        self,
        client: Client,
        name: str,
        opening: Opening,
        questions: Questions,
        on_info: Callable[[int, bool], None],
    ) -> None:
        """`on_info` is told the number of the last cell, and whether the session is a program."""
        self._client = client
        self._name = name
        self._opening = opening
        self._questions = questions
        self._on_info = on_info

    async def greet(self, *, created: bool, notice: str | None) -> None:
        """Say where we are; in a session that was there before, also what happened, and what runs."""
        drawn = self._opening.drawn
        if drawn is not None:
            self._on_info(drawn.here.execution_count, drawn.here.embedded)
            return
        info, company, past = await asyncio.gather(
            self._asked("info", Info), self._asked("clients", Clients), self._past(0 if created else CELLS)
        )
        others = [
            (each.name, each.session, each.kind)
            for each in (company.clients if company is not None else ())
            if each.session != self._client.session
        ]
        self._opening.greet(self._name, info, others, past, created=created, notice=notice)
        if info is not None:
            self._take(info)

    async def refresh(self) -> None:
        """The session may be another one than we knew."""
        info = await self._asked("info", Info)
        if info is not None:
            self._take(info, again=True)

    def _take(self, info: Info, *, again: bool = False) -> None:
        self._on_info(info.execution_count, info.embedded)
        self._questions.found(info.question, again=again)

    async def _past(self, cells: int) -> list[Past]:
        try:
            return await asyncio.wait_for(self._client.past(cells), ANSWER_SECONDS)
        except (TimeoutError, HoldfastError):
            return []

    async def _asked(self, what: str, shape: type[T]) -> T | None:
        """What the session tells about itself; None of a kernel that is not ours."""
        try:
            told = await asyncio.wait_for(self._client.operation(what), ANSWER_SECONDS)
            return msgspec.convert(told, shape)
        except (TimeoutError, HoldfastError):
            return None
