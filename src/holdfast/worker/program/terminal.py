"""Descriptors 0, 1 and 2 of a program: those of the launcher, with python's streams on them.

They came with the request. What the program reads, writes and asks of its terminal goes past the session.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

from holdfast.protocol.programs import DESCRIPTORS, Program
from holdfast.worker.template import LOWEST_FD

_NAMES = ("stdin", "stdout", "stderr")
_PIECE = 64 * 1024

_libc = ctypes.CDLL(None)


def fetch(path: Path) -> tuple[Program, list[int]]:
    """What the launcher that listens at `path` wants, and its descriptors."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(os.fspath(path))
        first, descriptors, _, _ = socket.recv_fds(connection, 1, DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
        if not first or len(descriptors) != DESCRIPTORS:
            raise EOFError(f"who listens at {path} has gone")
        pieces = []
        while piece := connection.recv(_PIECE):
            pieces.append(piece)
    return Program.decoded(b"".join(pieces)), descriptors


@contextlib.contextmanager
def standing_on(descriptors: list[int]) -> Iterator[None]:
    """They are 0, 1 and 2 in this block, and are closed after it."""
    kept = [fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, LOWEST_FD) for number in range(DESCRIPTORS)]
    for number, theirs in enumerate(descriptors):
        os.dup2(theirs, number)
        os.close(theirs)
    attributes = [name for each in _NAMES for name in (each, f"__{each}__")]
    before = [getattr(sys, name) for name in attributes]
    for number, name in enumerate(_NAMES):
        stream = _stream(number, name, getattr(sys, f"__{name}__"))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    try:
        yield
    finally:
        flush()
        for name, value in zip(attributes, before, strict=True):
            setattr(sys, name, value)
        for number, ours in enumerate(kept):
            os.dup2(ours, number)
            os.close(ours)


def _stream(number: int, name: str, like: TextIOWrapper | None) -> TextIOWrapper:
    """A stream as python opens it at its start, with one difference.

    It would collect some kilobytes of output for a pipe or a file, which a crash takes along: each line is
    written at once.
    """
    stream = open(  # noqa: SIM115 - as long as the program runs
        number,
        "w" if number else "r",
        encoding=like.encoding if like is not None else None,
        errors="backslashreplace" if number == 2 else like.errors if like is not None else None,
        closefd=False,
    )
    if number:
        stream.reconfigure(line_buffering=True)
    stream.buffer.raw.name = f"<{name}>"  # type: ignore[attr-defined]
    stream.mode = "w" if number else "r"  # type: ignore[misc]
    return stream


def flush() -> None:
    """Write what python's and C's streams still hold."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or nobody reads
            stream.flush()
    _libc.fflush(None)
