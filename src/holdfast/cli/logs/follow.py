"""`holdfast log -f`: what a session runs, as it runs it, until it ends. Takes no part in it.

What was there before comes from the session's log, what happens from then on is heard as consoles hear it;
the log says up to which message it goes, so that nothing is shown twice and nothing is left out. When the
supervisor is killed, the next one tells what was missed.
"""

from __future__ import annotations

import getpass
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from holdfast.cli import text
from holdfast.cli.foreign import Foreign
from holdfast.cli.logs import Ask, kept
from holdfast.cli.logs.cells import Cell, log_of, newest
from holdfast.cli.logs.transcript import Transcript
from holdfast.cli.usage import has_colours, tell
from holdfast.client import start
from holdfast.client.blocking import Client
from holdfast.client.exchange import REPLACED, Incoming, is_after
from holdfast.errors import HoldfastError, NoAnswer, SessionNotRunning
from holdfast.protocol import connection


def follow(name: str, last: int | None, who: str | None, *, as_json: bool) -> int:
    """Show the newest `last` cells, then what comes; `who`: only of this client."""
    show = _Lines(who) if as_json else _Text(who)
    try:
        with start.ring(name) as bell:
            file = Path(bell.ask("info")["connection_file"])
    except SessionNotRunning:
        with log_of(name) as ask:
            show.before(newest(ask, last, who).cells)
        tell(f"{name} does not run: nothing more will come")
        return 0
    if sys.stderr.isatty():
        tell(f"following {name}; Ctrl-C ends that")
    with Client(connection.read(file), username=getpass.getuser(), name=name) as client:
        client.on_unfit = tell
        ask = _asking(client)
        try:
            cells, position = newest(ask, last, who)
            show.before(cells)
            _listen(client, show, ask, position)
        except NoAnswer:
            if not client.lost:
                raise
    kept.await_end(name)
    with suppress(HoldfastError), log_of(name) as ask:
        show.ended(ask)
    unclean = kept.summary(name)["state"] == kept.UNCLEAN
    tell(f"{name} was {kept.UNCLEAN}" if unclean else f"{name} has ended")
    return 0


def _asking(client: Client) -> Ask:
    """The session, whichever supervisor it has."""

    def ask(**arguments: object) -> dict[str, Any]:
        while True:
            try:
                return client.operation("log", **arguments)
            except NoAnswer as error:
                if error.what != REPLACED or client.lost:
                    raise

    return ask


def _listen(client: Client, show: _Lines | _Text, ask: Ask, position: tuple[int, int]) -> None:
    """Until the session is gone."""
    while True:
        while client.foreign:
            message = client.foreign.popleft()
            if not message.mine and is_after(message, position):
                show.heard(message, ask)
        sys.stdout.flush()
        if client.lost:
            return
        client.listen(None)


def _is_end(message: Incoming) -> bool:
    """Whether a cell has ended."""
    is_idle = message.msg_type == "status" and message.content.get("execution_state") == "idle"
    return is_idle and message.parent.msg_type == "execute_request"


class _Text:
    """For people."""

    def __init__(self, who: str | None) -> None:
        self._who = who
        self._colours = has_colours(sys.stdout)
        self._shown = Foreign(sys.stdout)
        self._transcript = Transcript(self._write, colours=self._colours)

    def before(self, cells: list[Cell]) -> None:
        """What was there; the last one may be running."""
        for cell in cells:
            if cell["status"] == "running":
                self._transcript.begun(cell)
            elif cell["status"] != "queued":  # it will be heard of
                self._transcript.cell(cell)

    def heard(self, message: Incoming, _: Ask) -> None:
        """What happens."""
        content, parent = message.content, message.parent
        if message.msg_type == "shutdown_reply" and content.get("restart"):
            self._transcript.note("restarted with an empty namespace")
        elif self._who is not None and parent.username != self._who:
            return
        elif message.msg_type == "execute_input":
            begun = parent.username, time.time(), None, content.get("execution_count")
            self._transcript.begin(*begun, str(content.get("code", "")))
        elif _is_end(message):
            self._transcript.end()
            self._shown.settle()
        else:
            self._transcript.output(message.msg_type, content)

    def ended(self, _: Ask) -> None:
        """All has been heard."""

    def _write(self, piece: str) -> None:
        self._shown.write(piece if self._colours else text.plain(piece))


class _Lines:
    """For programs: each cell when it has ended, as one object a line."""

    def __init__(self, who: str | None) -> None:
        self._who = who
        self._last = 0  # ids of those that were told, or are not wanted, go up to this one

    def before(self, cells: list[Cell]) -> None:
        """Those that have ended, up to the first that has not: they are told in order."""
        for cell in cells:
            if not cell["ended"]:
                self._last = cell["id"] - 1
                break
            print(json.dumps(cell))
            self._last = cell["id"]

    def heard(self, message: Incoming, ask: Ask) -> None:
        """A cell has ended: its log is whole."""
        if _is_end(message):
            self.ended(ask)

    def ended(self, ask: Ask) -> None:
        """What was not told yet: the session may have gone before it could be asked."""
        self.before(newest(ask, None, self._who, after=self._last).cells)
