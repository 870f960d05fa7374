"""Where one part of a multipart message ends and the next begins. Nothing is verified or parsed here.

`[idents…, b"<IDS|MSG>", signature, header, parent_header, metadata, content, buffers…]`
(messaging.rst, "The wire protocol").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from holdfast import settings
from holdfast.errors import MalformedMessage
from holdfast.protocol.messages import DELIMITER

_SIGNED_PARTS = 4  # header, parent header, metadata, content


class Envelope(NamedTuple):
    """The parts of a message, as they came: unverified, unparsed."""

    idents: list[bytes]
    signature: bytes
    header: bytes
    parent_header: bytes
    metadata: bytes
    content: bytes
    buffers: list[bytes]


def split(frames: Sequence[bytes], limits: settings.Wire) -> Envelope:
    """The parts of a message; MalformedMessage if it is too big or its frames are not those of a message."""
    count = len(frames)
    if count > limits.max_frames:
        raise MalformedMessage(f"a message of {count} frames, at most {limits.max_frames} are taken")
    size = sum(map(len, frames))
    if size > limits.max_bytes:
        raise MalformedMessage(f"a message of {size} bytes, at most {limits.max_bytes} are taken")
    try:
        border = frames.index(DELIMITER)
    except ValueError:
        raise MalformedMessage(f"a message without the delimiter {DELIMITER.decode()}") from None
    first_buffer = border + 2 + _SIGNED_PARTS
    if count < first_buffer:
        raise MalformedMessage(
            f"{count - border - 1} frames after the delimiter, a message has at least {1 + _SIGNED_PARTS}"
        )
    signature, header, parent, metadata, content = frames[border + 1 : first_buffer]
    return Envelope(
        list(frames[:border]), signature, header, parent, metadata, content, list(frames[first_buffer:])
    )
