"""The supervisor's unix socket: launchers hold their door open on it, commands ask their question and go.

Only the same user gets in: the folder is 0700 and the peer's uid is checked (SO_PEERCRED, unix(7)).
What the requests mean is `supervisor.session`'s; here are sockets and lines.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdfast import listening
from holdfast.errors import HoldfastError, MalformedMessage
from holdfast.paths import socket_path
from holdfast.protocol.doorbell import Lines, encode_line, refusal

MAX_OUTBOX = 64 * 1024 * 1024
"""Bytes that may wait for a ringer that does not read; a long log fits, then it is cut off."""

PAUSE_SECONDS = 0.1
"""From one who could not be let in to the next: else we would do nothing but try."""

_READ = 65536


class Watcher:
    """What a doorbell needs of the loop."""

    def __init__(
        self,
        on_readable: Callable[[int, Callable[[], None]], None],
        on_writable: Callable[[int, Callable[[], None] | None], None],
        forget: Callable[[int], None],
        later: Callable[[float, Callable[[], None]], object],
    ) -> None:
        self.later = later
        self.on_readable = on_readable
        self.on_writable = on_writable
        self.forget = forget


class Ringer:
    """One connection: somebody who rang."""

    def __init__(self, sock: socket.socket, watcher: Watcher, bell: Doorbell) -> None:
        self._sock = sock
        self._watcher = watcher
        self._bell = bell
        self._lines = Lines()
        self._outbox = bytearray()
        self.gone = False
        watcher.on_readable(sock.fileno(), self._read)

    def send(self, obj: object) -> None:
        """Send one object; a ringer that never reads is let go."""
        if self.gone:
            return
        self._outbox += encode_line(obj)
        if len(self._outbox) > MAX_OUTBOX:
            self.close()
        else:
            self._write()

    def close(self) -> None:
        """Let this ringer go."""
        if not self.gone:
            self.gone = True
            self._watcher.forget(self._sock.fileno())
            self._sock.close()
            self._bell.left(self)

    def _write(self) -> None:
        try:
            sent = self._sock.send(self._outbox)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        del self._outbox[:sent]
        self._watcher.on_writable(self._sock.fileno(), self._write if self._outbox else None)

    def _read(self) -> None:
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        try:
            for request in self._lines.feed(data):
                self._bell.rung(request, self)
        except MalformedMessage as error:
            self.send(refusal(error))
            self.close()


class Doorbell:
    """The listening socket."""

    def __init__(
        self,
        path: Path,
        watcher: Watcher,
        answer: Callable[[dict[str, Any], Ringer], object],
        left: Callable[[Ringer], None],
    ) -> None:
        """Listen at `path`, in place of a dead supervisor's socket: the caller holds the session's lock.

        `answer` returns the reply's fields, or raises HoldfastError; `left` is told of every end.
        """
        self.left = left
        self._answer = answer
        self._watcher = watcher
        self._sock = listening.unix(socket_path(path))
        self._path, self._inode = path, path.lstat().st_ino
        self._spare = self._sock.dup()  # a descriptor for who rings when no other one is left
        self._open = True
        watcher.on_readable(self._sock.fileno(), self._accept)

    def rung(self, request: dict[str, Any], ringer: Ringer) -> None:
        """Answer one request."""
        try:
            fields = self._answer(request, ringer)
        except HoldfastError as error:
            ringer.send(refusal(error))
        except OSError as error:  # no descriptor, no memory: it is one request that can't be met
            ringer.send(refusal(HoldfastError(f"the supervisor can't do that now: {error.strerror}")))
        else:
            if fields is not None:
                ringer.send(fields)

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._watcher.forget(self._sock.fileno())
        self._open = False
        self._sock.close()
        self._spare.close()
        listening.put_away(self._path, self._inode)

    def _accept(self) -> None:
        try:
            while True:
                sock, _ = self._sock.accept()
                sock.setblocking(False)
                credentials = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
                if struct.unpack("3i", credentials)[1] == os.getuid():
                    Ringer(sock, self._watcher, self)
                else:
                    sock.close()
        except BlockingIOError:
            pass
        except OSError as error:
            self._refuse(error)

    def _refuse(self, error: OSError) -> None:
        """Nobody can be let in. Who waits is told so; the next one a little later, if still none is left."""
        what = f"the supervisor can take no connection: {error.strerror}"
        self._spare.close()
        with contextlib.suppress(OSError):
            self._spare, _ = self._sock.accept()
            self._spare.send(encode_line(refusal(HoldfastError(what, "close some of its clients"))))
        self._watcher.forget(self._sock.fileno())
        self._watcher.later(PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._spare.close()
        if self._open:
            with contextlib.suppress(OSError):
                self._spare = self._sock.dup()
            self._watcher.on_readable(self._sock.fileno(), self._accept)
