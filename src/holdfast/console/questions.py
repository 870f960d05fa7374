"""Questions of other clients' cells: told when nobody else can answer, and answered here if the user likes.

The supervisor offers a question when the client that was asked is gone (protocol/notices.py); the first
answer counts. Enter on an empty line answers, which never happens by accident to somebody who is typing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from holdfast.client.aio import Client
from holdfast.client.exchange import END_OF_INPUT, Incoming
from holdfast.console import ansi
from holdfast.console.names import called
from holdfast.console.prompt import Prompt
from holdfast.console.sieve import Trust, sifted
from holdfast.errors import HoldfastError
from holdfast.protocol.notices import QUESTION, Asked
from holdfast.protocol.operations import Question
from holdfast.visible import in_line

_HOW = "Enter on an empty line answers it here"


class Questions:
    """At most one: only one cell runs."""

    def __init__(
        self,
        client: Client,
        prompt: Prompt,
        username: str,
        trust: Trust,
        note: Callable[[str], None],
        left: Callable[[], bool],
    ) -> None:
        """`note` shows a line of our own; `left`: whether the user has left, which answers nothing."""
        self._client = client
        self._prompt = prompt
        self._username = username
        self._others = trust.others(mine=False)
        self._note = note
        self._left = left
        self._open: Question | None = None
        self._asking: asyncio.Task[str | None] | None = None
        self.urgent = False
        """It is to be put to the user as soon as may be."""

    @property
    def waits(self) -> bool:
        """Whether there is one that can be answered here."""
        return self._open is not None

    def found(self, question: Question | None, *, again: bool = False) -> None:
        """What the session says now; `again`: we were here before, and were told of what is everybody's."""
        if question is None or question.session == self._client.session:  # which asks here in its own way
            self._close()
        elif again and not question.left:
            return
        elif self._open is None or self._open.id != question.id:
            self._open, self.urgent = question, question.left
            if not question.left:
                self._note(f"{self._title(question)}; {_HOW}")

    def take(self, message: Incoming, *, at_prompt: bool) -> bool:
        """A message that may be about one. `at_prompt`: the user may be typing."""
        if message.msg_type != QUESTION:
            return False
        told = msgspec.convert(message.content, Asked)
        if told.open:
            self._open, self.urgent = told.question, not at_prompt
            if at_prompt:
                self._note(f"{self._title(told.question)}, and is gone; {_HOW}")
        elif self._open is not None and self._open.id == told.question.id:
            if told.by:
                self._note(f"{in_line(told.by)} has answered it")
            self._close()
        return True

    async def answer(self) -> None:
        """Put it to the user, if it is still open, and send the answer. Ctrl-C: not now."""
        question, self.urgent = self._open, False
        if question is None:
            return
        self._note(f"{self._title(question)} (Ctrl-C: not now)")
        asking = self._asking = asyncio.ensure_future(self._put(question))
        try:
            value = await asking
        except asyncio.CancelledError:
            if self._open is question:  # it is not the question that is over, but we
                asking.cancel()
                raise
            return
        finally:
            self._asking = None
        if value is None:
            return
        self._open = None
        try:
            await self._client.operation("answer", question=question.id, value=value, by=self._username)
        except HoldfastError as error:
            self._note(error.what)

    async def _put(self, question: Question) -> str | None:
        """The user's answer; None if there is none now."""
        try:
            asked = sifted(question.prompt, others=self._others)
            return await self._prompt.ask(asked, password=question.password)
        except EOFError:
            return None if self._left() else END_OF_INPUT
        except KeyboardInterrupt:  # not across the border of a task: it would end the loop
            self._note(f"not answered; {_HOW}")
            return None

    def _close(self) -> None:
        self._open, self.urgent = None, False
        if self._asking is not None:
            self._asking.cancel()

    def _title(self, question: Question) -> str:
        who = called(question.client, question.session, self._username)
        prompt = in_line(ansi.ESCAPE.sub("", sifted(question.prompt, others=True)).strip())
        asks = f'asks "{prompt}"' if prompt else "asks for input"
        return f"In [{question.count or ' '}] of {who} {asks}"
