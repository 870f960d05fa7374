"""JSON in and out, and whole messages from and to frames. The rules for JSON live here and nowhere else.

JSON that comes in: UTF-8, no NaN, no lone surrogates, numbers in range where a value is made of them,
nesting bounded. Duplicate keys are tolerated, the last one counts. JSON that goes out is never refused by
these rules: NaN goes as null, a lone surrogate as its escape in plain text.
"""

from __future__ import annotations

import functools
import itertools
import json
import numbers
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from holdfast import settings
from holdfast.errors import MalformedMessage, ReplayedMessage
from holdfast.protocol import framing
from holdfast.protocol.messages import DELIMITER, PROTOCOL_VERSION, Header, Message
from holdfast.protocol.signing import ReplayWindow, Signer

T = TypeVar("T")

_MAX_DEPTH = settings.Wire().max_depth
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")  # one level down, one up, as signed bytes

_PIECE = 1024 * 1024
"""Bytes looked at in one go when depth is measured: what is made of them stays small."""


class _AnyObject(msgspec.Struct):
    """Any JSON object: msgspec checks the syntax of fields it doesn't know and builds nothing of them."""


def encode(obj: object) -> bytes:
    """`obj` as JSON. Structs, builtins, datetimes, bytes (base64), numbers of other kinds, collections.

    MalformedMessage if it holds something else, or itself.
    """
    try:
        try:
            return _ENCODER.encode(obj)
        except UnicodeEncodeError:
            return _ENCODER.encode(_without_surrogates(msgspec.to_builtins(obj, enc_hook=_as_builtin)))
    except (TypeError, ValueError, RecursionError) as error:
        raise MalformedMessage(f"can't be said in JSON: {error}") from error


def decode(raw: bytes, type: type[T], what: str, max_depth: int = _MAX_DEPTH) -> T:  # noqa: A002
    """`raw` as a value of `type`; MalformedMessage begins with `what`, a name for the text in the message."""
    try:
        value: T = _decoder(type).decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessage(f"{what}: {error}") from error
    _check_text(raw, what, max_depth)
    return value


def value_of(raw: bytes) -> Any:
    """What is said by JSON that was accepted as it came: a number that no float can hold is infinite."""
    try:
        return msgspec.json.decode(raw)
    except msgspec.ValidationError:  # of all that is valid, only such numbers are not taken
        return json.loads(raw, parse_int=_whole)


def check_object(raw: bytes, what: str, max_depth: int = _MAX_DEPTH) -> None:
    """MalformedMessage unless `raw` is exactly one JSON object. Builds nothing, some 0.6 GB/s."""
    decode(raw, _AnyObject, what, max_depth)


def utc_now() -> datetime:
    """The time, for a header's `date`: encoded as ISO 8601, UTC, microseconds."""
    return datetime.now(UTC)


class Receiver:
    """Frames in, verified messages out. One for all channels that share a key."""

    __slots__ = ("_limits", "_own_session", "_signer", "_window")

    def __init__(self, signer: Signer, limits: settings.Wire, own_session: str = "") -> None:
        """`own_session`: the session we send as. What we sent ourselves is not taken back (same key)."""
        self._signer = signer
        self._limits = limits
        self._own_session = own_session
        self._window = ReplayWindow(limits.replay_window)

    def receive(self, frames: Sequence[bytes]) -> Message:
        """The message; MalformedMessage, BadSignature or ReplayedMessage if it is refused."""
        idents, signature, header_raw, parent, metadata, content, buffers = framing.split(
            frames, self._limits
        )
        self._signer.verify(signature, header_raw, parent, metadata, content)
        if signature:
            self._window.admit(signature)
        # The signature doesn't cover where parts end. That each is one whole object does.
        depth = self._limits.max_depth
        header = decode(header_raw, Header, "header", depth)
        check_object(parent, "parent header", depth)
        check_object(metadata, "metadata", depth)
        check_object(content, "content", depth)
        if self._own_session and header.session == self._own_session:
            raise ReplayedMessage("a message of our own came back")
        return Message(idents, header, header_raw, parent, metadata, content, buffers)


class _Header(msgspec.Struct):
    """A header on its way out."""

    msg_id: str
    msg_type: str
    session: str
    username: str
    date: datetime | str
    version: str


class Sender:
    """Messages out, signed. No two are alike: clients refuse a signature that they have seen."""

    __slots__ = ("_counter", "_now", "_prefix", "_session", "_signer", "_username")

    def __init__(
        self, signer: Signer, session: str, username: str, now: Callable[[], datetime | str] = utc_now
    ) -> None:
        """`session` goes into every header, `now` gives its date."""
        self._signer = signer
        self._session = session
        self._username = username
        self._now = now
        # A session outlives its processes, their counters begin again: the token tells them apart.
        self._prefix = f"{session}_{secrets.token_hex(4)}_"
        self._counter = itertools.count()

    def frames(
        self,
        msg_type: str,
        content: object,
        *,
        parent: bytes = b"{}",
        metadata: object = b"{}",
        buffers: Iterable[bytes] = (),
        idents: Iterable[bytes] = (),
        msg_id: str | None = None,
        date: str | None = None,
    ) -> list[bytes]:
        """The frames of a message. Bytes are taken as JSON that is ready, anything else is encoded.

        `parent` is the raw header of the request this answers. MalformedMessage if it can't be encoded.
        """
        header = encode(
            _Header(
                msg_id or f"{self._prefix}{next(self._counter)}",
                msg_type,
                self._session,
                self._username,
                date or self._now(),
                PROTOCOL_VERSION,
            )
        )
        metadata_raw = metadata if isinstance(metadata, bytes) else encode(metadata)
        content_raw = content if isinstance(content, bytes) else encode(content)
        signature = self._signer.sign(header, parent, metadata_raw, content_raw)
        return [*idents, DELIMITER, signature, header, parent, metadata_raw, content_raw, *buffers]

    def again(self, frames: list[bytes]) -> list[bytes]:
        """A message of ours that never arrived, signed with this key."""
        return [DELIMITER, self._signer.sign(*frames[2:6]), *frames[2:]]


def _check_text(raw: bytes, what: str, max_depth: int) -> None:
    """What msgspec leaves unsaid of valid JSON: the encoding of parts it skipped, and our bound on depth."""
    if not raw.isascii():
        try:
            raw.decode()
        except UnicodeDecodeError as error:
            raise MalformedMessage(f"{what}: {error}") from error
    # Most texts have fewer brackets than levels allowed; counting them is a memchr(3).
    if raw.count(b"[") + raw.count(b"{") > max_depth and _deeper_than(raw, max_depth):
        raise MalformedMessage(f"{what}: nested deeper than {max_depth} levels")


def _whole(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # more than Python makes a number of (sys.set_int_max_str_digits)
        return float(digits)


def _deeper_than(raw: bytes, levels: int) -> bool:
    """Whether valid JSON nests deeper. Linear, some 50 ns a bracket outside of strings."""
    text = raw.replace(rb"\\", b"").replace(rb"\"", b"")  # every quote that is left begins or ends a string
    depth = in_string = 0
    for start in range(0, len(text), _PIECE):
        between_quotes = text[start : start + _PIECE].split(b'"')
        outside = b"".join(between_quotes[in_string::2])
        steps = memoryview(outside.translate(_STEPS, _ALL_BUT_BRACKETS)).cast("b")
        if max(itertools.accumulate(steps, initial=depth)) > levels:
            return True
        depth += sum(steps)
        in_string = (in_string + len(between_quotes) - 1) % 2
    return False


def _as_builtin(obj: object) -> object:
    """What user code puts into results beside builtins: subclasses, numpy's numbers and arrays, ranges."""
    if isinstance(obj, str):
        return str.__str__(obj)
    if isinstance(obj, msgspec.Raw):  # only beside text that has to be mended: the encoder takes it as it is
        return msgspec.json.decode(obj)
    if isinstance(obj, numbers.Integral):
        return int(obj)
    if isinstance(obj, numbers.Real):
        return float(obj)
    if isinstance(obj, Mapping):
        return dict(obj)
    if isinstance(obj, Collection):  # not any iterable: what can be read once only would be lost on a retry
        return list(obj)
    raise TypeError(f"a value of type {obj.__class__.__qualname__}")


def _without_surrogates(obj: object) -> object:
    """`obj` (builtins) with lone surrogates written out: file names and broken text have them."""
    if isinstance(obj, str):
        return obj.encode("utf-8", "backslashreplace").decode()
    if isinstance(obj, dict):
        return {_without_surrogates(key): _without_surrogates(value) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        return [_without_surrogates(item) for item in obj]
    return obj


_decoder: Callable[[Any], msgspec.json.Decoder[Any]] = functools.cache(msgspec.json.Decoder)  # types are few
_ENCODER = msgspec.json.Encoder(enc_hook=_as_builtin)
