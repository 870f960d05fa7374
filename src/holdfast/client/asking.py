"""Questions of our own cells: each is put to whoever wants to answer it, in a task, until it is over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from holdfast.client.exchange import END_OF_INPUT, Channel, Conversation, Exchange, Incoming
from holdfast.errors import NoAnswer

OnInput = Callable[[str, bool], Awaitable[str]]
"""Asked with the prompt and whether it is a password. EOFError means end of input (Ctrl-D)."""


class Asking:
    """Of one client."""

    def __init__(self, exchange: Exchange, send: Callable[[Channel, list[bytes]], object]) -> None:
        self._exchange = exchange
        self._send = send
        self._askers: dict[str, OnInput] = {}
        self._questions: dict[str, asyncio.Task[None]] = {}

    def expect(self, conversation: Conversation, asker: OnInput) -> None:
        """The cell may ask."""
        self._askers[conversation.msg_id] = asker

    def ask(self, request: Incoming, conversation: Conversation) -> None:
        """Start the question; a new one takes the place of one that was interrupted."""
        asker = self._askers.get(conversation.msg_id)
        if asker is None:
            return
        earlier = self._questions.pop(conversation.msg_id, None)
        task = asyncio.ensure_future(self._answer(request, asker, earlier))
        self._questions[conversation.msg_id] = task

    def ask_again(self, open_: Mapping[str, Any] | None) -> None:
        """What the session waits for (Question of operations.py), if it is ours and not being asked."""
        conversation = self._exchange.running
        if open_ is None or conversation is None or open_.get("session") != self._exchange.session:
            return
        pending = self._questions.get(conversation.msg_id)
        if pending is None or pending.done():
            content = {"prompt": open_["prompt"], "password": open_["password"]}
            self.ask(self._exchange.asked(conversation, str(open_["id"]), content), conversation)

    def withdraw(self, msg_id: str) -> None:
        """What that cell has asked need not be answered: it was interrupted, or somebody else was quicker."""
        question = self._questions.pop(msg_id, None)
        if question is not None:
            question.cancel()

    def over(self, msg_id: str) -> None:
        """That cell asks nothing any more."""
        self._askers.pop(msg_id, None)
        self.withdraw(msg_id)

    def close(self) -> None:
        """None does."""
        for msg_id in list(self._questions):
            self.over(msg_id)

    async def _answer(self, request: Incoming, asker: OnInput, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:  # who asks has one prompt
            earlier.cancel()
            await asyncio.wait([earlier])
        try:
            value = await asker(str(request.content.get("prompt", "")), bool(request.content.get("password")))
        except EOFError:
            value = END_OF_INPUT
        with contextlib.suppress(NoAnswer):  # the kernel went while we were asking: its cell tells
            self._send("stdin", self._exchange.say("input_reply", {"value": value}, parent=request.header))
