"""Who is there: what clients say of themselves, and when they are gone.

Our own clients leave their card (protocol/notices.py) and are known exactly. Of others it is known how many
listen at a door, and who was heard there: no socket tells who has left. So a name counts until somebody has
left that door since it was heard, and of more names than listeners none does.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from holdfast.access.doors import Door
from holdfast.protocol.messages import Header
from holdfast.protocol.notices import Card
from holdfast.protocol.operations import Attached
from holdfast.supervisor.cells.queue import Job
from holdfast.visible import as_name

CLIENTS_KNOWN = 256
"""Clients whose names are remembered; who has been silent longest is forgotten first."""

UNKNOWN = "?"
"""The name of who has not said anything yet."""


class _Heard(msgspec.Struct):
    """Somebody who has sent something."""

    username: str
    since: float
    door: Door
    gone: int
    """How many had left that door by then."""


class Presence:
    """Of all clients, at all doors."""

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = doors
        self._heard: OrderedDict[str, _Heard] = OrderedDict()  # by header.session, latest last
        self._carded: OrderedDict[str, None] = OrderedDict()  # sessions that have ever left a card
        self._patience = 0.0  # time.monotonic() until which clients may be on their way back
        self.on_change: Callable[[], None] = lambda: None
        """Called when somebody has come to listen, or has left."""

    def heard(self, door: Door, header: Header) -> None:
        """A client has sent a message."""
        session = as_name(header.session)
        known = self._heard.get(session)
        since = known.since if known is not None else time.time()
        self._heard[session] = _Heard(header.username, since, door, door.gone)
        self._heard.move_to_end(session)
        if len(self._heard) > CLIENTS_KNOWN:
            self._heard.popitem(last=False)

    def is_anothers(self, session: str, door: Door) -> bool:
        """Whether a client that was heard at another door is called so: all can read how it is called."""
        known = self._heard.get(as_name(session))
        return known is not None and known.door is not door

    def changed(self) -> None:
        """A door has taken in who came to listen, or left."""
        for card in self._cards():
            self._carded[card.session] = None
            self._carded.move_to_end(card.session)
        while len(self._carded) > CLIENTS_KNOWN:
            self._carded.popitem(last=False)
        self.on_change()

    def expect_back(self, seconds: float) -> None:
        """Connections were closed, and who may comes again: so long nobody is gone for certain."""
        self._patience = time.monotonic() + seconds

    def has_left(self, job: Job) -> bool:
        """Whether the client that sent `job` is gone for certain."""
        if time.monotonic() < self._patience:
            return False
        session, door = as_name(job.message.header.session), job.door
        if session in self._carded:
            return all(card.session != session for card in self._cards())
        return door.subscribers <= len(door.cards)

    def names(self) -> list[str]:
        """Of who is there, sorted; UNKNOWN comes last."""
        return sorted((each.name for each in self.attached()), key=lambda name: (name == UNKNOWN, name))

    def attached(self, running: Job | None = None, waiting: Sequence[Job] = ()) -> list[Attached]:
        """Who is there, by the time they came, and what they do: the job that runs, and those that wait."""
        # Who has come back by a new connection may still have the old one, which was cut.
        cards = list({card.session or number: card for number, card in enumerate(self._cards())}.values())
        found = [Attached(card.username, card.kind, card.session, card.since) for card in cards]
        for door in self._doors:
            found += self._strangers(door)
        found.sort(key=lambda each: each.since or float("inf"))
        return [_with_cells(each, running, waiting) for each in found]

    def _strangers(self, door: Door) -> list[Attached]:
        """Those who listen at a door and have left no card."""
        count = max(0, door.subscribers - len(door.cards))
        there = [
            Attached(heard.username, "jupyter", session, heard.since)
            for session, heard in self._heard.items()
            if heard.door is door and heard.gone == door.gone and session not in self._carded
        ]
        if len(there) <= count:
            return there + [Attached(UNKNOWN, "jupyter")] * (count - len(there))
        names = {each.name for each in there}  # a frontend may have several sessions of one user's
        return [Attached(names.pop() if len(names) == 1 else UNKNOWN, "jupyter")] * count

    def _cards(self) -> list[Card]:
        return [card for door in self._doors for card in door.cards]


def _with_cells(each: Attached, running: Job | None, waiting: Sequence[Job]) -> Attached:
    count = running.count if running is not None and _is_of(running, each) else None
    return msgspec.structs.replace(
        each, running=count, waiting=sum(_is_of(job, each) for job in waiting if job.request is not None)
    )


def _is_of(job: Job, client: Attached) -> bool:
    return bool(client.session) and as_name(job.message.header.session) == client.session
