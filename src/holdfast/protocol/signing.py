"""Who may speak: signatures over a message's four JSON parts, and the memory of those already seen.

Knows bytes only. Whether a key may be empty is for the doors to decide.
Source: messaging.rst, "The wire protocol" (HMAC of header, parent header, metadata, content, in hex).
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict

from holdfast.errors import BadSignature, ReplayedMessage

_PREFIX = "hmac-"


def known_scheme(scheme: str) -> bool:
    """Whether `scheme` is "hmac-" and a hash of a fixed length that hashlib has everywhere."""
    name = scheme.removeprefix(_PREFIX)
    # The shake family has no length of its own, so HMAC can't use it.
    return scheme.startswith(_PREFIX) and name in hashlib.algorithms_guaranteed and "shake" not in name


class Signer:
    """Signs and checks with one key. An empty key signs nothing and accepts nothing but no signature."""

    __slots__ = ("_length", "_prepared")

    def __init__(self, key: bytes, scheme: str = "hmac-sha256") -> None:
        """BadSignature if the scheme is not known: nothing it signs could ever be checked."""
        if not known_scheme(scheme):
            raise BadSignature(f"no signature scheme {scheme!r} is known", "use hmac-sha256")
        # Prepared once, copied for each message: setting up the key costs more than a small message.
        self._prepared = hmac.new(key, digestmod=scheme.removeprefix(_PREFIX)) if key else None
        self._length = self._prepared.digest_size * 2 if self._prepared else 0

    def sign(self, *parts: bytes) -> bytes:
        """The signature of `parts` joined, in lower-case hex; empty if the key is."""
        if self._prepared is None:
            return b""
        mac = self._prepared.copy()
        for part in parts:
            mac.update(part)
        return mac.hexdigest().encode("ascii")

    def verify(self, signature: bytes, *parts: bytes) -> None:
        """BadSignature unless `signature` is exactly what `sign(*parts)` gives. Constant time."""
        # The length goes first: nothing of an attacker's size is compared, or remembered later.
        if len(signature) != self._length:
            raise BadSignature(f"a signature of {len(signature)} bytes, {self._length} are expected")
        if not hmac.compare_digest(signature, self.sign(*parts)):
            raise BadSignature("a wrong signature: another key, or a changed message")


class ReplayWindow:
    """The last `size` signatures, in the order of their coming. The oldest leaves first.

    Admit only what was verified: a forger could else drive out what is remembered.
    """

    __slots__ = ("_seen", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def admit(self, signature: bytes) -> None:
        """Remember `signature`; ReplayedMessage if it is remembered already."""
        if signature in self._seen:
            raise ReplayedMessage("a message that came before")
        self._seen[signature] = None
        if len(self._seen) > self._size:
            self._seen.popitem(last=False)
