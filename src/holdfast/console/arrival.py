"""What stands above a console's first prompt: where the user is, what happened, what runs.

All of it is the supervisor's to answer, so it takes no longer while the worker is busy.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import msgspec

from holdfast.client.aio import Client
from holdfast.client.catchup import Past
from holdfast.console import ansi
from holdfast.console.greeting import head
from holdfast.console.names import called
from holdfast.console.others import Others
from holdfast.console.questions import Questions
from holdfast.console.recall import recalled
from holdfast.console.screen import Screen
from holdfast.errors import HoldfastError
from holdfast.protocol.operations import Clients, Info

ANSWER_SECONDS = 1.0
"""A supervisor tells about itself within milliseconds; another kernel never does, and the prompt appears."""

CELLS = 10
"""That are asked for: mostly they are more than `recall` has room for."""

T = TypeVar("T")


class Arrival:
    """Of one console."""

    def __init__(
        self,
        client: Client,
        name: str,
        username: str,
        screen: Screen,
        others: Others,
        questions: Questions,
        on_info: Callable[[Info], None],
    ) -> None:
        self._client = client
        self._name = name
        self._username = username
        self._screen = screen
        self._others = others
        self._questions = questions
        self._on_info = on_info

    async def greet(self, *, created: bool, notice: str | None) -> None:
        """Say where we are; in a session that was there before, also what happened, and what runs."""
        info, company, past = await asyncio.gather(
            self._asked("info", Info), self._asked("clients", Clients), self._past(0 if created else CELLS)
        )
        others = [
            f"{called(each.name, each.session, self._username)} ({each.kind})"
            for each in (company.clients if company is not None else ())
            if each.session != self._client.session
        ]
        now = time.time()
        self._screen.note(head(self._name, info, created=created, own=self._username, others=others, now=now))
        if notice:
            self._screen.note(ansi.paint(notice, ansi.WARNING))
        self._show(past)
        if info is not None:
            self._take(info)

    async def refresh(self) -> None:
        """The session may be another one than we knew."""
        info = await self._asked("info", Info)
        if info is not None:
            self._take(info)

    def _take(self, info: Info) -> None:
        self._on_info(info)
        self._questions.found(info.question)

    def _show(self, past: list[Past]) -> None:
        running = past.pop() if past and not past[-1].ended else None
        lines = recalled(past, self._username, self._screen.width)
        if lines:
            self._screen.note(ansi.paint("--- last cells ---", ansi.NOTE))
            self._screen.write("\n".join(lines) + "\n")
        if running is not None:
            self._others.resume(running)

    async def _past(self, cells: int) -> list[Past]:
        try:
            return await asyncio.wait_for(self._client.past(cells), ANSWER_SECONDS)
        except (TimeoutError, HoldfastError, KeyError, msgspec.ValidationError):
            return []

    async def _asked(self, what: str, shape: type[T]) -> T | None:
        """What the session tells about itself; None of a kernel that is not ours."""
        try:
            told = await asyncio.wait_for(self._client.operation(what), ANSWER_SECONDS)
            return msgspec.convert(told, shape)
        except (TimeoutError, HoldfastError, msgspec.ValidationError):
            return None
