"""The shape of a Jupyter message, received and verified. No parsing, no signing: see framing, signing, codec.

Source: messaging.rst of jupyter_client, "General Message Format" and "The wire protocol".
"""

from __future__ import annotations

import msgspec

from holdfast.visible import as_name

PROTOCOL_VERSION = "5.5"
"""What we speak. Clients adapt on the major number alone; kernelspec and headers say the same here."""

DELIMITER = b"<IDS|MSG>"
"""The frame between a message's routing identities and its signature."""


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message's header. Old clients leave fields out, new ones add some: both are tolerated.

    `date` stays text (ISO 8601): nobody here computes with a peer's clock. `username` is what others are
    shown of a peer: it is a name from here on, whatever came.
    """

    msg_id: str
    msg_type: str
    session: str = ""
    username: str = ""
    date: str = ""
    version: str = ""
    subshell_id: str | None = None

    def __post_init__(self) -> None:
        if (name := as_name(self.username)) is not self.username:
            msgspec.structs.force_setattr(self, "username", name)


class Message(msgspec.Struct, frozen=True):
    """A verified message: the header is decoded, the other parts are known to be one JSON object each.

    The raw parts stay as they came: a header goes back as the parent of every answer, byte for byte, and
    content is decoded only by who needs it. `buffers` are not covered by the signature (by the protocol).
    """

    idents: list[bytes]
    header: Header
    header_raw: bytes
    parent_raw: bytes
    metadata_raw: bytes
    content_raw: bytes
    buffers: list[bytes]
    may: str = "own"
    """What its sender may do (`Role` of keys/authorized.py): who comes by TCP may do less than all."""

    @property
    def size(self) -> int:
        """Bytes of all its parts."""
        parts = (self.header_raw, self.parent_raw, self.metadata_raw, self.content_raw, *self.buffers)
        return sum(map(len, parts))
