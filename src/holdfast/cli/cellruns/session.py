"""The session in which a file of cells runs: found, started again or made; what it holds, going back in it.

Which cells come next is planned in `cellfiles/plan.py`; what they put out is not looked at here.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from holdfast.cellfiles.plan import Ran
from holdfast.cli import pick
from holdfast.cli.logs.cells import log_of, newest
from holdfast.client import start
from holdfast.client.blocking import Client
from holdfast.client.doorbell import DoorbellClient
from holdfast.errors import HoldfastError, SessionExists
from holdfast.protocol import connection

RESTART_SECONDS = 30.0
"""For a fresh namespace to be promised; the next cell waits for it."""

LOOK_SECONDS = 1.0
"""How often it is looked whether the session is idle, if nothing is heard of it."""

_BACK = "holdfast: "


class CellSession:
    """An open session, for the cells of one file. `label` is who runs them, as others see it."""

    def __init__(self, name: str, client: Client, label: str) -> None:
        self.name = name
        self.client = client
        self._label = label

    def held(self) -> list[Ran]:
        """The cells whose effects the namespace holds, oldest first."""
        return [
            Ran(
                cell["id"],
                cell["count"],
                cell["code"],
                cell["client"],
                cell["status"] == "error",
                cell["status"] == "interrupted",
                cell["client"] == self._label,
            )
            for cell in self.client.operation("held")["cells"]
        ]

    def missing(self) -> list[str]:
        """What did not come back when the session was started again, and is not there yet: in words."""
        lost = {each["name"]: each["reason"] for each in self.client.operation("info")["not_back"]}
        if not lost:
            return []
        asked = {"names": list(lost), "limit": len(lost), "text": False}
        there = {each["name"] for each in self.client.operation("variables", **asked)["variables"]}
        return [f"{name} ({reason})" for name, reason in lost.items() if name not in there]

    def settle(self, on_wait: Callable[[str], object]) -> None:
        """Wait until nothing runs and a worker is there. `on_wait` is told what for, if for a cell."""
        told = None
        while (info := self.client.operation("info"))["state"] != "idle":
            running = info.get("running")
            if running and running["count"] != told:
                told = running["count"]
                on_wait(self._waiting_for(running))
            self.client.listen(LOOK_SECONDS)  # the end is published, too

    def waits_for(self) -> str | None:
        """Whose cell comes before one of ours that has not begun; None if that is not known."""
        running = self.client.operation("info").get("running")
        if running is None or running["client"] == self._label:  # ours has begun while we asked
            return None
        return self._waiting_for(running)

    def withdraw(self, msg_id: str) -> bool:
        """Take a cell of ours out of the queue. False if that can't be done: it will run."""
        try:
            return bool(self.client.operation("withdraw", msg_id=msg_id)["done"])
        except HoldfastError:
            return False

    def restart(self) -> None:
        """Begin with an empty namespace; `%undo restart` has the one of before for a while."""
        self.client.request("shutdown_request", {"restart": True}, channel="control", timeout=RESTART_SECONDS)

    def go_back(self, before: int, *, disk: bool) -> tuple[str, str]:
        """To the state just before a cell (its number in the journal): what is undone, and how that went.

        HoldfastError if there is no such state. With `disk` also to one that must be read from there. What
        the namespace holds then is to be asked: should that state not wake up, it is an older one.
        """
        self.client.foreign.clear()
        undone: str = self.client.operation("undo", before=before, disk=disk)["text"]
        self.settle(lambda _: None)
        while not (said := "\n".join(self._said())):
            self.client.listen(None)  # it is said in any case
        return undone, said

    def outputs_since(self, first: int) -> dict[int, list[dict[str, Any]]]:
        """What the journal has of cells' outputs, by their number there, from one on."""
        ask = functools.partial(self.client.operation, "log")
        return {cell["id"]: cell["outputs"] for cell in newest(ask, None, after=first - 1).cells}

    def _said(self) -> Iterator[str]:
        """What the session has said of its own accord below our last cell."""
        while self.client.foreign:
            content = self.client.foreign.popleft().content
            if content.get("name") == "stderr" and str(content["text"]).startswith(_BACK):
                yield str(content["text"]).rstrip("\n").removeprefix(_BACK)

    def _waiting_for(self, running: dict[str, Any]) -> str:
        whose = f"In[{running['count']}], which {running['client'] or 'somebody'} runs"
        return f"waiting for {whose}   (holdfast interrupt {self.name} ends it)"


@contextmanager
def opened(
    name: str, folder: Path, label: str, *, fresh: bool, tell: Callable[[str], object]
) -> Iterator[CellSession]:
    """The session `name`, wherever it is; one that is started is so in `folder`."""
    with _bell(name, folder, fresh=fresh, tell=tell) as bell:
        file = Path(bell.ask("info")["connection_file"])
    with Client(connection.read(file), username=label, name=name) as client:
        client.on_unfit = tell
        yield CellSession(name, client, label)


def name_for(path: Path) -> str:
    """The session's name for a file: `analysis` for `analysis.py`. SessionExists if that is another one's."""
    name = next(pick.names_for(path.stem))
    if pick.is_running(name):
        with start.ring(name) as bell:
            folder = bell.ask("info")["cwd"]
    elif start.exists(name):
        from holdfast.cli.logs import kept  # noqa: PLC0415 - SQLite, only if the session has ended

        folder = kept.summary(name).get("cwd")
    else:
        return name
    if folder and os.path.realpath(folder) != str(path.parent):
        raise SessionExists(
            f"the session {name!r} was started in {folder}, not for this file",
            f"holdfast run -s NAME {path.name}   (with another name; with {name} it runs there)",
        )
    return name


def has_run(name: str, label: str) -> bool:
    """Whether this client has run a cell in session `name`."""
    if not start.exists(name):
        return False
    with log_of(name) as ask:
        return bool(newest(ask, 1, label).cells)


def _bell(name: str, folder: Path, *, fresh: bool, tell: Callable[[str], object]) -> DoorbellClient:
    if not start.exists(name):
        return start.ensure(name, create=True, cwd=str(folder))
    if pick.is_running(name):
        return start.ring(name)
    if fresh:
        return start.begin_again(name, fresh=True, cwd=str(folder))
    bell = start.ensure(name, cwd=str(folder))
    story = bell.ask("arrival", timeout=None)["story"]
    tell(f"{name}: {story}" if story else f"{name} is started again")
    return bell
