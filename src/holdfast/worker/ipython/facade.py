"""Things that look like ipykernel's sockets and session, for code that sends messages by itself.

Nothing here is a socket: what is sent comes out of the worker like any other output. The supervisor numbers
and signs it, and makes the header that clients see.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from IPython import get_ipython

from holdfast.protocol.codec import encode as to_json
from holdfast.protocol.messages import DELIMITER, PROTOCOL_VERSION
from holdfast.worker.ipython.display import Publisher
from holdfast.worker.parents import NOBODY

_AFTER_SIGNATURE = 2
"""Places from the delimiter of a message's frames to its header (messaging spec, "The Wire Protocol")."""


class PubSocket:
    """In the place of ipykernel's iopub socket."""

    closed = False

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher

    def send(self, frame: bytes, *args: Any, **kwargs: Any) -> None:
        """Send a message of one frame; there is none of Jupyter's."""
        self.send_multipart([frame], *args, **kwargs)

    def send_multipart(self, frames: Sequence[Any], *_args: Any, **_kwargs: Any) -> None:
        """Publish a whole message, as a Session of jupyter_client serialises it."""
        parts = [bytes(each) for each in frames]
        if DELIMITER not in parts or len(parts) < parts.index(DELIMITER) + 6:
            raise ValueError("these frames are no Jupyter message")
        begin = parts.index(DELIMITER) + _AFTER_SIGNATURE
        header, parent, metadata, content = map(msgspec.json.decode, parts[begin : begin + 4])
        number = self.publisher.parents.number_of(parent) if parent else NOBODY
        self.publisher.publish(header["msg_type"], content, metadata, parts[begin + 4 :], parent=number)

    def close(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: user code that closes it would silence the session."""

    def flush(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: all has gone out."""


class PubThread:
    """In the place of ipykernel's output thread: what is scheduled on it happens at once."""

    def __init__(self, socket: PubSocket) -> None:
        self.socket = self.background_socket = socket

    def schedule(self, do: Callable[[], object]) -> None:
        """Do it."""
        do()

    def send_multipart(self, frames: Sequence[Any], *_args: Any, **_kwargs: Any) -> None:
        """Publish a whole message."""
        self.socket.send_multipart(frames)

    def flush(self, *_args: Any, **_kwargs: Any) -> None:
        """Do nothing: all has gone out."""


class KernelSession:
    """In the place of jupyter_client's Session: makes messages, and publishes them."""

    username = "kernel"
    metadata: Mapping[str, Any] = {}

    def __init__(self, publisher: Publisher, connection: Callable[[], Mapping[str, Any]]) -> None:
        self._publisher = publisher
        self._connection = connection
        self._id = ""

    @property
    def session(self) -> str:
        """The `session` of all headers of this kernel, for as long as its namespace lives."""
        if not self._id:
            known: str = self._connection().get("session", "")
            self._id = known or str(uuid.uuid4())
        return self._id

    @property
    def bsession(self) -> bytes:
        """The same in ASCII."""
        return self.session.encode("ascii")

    @property
    def key(self) -> bytes:
        """What messages are signed with."""
        key: str = self._connection()["info"]["key"]
        return key.encode()

    @property
    def signature_scheme(self) -> str:
        """How they are signed."""
        scheme: str = self._connection()["info"]["signature_scheme"]
        return scheme

    @property
    def pid(self) -> int:
        """This process."""
        return os.getpid()

    def msg_header(self, msg_type: str) -> dict[str, Any]:
        """A header of a new message."""
        return {
            "msg_id": str(uuid.uuid4()),
            "msg_type": msg_type,
            "username": self.username,
            "session": self.session,
            "date": datetime.now(UTC),
            "version": PROTOCOL_VERSION,
        }

    def msg(
        self,
        msg_type: str,
        content: Mapping[str, Any] | None = None,
        parent: Mapping[str, Any] | None = None,
        header: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """A new message, not yet sent."""
        header = self.msg_header(msg_type) if header is None else header
        return {
            "header": header,
            "msg_id": header["msg_id"],
            "msg_type": header["msg_type"],
            "parent_header": {} if parent is None else parent.get("header", parent),
            "content": {} if content is None else content,
            "metadata": dict(metadata or {}),
        }

    def send(
        self,
        stream: object,
        msg_or_type: str | Mapping[str, Any],
        content: Mapping[str, Any] | None = None,
        parent: Mapping[str, Any] | None = None,
        ident: object = None,  # noqa: ARG002 - jupyter_client's signature; topics are the supervisor's
        buffers: Sequence[Any] | None = None,
        track: bool = False,  # noqa: ARG002
        header: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Publish a message, or one that is made of the arguments; returns it."""
        if not isinstance(stream, PubSocket | PubThread):
            raise TypeError("this session publishes only: the stream must be the kernel's iopub_socket")
        if isinstance(msg_or_type, str):
            message = self.msg(msg_or_type, content, parent, header, metadata)
        else:
            message, buffers = dict(msg_or_type), buffers or msg_or_type.get("buffers")
        number = self._publisher.parents.number_of(message.get("parent_header") or {})
        self._publisher.publish(
            message["header"]["msg_type"],
            message["content"],
            message.get("metadata"),
            list(buffers or ()),
            parent=number,
        )
        return message

    def serialize(self, msg: Mapping[str, Any], ident: object = None) -> list[bytes]:  # noqa: ARG002
        """The frames of a message, for this kernel's own sockets: unsigned, whoever sends it signs it."""
        parts = (msg["header"], msg["parent_header"], msg["metadata"], msg["content"])
        return [DELIMITER, b"", *map(to_json, parts), *map(bytes, msg.get("buffers") or ())]


loop_map: dict[str | None, Callable[..., Any] | None] = {None: None}
"""What `register_integration` was given, by name. Which toolkits are served is in `gui`."""


def register_integration(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As ipykernel's decorator of a function that runs a toolkit's loop; `%gui` offers what `gui` knows."""

    def keep(function: Callable[..., Any]) -> Callable[..., Any]:
        loop_map.update(dict.fromkeys(names, function))
        function.exit_hook = None  # type: ignore[attr-defined]

        def on_exit(hook: Callable[..., Any]) -> Callable[..., Any]:
            function.exit_hook = hook  # type: ignore[attr-defined]
            return hook

        function.exit = on_exit  # type: ignore[attr-defined]
        return function

    return keep


def enable_gui(gui: str | None, kernel: Any = None) -> None:  # noqa: ARG001 - ipykernel's; there is one
    """As `%gui`."""
    get_ipython().enable_gui(gui)


class KernelLoop:
    """The worker's asyncio loop with the methods of tornado's IOLoop that kernels' users call."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.asyncio_loop = loop
        self._tasks: set[asyncio.Task[Any]] = set()  # the loop itself holds them weakly

    def add_callback(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Call it in the main thread, when the loop is free; coroutine functions are awaited."""
        self.asyncio_loop.call_soon_threadsafe(self._run, callback, args, kwargs)

    add_callback_from_signal = spawn_callback = add_callback

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> asyncio.TimerHandle:
        """Call it in so many seconds. From the main thread only."""
        return self.asyncio_loop.call_later(delay, self._run, callback, args, kwargs)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, **kwargs: Any
    ) -> asyncio.TimerHandle:
        """Call it when `time` says `when`. From the main thread only."""
        return self.asyncio_loop.call_at(when, self._run, callback, args, kwargs)

    def remove_timeout(self, timeout: asyncio.TimerHandle) -> None:
        """Undo a `call_later` or `call_at`."""
        timeout.cancel()

    def time(self) -> float:
        """The loop's clock."""
        return self.asyncio_loop.time()

    def _run(self, callback: Callable[..., object], args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        result = callback(*args, **kwargs)
        if asyncio.iscoroutine(result):
            task = self.asyncio_loop.create_task(result)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
