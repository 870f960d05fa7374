"""Where a session is to be found after its supervisor has gone: another one may have taken over. Blocking."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from holdfast.client import start
from holdfast.errors import HoldfastError
from holdfast.protocol import connection
from holdfast.protocol.connection import ConnectionInfo


class Successor(NamedTuple):
    """The supervisor that is there now."""

    connection: ConnectionInfo
    story: str | None
    """How the session was begun again; None if what ran goes on."""
    epoch: int = 0
    """That supervisor's own number."""
    gone: str = "the supervisor"
    """What was not there meanwhile, in words."""
    may_be_cut: bool = False
    """It is on another host: the way to it may be cut again, and is another one each time."""


class Search(NamedTuple):
    """What whoever seeks it should know."""

    say: Callable[[str], None]
    """Why it takes its time."""
    ended: bool = False
    """The session has said that it ends: whoever has begun it again is found, but is not waited for."""


Find = Callable[[Search], Successor | None]
"""Finds who serves the session now; None: nobody does."""


def served_next(name: str, before: Callable[[], ConnectionInfo]) -> Find:
    """For session `name` of this host; `before`: how it is reached until then."""
    return lambda _: successor(name, before())


def successor(name: str, before: ConnectionInfo | None = None) -> Successor | None:
    """Who serves session `name` now; one is started if there is something to take over. None: nobody does.

    `before`: how it was reached. A session that is begun again has another key.
    """
    bell = start.revive(name)
    adopted = bell is not None
    try:
        bell = bell or start.ring(name)  # somebody else has begun the session again, maybe elsewhere
    except HoldfastError:
        return None
    with bell:
        info = bell.ask("info")
    found = connection.read(Path(info["connection_file"]))
    if not adopted and found == before:
        return Successor(found, None, info["epoch"], gone="the connection")
    story = None if adopted else info.get("story") or "nothing of before is in it"
    return Successor(found, story, info["epoch"])
