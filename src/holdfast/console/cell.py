"""One cell of ours: sent, shown, interrupted, and what its reply asks the console to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from holdfast.client.aio import Client, Execution
from holdfast.client.asking import OnInput
from holdfast.client.exchange import Incoming
from holdfast.console import ansi, bundle, editor, elapsed, pager, render
from holdfast.console.bundle import Bundles
from holdfast.console.ladder import Ladder, Step
from holdfast.console.screen import Screen
from holdfast.console.sieve import sifted
from holdfast.console.view import CellView
from holdfast.errors import HoldfastError
from holdfast.protocol import terminal
from holdfast.protocol.notices import QUEUED, Queued
from holdfast.protocol.operations import Running

_SAID_AS_TEXT = frozenset({"UsageError"})
"""Errors that IPython prints instead of publishing them."""


class Outcome(NamedTuple):
    """What the console does after the cell."""

    next_input: str = ""
    """The next prompt begins with this."""
    run: str = ""
    """The next cell, at once: what was edited."""
    leave: bool = False


class OwnCell:
    """A cell from Enter to its end."""

    def __init__(
        self,
        client: Client,
        screen: Screen,
        bundles: Bundles,
        code: str,
        number: int,
        title: Callable[[Running], str],
        on_count: Callable[[int], None],
        tell_elapsed: float,
        *,
        others: bool,
    ) -> None:
        """`number`: at its prompt. `on_count` is told the true one. `title`: what to call others' cells.

        One that runs for `tell_elapsed` seconds says so. `others`: it runs on another host.
        """
        self.started = False
        """The kernel has begun with it: Ctrl-C means this one."""
        self._client = client
        self._screen = screen
        self._code = code
        self._number = number
        self._title = title
        self._execution: Execution | None = None
        self._waited = False
        self._withdrawn = False
        """The user does not want it any more, and it has not begun."""
        self._on_count = on_count
        self._tell_elapsed = tell_elapsed
        self._watch = elapsed.Stopwatch()
        self._others = others
        self._view = CellView(screen, bundles, others=others)
        self._ladder = Ladder()
        self._count = 0
        self._error_shown = False

    async def run(self, on_input: OnInput) -> Outcome:
        """Run it and show what comes. NoAnswer if the session goes away."""

        async def asked(question: str, password: bool) -> str:
            self._ladder.heard()
            with self._watch.paused():
                return await on_input(sifted(question, others=self._others), password)

        told = terminal.metadata(self._screen.terminal())
        execution = self._execution = self._client.execute(self._code, on_input=asked, metadata=told)
        async for _ in execution:
            pass  # shown by then, see `take`
        reply = (await execution.reply).content
        self._view.finish()
        if self._count and self._watch.seconds >= self._tell_elapsed:
            took = elapsed.words(self._watch.seconds)
            self._screen.note(ansi.paint(f"[{self._count}] took {took}", ansi.NOTE))
        return await self._conclude(reply)

    async def interrupt(self, now: float) -> None:
        """Ctrl-C was pressed at `now` (seconds of the loop's clock)."""
        if not self.started and await self._withdraw():
            return
        step = self._ladder.press(now)
        if step is Step.FORCE:
            await self._client.interrupt(force=True)
            return
        if step is Step.WARN:
            self._screen.note(
                ansi.paint(
                    "still running: native code does not see Ctrl-C. Ctrl-C again: stop the interpreter and "
                    f"restore the state before [{self._count}]; Ctrl-\\: leave it running",
                    ansi.WARNING,
                )
            )
        await self._client.interrupt()

    async def _withdraw(self) -> bool:
        """Take it out of the queue; false if it runs already."""
        if self._execution is None or self._execution.take_back():
            return self._execution is not None
        self._withdrawn = True  # the reply may come before the answer to this
        self._withdrawn = (await self._client.operation("withdraw", msg_id=self._execution.msg_id))["done"]
        return self._withdrawn

    def owns(self, message: Incoming) -> bool:
        """Whether it belongs to this cell."""
        return self._execution is not None and message.parent.msg_id == self._execution.msg_id

    def take(self, message: Incoming) -> None:
        """Show one message of it. They come in one stream with everybody else's, for the order to be true."""
        if message.msg_type == "execute_input":
            self._begin(message.content.get("execution_count") or 0)
        elif message.msg_type == QUEUED:
            self._tell_its_place(message.content)
        elif message.msg_type == "status":
            self.started = self.started or message.content.get("execution_state") == "busy"
        self._error_shown = self._error_shown or message.msg_type == "error"
        self._view.show(message.msg_type, message.content)

    def _begin(self, count: int) -> None:
        self.started = True
        self._watch.start()
        self._count = count
        self._on_count(count)
        if count != self._number or self._waited:  # others' cells stand between it and its output
            self._screen.fresh_line()
            self._screen.write("\n" + render.cell(self._code, count, "", self._screen.theme))

    def _tell_its_place(self, content: Mapping[str, Any]) -> None:
        place = msgspec.convert(content, Queued)
        behind = [self._title(place.running)] if place.running is not None else []
        if place.ahead:
            behind.append(f"{place.ahead} more cell{'s' * (place.ahead > 1)}")
        if behind:
            self._waited = True
            what = f"waiting for {' and '.join(behind)}; Ctrl-C takes it out of the queue"
            self._screen.note(ansi.paint(what, ansi.NOTE))

    async def _conclude(self, reply: Mapping[str, Any]) -> Outcome:
        if reply.get("status") == "aborted" and self._withdrawn:
            self._screen.note(ansi.paint("taken out of the queue; it has not run", ansi.NOTE))
            return Outcome()
        if reply.get("status") == "aborted":
            self._screen.note(
                ansi.paint("not run, since a cell before it failed; here it is again", ansi.WARNING)
            )
            return Outcome(next_input=self._code)
        if reply.get("status") == "error" and not (self._error_shown or reply.get("ename") in _SAID_AS_TEXT):
            error = render.error(reply, self._screen.width)
            self._screen.write(sifted(error, others=self._others), "stderr")
        outcome = Outcome()
        for payload in _payloads(reply):
            outcome = await self._obey(payload, outcome)
        return outcome

    async def _obey(self, payload: Mapping[str, Any], outcome: Outcome) -> Outcome:
        """What the kernel wants of its frontend (messaging.html, "Payloads")."""
        source = payload.get("source")
        if source == "page":
            page = sifted(bundle.text(payload), others=self._others)
            await pager.show(ansi.drawn(page), self._screen)
        elif source == "set_next_input":
            return outcome._replace(next_input=str(payload.get("text", "")))
        elif source == "ask_exit":
            return outcome._replace(leave=True)
        elif source == "edit_magic":
            return outcome._replace(run=await self._edit(payload))
        return outcome

    async def _edit(self, payload: Mapping[str, Any]) -> str:
        """Open the file in the user's editor; what is to be run then, if anything."""
        path, line = Path(str(payload.get("filename", ""))), payload.get("line_number")
        if self._client.elsewhere:  # a file of that name here is another one, and not for others to read
            words = "the file is on the other host, your editor is here. F2 opens it on what you type"
            self._screen.note(ansi.paint(words, ansi.WARNING))
            return ""
        try:
            done = await editor.on_file(path, line if isinstance(line, int) else 0, self._screen)
        except HoldfastError as error:
            self._screen.note(render.complaint(error))
            return ""
        asked = payload.get("holdfast")
        if not done or not isinstance(asked, Mapping):
            return ""
        return str(asked.get("code") or editor.read(path)) if asked.get("run") else ""


def _payloads(reply: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    payloads = reply.get("payload")
    return [each for each in payloads if isinstance(each, Mapping)] if isinstance(payloads, list) else []
