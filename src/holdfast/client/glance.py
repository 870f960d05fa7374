"""What a session says of itself at once, by its doorbell: all that stands above a console's first prompt.

Stdlib only, as in `past`. The same as a client asks on its control channel, once it has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.client.past import Recent, recent
from holdfast.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.client.doorbell import DoorbellClient

ANSWER_SECONDS = 0.25
"""A supervisor answers within milliseconds. One that does not is met as a client, who can wait for it."""


class Runs(NamedTuple):
    """The cell that runs (`Running` of protocol/operations.py)."""

    count: int | None  # type: ignore[assignment]  # no need for tuple's method
    client: str
    since: float
    session: str


class Here(NamedTuple):
    """The session (`Info` of protocol/operations.py, as far as the first prompt needs it)."""

    python: str
    started: float
    cells: int
    execution_count: int
    embedded: bool
    running: Runs | None
    asks: bool
    """A question of a cell waits for an answer."""
    connection_file: str


class Glance(NamedTuple):
    """Everything."""

    here: Here
    clients: list[tuple[str, str, str]]
    """Who is attached: user, `header.session`, kind."""
    recent: Recent


def look(bell: DoorbellClient, cells: int) -> Glance | None:
    """What the session says, with its last `cells` cells; None if it does not, or not at once."""
    try:
        # The last cells first: what begins after them is told to who comes, and the count may be ahead.
        told = bell.ask_all(
            ("recent", {"cells": cells}), ("clients", {}), ("info", {}), timeout=ANSWER_SECONDS
        )
        return _read(*told)
    except (HoldfastError, KeyError, TypeError, AttributeError):
        return None


def _read(last: Mapping[str, Any], company: Mapping[str, Any], info: Mapping[str, Any]) -> Glance:
    runs = info["running"]
    return Glance(
        Here(
            python=info["python"],
            started=info["started"],
            cells=info["cells"],
            execution_count=info["execution_count"],
            embedded=info["embedded"],
            running=Runs(runs["count"], runs["client"], runs["since"], runs["session"]) if runs else None,
            asks=info["question"] is not None,
            connection_file=info["connection_file"],
        ),
        [(each["name"], each["session"], each["kind"]) for each in company["clients"]],
        recent(last),
    )
