"""The console: a prompt on a running session, until the user leaves. Wires the parts; draws nothing itself.

run            what the command line calls
Console        read a cell, run it, read the next; other clients' cells come in between
"""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple

from holdfast.client.aio import Client
from holdfast.client.exchange import Incoming
from holdfast.client.succession import Find
from holdfast.console import ansi, pager, render
from holdfast.console.cell import OwnCell
from holdfast.console.connection import Connection
from holdfast.console.greeting import running_title
from holdfast.console.help import HELP
from holdfast.console.joining import join
from holdfast.console.ladder import AGAIN_SECONDS
from holdfast.console.opening import Opening, look_of
from holdfast.errors import HoldfastError, NoAnswer
from holdfast.protocol import connection
from holdfast.protocol.operations import Running
from holdfast.settings import Console as Settings
from holdfast.visible import visible

COMPLETE_SECONDS = 6.0
"""The first completion of a session loads jedi: a second or two, on a busy machine more. Typing goes on
meanwhile."""

HISTORY_SECONDS = 1.0
"""So long the first prompt waits for the history, that the first up-arrow finds it; after that it comes.
It takes milliseconds, but on a busy machine a few tenths of a second."""

EARLY_SECONDS = 0.2
"""From Enter to the cell's start it takes some milliseconds; Ctrl-C in that time means the cell."""

LEAVE = re.compile(r"(?:exit|quit)(?:\(\s*\d{0,3}\s*\))?")
"""Typed at the prompt they leave at once, even while the session is busy with another client's cell."""


class Left(NamedTuple):
    """A console that was left."""

    status: int
    """0, or 1 if the session went away."""
    session: str
    """What it was known by among the clients."""


def run(
    name: str,
    where: Path | connection.ConnectionInfo,
    settings: Settings,
    *,
    created: bool,
    notice: str | None = None,
    find: Find | None = None,
    opening: Opening | None = None,
) -> Left:
    """A console on session `name`, until it is left.

    `created`: the session is new, so greet. `notice`: something to be said first. `find`: how a session on
    another host is found again, of which `name` is the address. `opening`: what may have been drawn already.
    NoAnswer if nothing answers there, ConnectionFileError if the file is no connection file.
    """
    info = connection.read(where) if isinstance(where, Path) else where
    with opening or Opening(look_of(settings), elsewhere=find is not None) as begun:
        return asyncio.run(_attached(name, info, settings, find, begun, created=created, notice=notice))


async def _attached(
    name: str,
    info: connection.ConnectionInfo,
    settings: Settings,
    find: Find | None,
    opening: Opening,
    *,
    created: bool,
    notice: str | None,
) -> Left:
    client = Client(info, username=opening.username, name=name, kind="console", find=find)
    if opening.drawn is not None:
        client.open(opening.drawn.recent)  # the user sees a prompt: it need not wait for the handshake
        await _import_prompt()
    else:
        await asyncio.gather(client.connect(), _import_prompt())
    try:
        status = await Console(client, name, settings, opening).run(created=created, notice=notice)
        return Left(status, client.session)
    finally:
        client.close()


async def _import_prompt() -> None:
    """Half of our start-up time is prompt_toolkit's import; the handshake goes on meanwhile."""
    import holdfast.console.prompt  # noqa: F401, PLC0415


class Console:
    """One prompt on one session."""

    def __init__(self, client: Client, name: str, settings: Settings, opening: Opening) -> None:
        from holdfast.console.arrival import Arrival  # noqa: PLC0415 - imported by now, see above
        from holdfast.console.completion import KernelCompleter  # noqa: PLC0415
        from holdfast.console.history import SessionHistory  # noqa: PLC0415
        from holdfast.console.prompt import Prompt  # noqa: PLC0415
        from holdfast.console.questions import Questions  # noqa: PLC0415

        self._client = client
        self._name = name
        self._settings = settings
        self._opening = opening
        self._username = opening.username
        self._next_count = 1
        self._next_input = ""
        """What the next prompt begins with: `%load`, or a cell that was not run."""
        self._next_run = ""
        """Run instead of a prompt: what the user has edited."""
        self._cell: OwnCell | None = None
        self._running: asyncio.Task[Any] | None = None
        self._leaving = False
        self._embedded = False
        """The session is a program, which hears `exit` itself and goes on."""
        self._interrupted_others = float("-inf")
        """When Ctrl-C last meant another client's cell, on the loop's clock."""
        self._interrupted_early = float("-inf")
        """When Ctrl-C last came while neither a prompt stood nor a cell ran."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._screen, self._bundles, self._others = opening.screen, opening.bundles, opening.others
        self._others.on_count = self._on_count
        self._history = SessionHistory()
        self._prompt = Prompt(
            self._screen,
            count=lambda: self._next_count,
            completer=KernelCompleter(self._complete),
            history=self._history,
            on_idle_interrupt=self._interrupt_others,
            on_leave=self._leave,
            on_read=opening.keyboard.release,
            settings=settings,
        )
        self._questions = Questions(
            client, self._prompt, self._username, opening.trust, self._note, lambda: self._leaving
        )
        self._arrival = Arrival(client, name, opening, self._questions, self._on_info)

    async def run(self, *, created: bool, notice: str | None) -> int:
        """Greet, then read and run cells until the user leaves; the exit status."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        for leaving in (signal.SIGQUIT, signal.SIGTERM):  # killed in raw mode it would leave the terminal so
            loop.add_signal_handler(leaving, self._leave)
        loop.add_signal_handler(signal.SIGCONT, self._awake)
        history = self._begin(self._load_history())
        await self._arrival.greet(created=created, notice=notice)
        await asyncio.wait([history], timeout=HISTORY_SECONDS)
        while not self._client.foreign.empty():
            self._show(self._client.foreign.get_nowait())
        self._client.on_output = self._show
        if self._opening.drawn is not None:
            self._begin(join(self._client, self._opening))
        self._begin(self._watch_connection())
        self._client.hears = Connection(self._name, self._note, self._came_back)
        self._client.feel_pulse()
        try:
            await self._read_and_run()
        finally:
            for task in self._tasks:
                task.cancel()
        return 1 if self._client.lost.is_set() and not self._others.ended else 0

    async def _read_and_run(self) -> None:
        while not self._leaving and not self._client.lost.is_set():
            if self._questions.urgent:
                await self._questions.answer()
            try:
                code = await self._next_code()
            except EOFError:
                return
            if LEAVE.fullmatch(code.strip()) and not self._embedded:
                return
            if code.strip() == "?":
                await pager.show(HELP, self._screen)
            elif code.strip():
                await self._run_cell(code)
            elif self._questions.waits:
                await self._questions.answer()

    async def _next_code(self) -> str:
        """What is typed; or what was edited, shown as if it had been. EOFError if the user leaves."""
        code, self._next_run = self._next_run, ""
        if code.strip():
            self._screen.write(f"\n{render.cell(code, self._next_count, '', self._screen.theme)}")
            self._history.append_string(code.rstrip("\n"))
            return code
        text, self._next_input = self._next_input, ""
        return await self._prompt.read(text)

    async def _run_cell(self, code: str) -> None:
        self._cell = OwnCell(
            self._client,
            self._screen,
            self._bundles,
            code,
            self._next_count,
            self._running_title,
            self._on_count,
            self._settings.elapsed_seconds,
            others=self._opening.trust.others(mine=True),
        )
        self._running = asyncio.ensure_future(self._cell.run(self._answer))
        if asyncio.get_running_loop().time() - self._interrupted_early < EARLY_SECONDS:
            self._interrupt_cell(self._cell)
        try:
            outcome = await self._running
            self._next_input, self._next_run = outcome.next_input, outcome.run
            self._leaving = self._leaving or outcome.leave
        except NoAnswer as error:
            if not self._client.lost.is_set():
                self._complain(error)
                self._next_input = code
        except asyncio.CancelledError:
            if not self._leaving:
                raise
        finally:
            self._cell = self._running = None

    async def _answer(self, question: str, password: bool) -> str:
        """What the user answers to `input()`."""
        try:
            return await self._prompt.ask(question, password=password)
        except EOFError:
            if not self._leaving:
                raise
        except KeyboardInterrupt:
            if self._cell is not None:
                self._interrupt_cell(self._cell)
        return await asyncio.Future()  # never: the question is withdrawn, or it stays when we leave

    # Ctrl-C and Ctrl-\

    def _interrupt(self) -> None:
        """Ctrl-C while no prompt stands (else it is a key), or SIGINT from elsewhere."""
        if self._screen.is_lent:
            return  # it is the pager's, or the editor's
        if self._cell is None:
            if not self._prompt.interrupt():
                self._interrupted_early = asyncio.get_running_loop().time()
            return
        self._screen.write("\n")  # the terminal has written ^C
        self._interrupt_cell(self._cell)

    def _interrupt_cell(self, cell: OwnCell) -> None:
        self._begin(cell.interrupt(asyncio.get_running_loop().time()))

    def _interrupt_others(self) -> None:
        """Ctrl-C, but what runs was not started here: once says whose it is, twice interrupts it."""
        if self._others.running is None:
            return
        now = asyncio.get_running_loop().time()
        if now - self._interrupted_others <= AGAIN_SECONDS:
            self._begin(self._client.interrupt())
            self._interrupted_others = float("-inf")
        else:
            self._note(f"{self._others.running.title} is running; Ctrl-C again interrupts it")
            self._interrupted_others = now

    def _leave(self) -> None:
        self._leaving = True
        if self._running is not None:
            self._running.cancel()
        self._prompt.end()

    # In the background

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def reported() -> None:
            try:
                await work
            except HoldfastError as error:
                self._complain(error)

        task = asyncio.ensure_future(reported())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _show(self, message: Incoming) -> None:
        cell = self._cell
        if cell is not None and cell.owns(message):
            cell.take(message)
        elif self._questions.take(message, at_prompt=cell is None):
            if self._questions.urgent and cell is not None:  # ours waits behind the one that asks
                self._begin(self._questions.answer())
        else:
            self._others.take(message)

    async def _watch_connection(self) -> None:
        await self._client.lost.wait()
        if not self._others.ended:
            self._note(f"the session {self._name} does not answer any more", ansi.WARNING)
        self._prompt.end()

    def _came_back(self) -> None:
        self._begin(self._arrival.refresh())

    def _awake(self) -> None:
        """We were stopped (Ctrl-Z), and what is not read for long may be dropped."""
        self._begin(self._client.catch_up())

    async def _load_history(self) -> None:
        try:
            reply = await self._client.request(
                "history_request",
                {
                    "hist_access_type": "tail",
                    "n": self._settings.history_entries,
                    "raw": True,
                    "output": False,
                },
            )
            self._history.supply(entry[2] for entry in reply.content.get("history", ()))
        except NoAnswer:
            self._history.supply(())

    async def _complete(self, code: str, cursor: int) -> tuple[dict[str, Any], dict[str, Any]]:
        request = {"code": code, "cursor_pos": cursor}
        reply = await self._client.request("complete_request", request, timeout=COMPLETE_SECONDS)
        return reply.content, reply.metadata

    # What is said

    def _on_info(self, count: int, embedded: bool) -> None:
        self._embedded = embedded
        self._on_count(count)

    def _running_title(self, running: Running) -> str:
        return running_title(running, self._username)

    def _on_count(self, count: int) -> None:
        self._next_count = count + 1
        self._prompt.redraw()

    def _note(self, text: str, colour: str = ansi.NOTE) -> None:
        self._screen.note(ansi.paint(visible(text), colour))

    def _complain(self, error: HoldfastError) -> None:
        self._screen.note(render.complaint(error))
