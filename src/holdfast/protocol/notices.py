"""What a session tells its clients beside Jupyter's messages: on iopub of its own door, and by subscriptions.

Only our own clients come in by that door, so no other frontend meets a message type it does not know. A
notice is news, not output: neither numbered nor journalled, and who missed one asks (`operations`).
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import msgspec

from holdfast.protocol.content import LATEST
from holdfast.protocol.operations import Question, Running
from holdfast.visible import as_name

QUEUED = "holdfast_queued"
QUESTION = "holdfast_question"

Kind = Literal["console", "program", "jupyter"]
_KINDS = get_args(Kind)
"""A person at our console, a program that uses our client, any other Jupyter client."""


class Queued(msgspec.Struct, frozen=True):
    """`holdfast_queued`, to the cell that waits: how many wait before it, and what runs."""

    ahead: int
    running: Running | None = None


class Asked(msgspec.Struct, frozen=True):
    """`holdfast_question`, to a cell that asks: it can be answered by anybody, or no more."""

    question: Question
    open: bool
    by: str = ""
    """Who has answered it."""


PRESENCE = b"holdfast.client/"
"""Nothing is ever published under this. Our clients subscribe to it, with who they are behind it, while they
are there: a subscription ends when its socket does, however its process ended (zmq_socket(3), XPUB)."""

_LONGEST = 300
"""Bytes of such a subscription: three numbers and a name."""


class Card(NamedTuple):
    """Who somebody is."""

    session: str
    """Its `header.session`."""
    kind: str
    since: float
    """When it came, seconds since the epoch."""
    username: str


def presence(card: Card) -> bytes:
    """What a client subscribes to."""
    kind, since = card.kind.encode(), b"%d" % card.since
    return (PRESENCE + b"/".join([kind, since, card.session.encode(), card.username.encode()]))[:_LONGEST]


def presented(subscription: bytes) -> Card | None:
    """Who that is; None if it says nothing of the kind. Anybody may subscribe to anything."""
    parts = subscription.removeprefix(PRESENCE).split(b"/", 3)
    if not subscription.startswith(PRESENCE) or len(subscription) > _LONGEST or len(parts) < 4:
        return None
    kind, since, session, username = (part.decode(errors="replace") for part in parts)
    if kind not in _KINDS:
        return None
    came = float(since) if since.isdecimal() else 0.0
    return Card(as_name(session), kind, came if came < LATEST else 0.0, as_name(username))
