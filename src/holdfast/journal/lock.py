"""The lock of a session: one supervisor at a time, freed by the system when its holder dies.

An open file description lock (fcntl(2), F_OFD_SETLK): asking who holds it does not take it, and closing
another descriptor of the file does not lose it. The file is never unlinked, since two processes could then
each lock a file of that name. What is written in it is for people: no decision rests on a pid.

A forked child would share the lock, and keep it when its parent dies: a supervisor never forks, and what it
executes gets no descriptor of it (close-on-exec).
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from pathlib import Path
from typing import Final

import msgspec

from holdfast.errors import JournalError, SessionLocked
from holdfast.files import open_private

_FLOCK: Final = struct.Struct("hhqqi0q")  # l_type, l_whence, l_start, l_len, l_pid (fcntl(2))
_WHOLE_FILE: Final = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
_CONTENT_BYTES: Final = 4096  # more than we ever write


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock, by its own words; fields are empty if they could not be read."""

    pid: int | None = None
    boot_id: str = ""
    started: float = 0.0
    host: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.pid else "another process"


class SessionLock:
    """A lock that is held until `release`, or until the process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path) -> SessionLock:
        """Take the lock file `path` (made if missing, 0600), without waiting.

        SessionLocked names who holds it; RefusedPath for a link or a file of others; JournalError if the
        file can't be made or the file system has no locks.
        """
        try:
            descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _WHOLE_FILE)
        except (BlockingIOError, PermissionError) as error:  # EAGAIN or EACCES: it is held
            other = _read(descriptor)
            os.close(descriptor)
            raise SessionLocked(
                f"the session {path.parent.name} is run by {other}", f"holdfast attach {path.parent.name}"
            ) from error
        except OSError as error:
            os.close(descriptor)
            raise _unusable(path, error) from error
        _introduce(descriptor)
        return cls(path, descriptor)

    @staticmethod
    def holder(path: Path) -> Holder | None:
        """Who holds the lock file `path`; None if nobody does. Does not take it, not even for a moment."""
        try:
            descriptor = open_private(path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            answer = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _WHOLE_FILE)
            kind = _FLOCK.unpack(answer)[0]
            return None if kind == fcntl.F_UNLCK else _read(descriptor)
        except OSError as error:
            raise _unusable(path, error) from error
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Give the lock back; again is no error. The file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _introduce(descriptor: int) -> None:
    me = Holder(os.getpid(), _boot_id(), time.time(), socket.gethostname())
    try:
        os.ftruncate(descriptor, 0)  # first, so that a full disk leaves nobody's name rather than a wrong one
        os.pwrite(descriptor, msgspec.json.encode(me), 0)
    except OSError:
        pass  # the lock holds without it


def _read(descriptor: int) -> Holder:
    try:
        return msgspec.json.decode(os.pread(descriptor, _CONTENT_BYTES, 0), type=Holder)
    except (OSError, ValueError):  # not JSON, not UTF-8, not our fields
        return Holder()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""  # not every container shows it


def _unusable(path: Path, error: OSError) -> JournalError:
    return JournalError(f"can't lock {path}: {error.strerror}", f"check the disk: df -h {path.parent}")
