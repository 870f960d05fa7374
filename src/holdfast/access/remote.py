"""What is done to a message that has come by the door over TCP: whose it is, and what that one may do.

Its header then has the name that goes with the key, whatever the client calls itself: so has the journal, and
what others see.
"""

from __future__ import annotations

import msgspec

from holdfast.access.guests import Guests
from holdfast.errors import ProtocolError
from holdfast.protocol import codec
from holdfast.protocol.messages import Header, Message
from holdfast.protocol.notices import Card
from holdfast.settings import Listen

CARDS = 1_024
"""Clients that may say who they are, at a door: more than any session has, less than would cost memory."""


class NotYours(ProtocolError):
    """Somebody sends under an identity that is another one's, or that everybody knows."""


class Remote:
    """Of the door over TCP."""

    def __init__(self, guests: Guests, listen: Listen) -> None:
        self.guests = guests
        self.listen = listen
        self._cards: dict[bytes, list[Card]] = {}  # as they were noted, by subscription

    def signed(self, message: Message, key: str) -> Message:
        """The message, with who has sent it. ProtocolError if it is not to be heard."""
        person = self.guests.who(key)
        if person is None:
            raise NotYours("a message of somebody who may not come in any more")
        seat, session = b"".join(message.idents[:1]), message.header.session.encode()
        if seat == session:  # which stands in all that is published: anybody could take the answers
            raise NotYours("a client whose socket has an identity that all others know")
        if not (self.guests.sits(b"seat " + seat, key) and self.guests.sits(b"session " + session, key)):
            raise NotYours("a message in the name of somebody else")
        fields = codec.decode(message.header_raw, dict[str, object], "header")
        raw = codec.encode(fields | {"username": person.name})
        header = codec.decode(raw, Header, "header")
        return msgspec.structs.replace(message, header=header, header_raw=raw, may=person.role)

    def named(self, subscription: bytes, card: Card, key: str) -> Card:
        """The card that a client has left by subscribing to something, with the name that is its owner's."""
        person = self.guests.who(key)
        if person is None or not self.guests.sits(b"session " + card.session.encode(), key):
            card = card._replace(username="?", session="")  # whoever ends it, it is this one that goes
        else:
            card = card._replace(username=person.name)
        if sum(map(len, self._cards.values())) < CARDS:
            noted = self._cards.setdefault(subscription, [])
            noted.insert(0 if card.session else len(noted), card)
        return card

    def taken_back(self, subscription: bytes, card: Card) -> Card:
        """The same, when its subscription has ended: nobody is asked then whose it was."""
        noted = self._cards.get(subscription, [])
        found = noted.pop() if noted else card
        if not noted:
            self._cards.pop(subscription, None)
        return found
