"""One cell of ours: sent, shown, interrupted, and what its reply asks the console to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.client.aio import Client, OnInput
from holdfast.client.exchange import Incoming
from holdfast.console import ansi, bundle, editor, elapsed, pager, render
from holdfast.console.bundle import Bundles
from holdfast.console.ladder import Ladder, Step
from holdfast.console.screen import Screen
from holdfast.console.view import CellView
from holdfast.errors import HoldfastError
from holdfast.protocol import terminal

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
        on_count: Callable[[int], None],
        tell_elapsed: float,
    ) -> None:
        """`on_count` is told the cell's number when it begins; one of `tell_elapsed` seconds says so."""
        self.started = False
        """The kernel has begun with it: Ctrl-C means this one."""
        self._client = client
        self._screen = screen
        self._code = code
        self._on_count = on_count
        self._tell_elapsed = tell_elapsed
        self._watch = elapsed.Stopwatch()
        self._view = CellView(screen, bundles)
        self._ladder = Ladder()
        self._count = 0
        self._error_shown = False

    async def run(self, on_input: OnInput) -> Outcome:
        """Run it and show what comes. NoAnswer if the session goes away."""

        async def asked(question: str, password: bool) -> str:
            self._ladder.heard()
            with self._watch.paused():
                return await on_input(question, password)

        told = terminal.metadata(self._screen.terminal())
        execution = self._client.execute(self._code, on_input=asked, metadata=told)
        async for message in execution:
            self._take(message)
        reply = (await execution.reply).content
        self._view.finish()
        if self._count and self._watch.seconds >= self._tell_elapsed:
            took = elapsed.words(self._watch.seconds)
            self._screen.note(ansi.paint(f"[{self._count}] took {took}", ansi.NOTE))
        return await self._conclude(reply)

    async def interrupt(self, now: float) -> None:
        """Ctrl-C was pressed at `now` (seconds of the loop's clock)."""
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

    def _take(self, message: Incoming) -> None:
        if message.msg_type == "execute_input":
            self.started = True
            self._watch.start()
            self._count = message.content.get("execution_count") or 0
            self._on_count(self._count)
        elif message.msg_type == "status":
            self.started = self.started or message.content.get("execution_state") == "busy"
        self._error_shown = self._error_shown or message.msg_type == "error"
        self._view.show(message.msg_type, message.content)

    async def _conclude(self, reply: Mapping[str, Any]) -> Outcome:
        if reply.get("status") == "aborted":
            self._screen.note(
                ansi.paint("not run, since a cell before it failed; here it is again", ansi.WARNING)
            )
            return Outcome(next_input=self._code)
        if reply.get("status") == "error" and not (self._error_shown or reply.get("ename") in _SAID_AS_TEXT):
            self._screen.write(render.error(reply), "stderr")
        outcome = Outcome()
        for payload in _payloads(reply):
            outcome = await self._obey(payload, outcome)
        return outcome

    async def _obey(self, payload: Mapping[str, Any], outcome: Outcome) -> Outcome:
        """What the kernel wants of its frontend (messaging.html, "Payloads")."""
        source = payload.get("source")
        if source == "page":
            await pager.show(bundle.text(payload), self._screen)
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
