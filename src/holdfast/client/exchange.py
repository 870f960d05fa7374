"""Which message belongs to whom: requests out, replies and output back to the one who asked. Sans-I/O.

An `Exchange` makes the frames of requests and takes the frames that arrive; every arriving message either
belongs to a `Conversation` (one request of ours) or is *foreign*: other clients' cells, and our own late
output. It reads no socket and no clock: `aio` and `blocking` do, and share the rest.
"""

from __future__ import annotations

import itertools
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict

import msgspec

from holdfast.client.leftout import LeftOut
from holdfast.errors import HoldfastError, ProtocolError
from holdfast.protocol import notices
from holdfast.protocol.codec import Receiver, Sender
from holdfast.protocol.connection import ConnectionInfo
from holdfast.protocol.messages import Header
from holdfast.protocol.signing import Signer
from holdfast.settings import MEBIBYTE, Wire

Channel = Literal["control", "iopub", "shell", "stdin"]

FROM_KERNEL = Wire(max_bytes=2048 * MEBIBYTE, max_frames=4096)
"""One display may be as large as a message can get."""

FARTHEST = 2**53
"""Of epochs and numbers of messages: we tell them to the session, which takes no larger ones (`Position`)."""

RETURN_SECONDS = 10.0
"""For a supervisor that has taken over to answer: our sockets connect anew every 0.1 s, a busy machine takes
its time."""

REPLACED = "the supervisor was killed before it could answer"
"""Of requests that are no cells: they can simply be made again."""

PROBE_SECONDS = 0.25
"""So often something is asked until an answer is seen on iopub. There are kernels without iopub_welcome; and
after a cut it may have been taken in before the cut was known, or iopub was not cut at all."""

END_OF_INPUT = "\x04"
"""What Jupyter's frontends answer for Ctrl-D (ipykernel turns it into EOFError)."""

_SECRET_SEAT = 16
"""Bytes of an identity that nobody can guess."""

_NOBODY = Header(msg_id="", msg_type="")
_objects = msgspec.json.Decoder(dict[str, Any])
_headers = msgspec.json.Decoder(Header)


class ExecuteOptions(TypedDict, total=False):
    """What an `execute_request` may say beside its code (messaging.html, "Execute")."""

    silent: bool
    store_history: bool | None
    stop_on_error: bool
    user_expressions: Mapping[str, str] | None


class Incoming(msgspec.Struct, frozen=True):
    """One message from the kernel, decoded (messaging.html, "General Message Format")."""

    channel: Channel
    header: Header
    parent: Header
    """Whose request this answers; `msg_id` is empty if nobody's."""
    metadata: dict[str, Any]
    content: dict[str, Any]
    buffers: Sequence[bytes]
    mine: bool
    """The parent was a request of this client."""

    @property
    def msg_type(self) -> str:
        """Short for `header.msg_type`."""
        return self.header.msg_type


class Conversation:
    """One request of ours and what came for it. `inbox` holds what its owner has not taken yet."""

    def __init__(self, msg_id: str, msg_type: str, *, until_idle: bool) -> None:
        self.msg_id = msg_id
        self.reply_type = msg_type.replace("_request", "_reply")
        """As what the answer is read, whatever it says that it is."""
        self.inbox: deque[Incoming] = deque()
        self.reply: Incoming | None = None
        self.question: Incoming | None = None
        """The `input_request` that waits for an answer; the owner takes it."""
        self.failure: HoldfastError | None = None
        self.wake: Callable[[], None] = _nothing
        self.frames: list[bytes] = []
        """As it was sent, should it never have arrived."""
        self.unsent = False
        """There was no connection: it is sent when there is one, or taken back before."""
        self.is_cell = until_idle
        self._idle = not until_idle

    @property
    def done(self) -> bool:
        """Nothing more will come: reply and final idle are here, or it failed."""
        return self.failure is not None or (self.reply is not None and self._idle)

    def take(self, message: Incoming) -> None:
        """`message` is ours: keep it and wake the owner."""
        if message.channel in ("shell", "control"):
            self.reply = message
            self.question = None
        elif message.channel == "stdin":
            self.question = message
        else:
            self.inbox.append(message)
            if message.msg_type == "status" and message.content.get("execution_state") == "idle":
                self._idle = True
        self.wake()

    def fail(self, error: HoldfastError) -> None:
        """No more will come, because of `error`; what came before can still be taken."""
        if not self.done:
            self.failure = error
            self.wake()


Routed = tuple[Incoming, Conversation | None]
"""A message, and whose it is; None: it is foreign."""


class Exchange:
    """All conversations of one client with one kernel."""

    def __init__(self, connection: ConnectionInfo, username: str, kind: notices.Kind = "program") -> None:
        self.kind = kind
        self.session = secrets.token_hex(16)
        self._username = username
        self._secret_seat = secrets.token_bytes(_SECRET_SEAT)
        self.renew(connection)
        self._numbers = itertools.count(1)
        self._open: dict[str, Conversation] = {}
        self.position: tuple[int, int] = (0, 0)
        """Epoch and number of the last message that a Holdfast supervisor published to us."""
        self.joined = False
        """Something came on iopub: the subscription stands."""
        self.refused: list[ProtocolError] = []
        """Why messages were refused, the last few: wrong key, broken peer."""
        self.left_out = LeftOut()
        self._held: list[Incoming] | None = None  # what was published since `hold`
        self._begun: str | None = None  # the last cell that was seen to begin
        self.watchful = False
        """Hold what comes after messages that never came (`torn`); the owner catches up then."""
        self.torn = False

    def renew(self, connection: ConnectionInfo) -> None:
        """The kernel is to be found there now, maybe with another key."""
        self.ended = False
        """It has said that it ends."""
        self.seat = self._secret_seat if connection.curve_serverkey else self.session.encode()
        """The identity of our sockets, also of those that come after a cut: what was asked is answered there.
        Over TCP nobody can guess it: our session stands in all that is published."""
        signer = Signer(connection.key.encode(), connection.signature_scheme)
        self._sender = Sender(signer, self.session, self._username)
        self._receiver = Receiver(signer, FROM_KERNEL)

    def card(self, now: float) -> bytes:
        """What our sockets subscribe to, for others to know who we are. `now`: since the epoch."""
        return notices.presence(notices.Card(self.session, self.kind, now, self._username))

    def begin(
        self,
        msg_type: str,
        content: object,
        *,
        until_idle: bool,
        parent: bytes = b"{}",
        metadata: object = b"{}",
    ) -> tuple[Conversation, list[bytes]]:
        """A new request: its conversation, and the frames to send."""
        msg_id = f"{self.session}_{next(self._numbers)}"
        conversation = Conversation(msg_id, msg_type, until_idle=until_idle)
        self._open[msg_id] = conversation
        conversation.frames = self._sender.frames(
            msg_type, content, parent=parent, metadata=metadata, msg_id=msg_id
        )
        return conversation, conversation.frames

    def say(self, msg_type: str, content: object, *, parent: Header = _NOBODY) -> list[bytes]:
        """Frames of a message that has no reply: `input_reply`, comm messages."""
        raw = msgspec.json.encode(parent) if parent.msg_id else b"{}"
        return self._sender.frames(
            msg_type, content, parent=raw, msg_id=f"{self.session}_{next(self._numbers)}"
        )

    def forget(self, conversation: Conversation) -> None:
        """Whatever still comes for `conversation` is foreign from now on."""
        self._open.pop(conversation.msg_id, None)

    def fail(self, error: HoldfastError) -> None:
        """The kernel is gone: no open conversation will get anything any more."""
        for conversation in list(self._open.values()):
            conversation.fail(error)
        self._open.clear()

    def feed(self, channel: Channel, frames: Sequence[bytes]) -> Routed | None:
        """Take one arrived message; it and whose it is. None for what nobody needs to see.

        A conversation has it already in its inbox; with None for the conversation, it is foreign. Refused
        are messages that break the rules, and those that a supervisor published twice. Instead of a reply
        that breaks them there is one that says so: somebody waits for it.
        """
        try:
            message = self._decode(channel, frames)
        except ProtocolError as error:
            self.refused = [*self.refused[-7:], error]
            return None
        if message.msg_type == "iopub_welcome":
            return None
        if channel == "iopub":
            if self.watchful and self._held is None and self._is_torn(message.metadata.get("holdfast")):
                self.torn = True
                self.hold()
            if self._held is not None:
                self._held.append(message)
                return None
        return self._routed(message)

    # What was not heard: a supervisor was killed, or we did not listen

    def hold(self) -> None:
        """What is published waits until it is known what was missed."""
        self._held = self._held or []

    def came_at(self, position: tuple[int, int], begun: str) -> None:
        """What was published up to here is known; `begun` is the last cell that has begun by then, or ""."""
        self.position = max(self.position, position)
        self._begun = begun

    def pause(self, error: HoldfastError) -> None:
        """What is published waits until it is known what was missed. Requests that are no cells fail."""
        self.joined = False
        self.hold()
        for conversation in [each for each in self._open.values() if not each.is_cell]:
            conversation.fail(error)
            self.forget(conversation)

    def missed(self) -> dict[str, object]:
        """What to ask (`resume` of protocol/operations.py)."""
        epoch, seq = self.position
        waiting = [each.msg_id for each in self._open.values() if each.is_cell and not each.done]
        return {"epoch": epoch, "after": seq, "waiting": waiting, "begun": self._begun}

    def take_missed(self, resumed: Mapping[str, Any]) -> Iterator[Routed]:
        """The answer: messages as if they had come now."""
        for each in resumed["messages"]:
            yield from self._again(
                "iopub", each["header"], each["parent_header"], each["metadata"], each["content"]
            )
        for each in resumed["ended"]:
            conversation = self._open.get(each["msg_id"])
            if conversation is not None:
                parent = {"msg_id": each["msg_id"], "msg_type": "execute_request", "session": self.session}
                reply = {"msg_id": f"{each['msg_id']}_reply", "msg_type": "execute_reply"}
                if conversation.reply is None:
                    yield from self._again("shell", reply, parent, {}, each["reply"])
                idle = {"msg_id": f"{each['msg_id']}_idle", "msg_type": "status"}
                yield from self._again("iopub", idle, parent, {}, {"execution_state": "idle"})
        self.position = max(self.position, (resumed["epoch"], resumed["seq"]))

    def go_on(self) -> Iterator[Routed]:
        """Nothing is missing any more: what was published meanwhile."""
        held, self._held = self._held or [], None
        self.torn = False
        for message in held:
            routed = self._routed(message)
            if routed is not None:
                yield routed

    def unsent(self, unknown: Iterable[str]) -> list[list[bytes]]:
        """The frames of these requests, to be sent now."""
        found = [self._open[each] for each in unknown if each in self._open]
        for each in found:
            each.unsent = False
        return [self._sender.again(each.frames) for each in found if not each.done]

    @property
    def running(self) -> Conversation | None:
        """Our own cell, if it was the last one to begin and has not ended."""
        return self._open.get(self._begun or "")

    def asked(self, conversation: Conversation, msg_id: str, content: dict[str, Any]) -> Incoming:
        """The question of a cell of ours, as if it had come now."""
        header = Header(msg_id=msg_id, msg_type="input_request")
        parent = Header(msg_id=conversation.msg_id, msg_type="execute_request", session=self.session)
        return Incoming("stdin", header, parent, {}, content, [], True)

    def _again(
        self,
        channel: Channel,
        header: object,
        parent: object,
        metadata: object,
        content: object,
    ) -> Iterator[Routed]:
        try:
            parent_header = msgspec.convert(parent, Header) if parent else _NOBODY
            message = Incoming(
                channel=channel,
                header=msgspec.convert(header, Header),
                parent=parent_header,
                metadata=msgspec.convert(metadata, dict[str, Any]),
                content=msgspec.convert(content, dict[str, Any]),
                buffers=[],
                mine=parent_header.session == self.session,
            )
        except msgspec.ValidationError as error:
            self.left_out.add(str(error))
            return
        routed = self._routed(message)
        if routed is not None:
            yield routed

    def _routed(self, message: Incoming) -> Routed | None:
        if message.channel == "iopub" and not self._is_new(message.metadata.get("holdfast")):
            return None
        conversation = self._open.get(message.parent.msg_id)
        waited_for = conversation is not None and message.channel in ("shell", "control")
        as_what = conversation.reply_type if conversation is not None and waited_for else message.msg_type
        content = self.left_out.fitting(as_what, message.content, waited_for=waited_for)
        if content is None:
            return None
        if content is not message.content:
            message = msgspec.structs.replace(message, content=content)
        if message.msg_type == "execute_input":
            self._begun = message.parent.msg_id
        elif message.msg_type == "shutdown_reply":
            self.ended = not message.content.get("restart")
        if conversation is not None:
            conversation.take(message)
            if conversation.done:
                del self._open[conversation.msg_id]
        return message, conversation

    def _decode(self, channel: Channel, frames: Sequence[bytes]) -> Incoming:
        message = self._receiver.receive(frames)
        self.joined = self.joined or channel == "iopub"
        try:
            parent = _NOBODY if message.parent_raw == b"{}" else _headers.decode(message.parent_raw)
        except msgspec.MsgspecError:
            parent = _NOBODY
        try:
            return Incoming(
                channel=channel,
                header=message.header,
                parent=parent,
                metadata=_objects.decode(message.metadata_raw),
                content=_objects.decode(message.content_raw),
                buffers=message.buffers,
                mine=parent.session == self.session,
            )
        except msgspec.MsgspecError as error:
            raise ProtocolError(
                f"a {message.header.msg_type} of the kernel can't be read: {error}"
            ) from error

    def _is_torn(self, mark: object) -> bool:
        """Whether messages should have come between the last one and the one with this mark."""
        place = _place(mark)
        if place is None or self.position == (0, 0) or place[0] != self.position[0]:
            return False
        return place[1] > self.position[1] + 1

    def _is_new(self, mark: object) -> bool:
        place = _place(mark)
        if place is None:
            return True
        if place <= self.position:
            return False
        self.position = place
        return True


def is_after(message: Incoming, position: tuple[int, int]) -> bool:
    """Whether it was published after that; so is what no Holdfast supervisor has numbered."""
    place = _place(message.metadata.get("holdfast"))
    return place is None or place > position


def _place(mark: object) -> tuple[int, int] | None:
    """Epoch and number of a message that a Holdfast supervisor published."""
    if not isinstance(mark, Mapping):
        return None
    epoch, number = mark.get("epoch"), mark.get("seq")
    if not isinstance(epoch, int) or not isinstance(number, int):
        return None
    return (epoch, number) if 0 <= epoch <= FARTHEST and 0 <= number <= FARTHEST else None


def execute_content(
    code: str,
    *,
    silent: bool = False,
    store_history: bool | None = None,
    stop_on_error: bool = True,
    user_expressions: Mapping[str, str] | None = None,
    allow_stdin: bool = False,
) -> dict[str, Any]:
    """Content of an `execute_request` (messaging.html, "Execute")."""
    return {
        "code": code,
        "silent": silent,
        "store_history": not silent if store_history is None else store_history,
        "user_expressions": dict(user_expressions or {}),
        "allow_stdin": allow_stdin,
        "stop_on_error": stop_on_error,
    }


def checked(reply: Incoming) -> dict[str, Any]:
    """The content of `reply`; HoldfastError in the kernel's words if its status is not ok."""
    content = reply.content
    if content.get("status", "ok") == "ok":
        return content
    what = content.get("evalue") or content.get("ename") or f"{reply.msg_type}: {content.get('status')}"
    remedy = content.get("remedy")
    raise HoldfastError(str(what), remedy if isinstance(remedy, str) else None)


def _nothing() -> None:
    """Nobody waits."""
