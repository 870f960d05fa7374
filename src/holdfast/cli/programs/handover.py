"""Giving a worker what it is to run: the program, and our own descriptors 0, 1 and 2, by a unix socket.

The socket lies in the session's runtime folder, which is its user's alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from holdfast import listening
from holdfast.protocol.programs import DESCRIPTORS, Program

_NAME = "program"

_CREDENTIALS = 12  # struct ucred: pid, uid, gid of four bytes each (unix(7), SO_PEERCRED)


class HandOver:
    """Listens for the worker while the block lasts. `path` is where."""

    def __init__(self, folder: Path, program: Program, on_fetched: Callable[[int], object]) -> None:
        """`on_fetched` is told the pid of the worker, before that can begin."""
        self.path = folder / _NAME
        self._program = program
        self._on_fetched = on_fetched

    def mend_terminal(self) -> None:
        """Set it as it was: the process that had it has died, perhaps in a screen of its own."""
        with contextlib.suppress(termios.error, OSError):
            if self._terminal is not None and os.tcgetpgrp(0) == os.getpgrp():  # else it is another one's
                termios.tcsetattr(0, termios.TCSADRAIN, self._terminal)

    def __enter__(self) -> Self:
        self._terminal = termios.tcgetattr(0) if os.isatty(0) else None
        self._socket = listening.unix(self.path)
        self._socket.setblocking(True)
        threading.Thread(target=self._serve, daemon=True).start()  # the main thread waits for the cell
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # also ends a wait that nobody has come to
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # nobody came, or who came has died: the cell's reply tells
            connection, _ = self._socket.accept()
            with connection, _standard() as descriptors:
                credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS)
                self._on_fetched(int.from_bytes(credentials[:4], sys.byteorder))
                socket.send_fds(connection, [b"\0"], descriptors)
                connection.sendall(self._program.encoded())


@contextlib.contextmanager
def _standard() -> Iterator[list[int]]:
    """Our descriptors 0, 1 and 2; `/dev/null` for those that are closed."""
    with contextlib.ExitStack() as opened:
        found = []
        for number in range(DESCRIPTORS):
            try:
                os.fstat(number)
                found.append(number)
            except OSError:
                found.append(os.open(os.devnull, os.O_RDWR))
                opened.callback(os.close, found[-1])
        yield found
