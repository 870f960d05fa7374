"""Files of ours on disk: opened only if regular, ours, private and no link; replaced in one step. Light."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from holdfast.errors import RefusedPath


def open_private(path: Path, flags: int) -> int:
    """Descriptor of the private file `path`, close-on-exec, never through a symlink (open(2)).

    `flags` are those of os.open; a new file gets mode 0600. RefusedPath for what is not ours alone;
    other OSErrors (no such file, no space) are the caller's to explain.
    """
    try:
        # O_NONBLOCK: a planted FIFO must not make us wait for its other end.
        descriptor = os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RefusedPath(f"{path} is a symbolic link", f"remove {path}") from error
        raise
    try:
        _refuse_foreign(path, os.fstat(descriptor))
    except RefusedPath:
        os.close(descriptor)
        raise
    return descriptor


def private_size(path: Path) -> int | None:
    """Bytes of the private file `path`; None if there is none. RefusedPath for what is not ours alone."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RefusedPath(f"can't look at {path}: {error.strerror}") from error
    if stat.S_ISLNK(status.st_mode):
        raise RefusedPath(f"{path} is a symbolic link", f"remove {path}")
    _refuse_foreign(path, status)
    return status.st_size


def replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step. mkstemp(3) makes the file 0600 and follows no link. OSError."""
    import tempfile  # noqa: PLC0415 - who only reads does without

    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:  # also an interrupt leaves no litter behind
        os.unlink(temporary)
        raise


def _refuse_foreign(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise RefusedPath(f"{path} is not a regular file", f"remove {path}")
    if status.st_uid != os.getuid():
        raise RefusedPath(
            f"{path} belongs to user {status.st_uid}", "set HOLDFAST_HOME to a folder of your own"
        )
    if status.st_nlink > 1:
        raise RefusedPath(f"{path} has another name (a hard link)", f"remove the other name of {path}")
    if status.st_mode & 0o077:
        raise RefusedPath(f"{path} is open to others (mode {status.st_mode & 0o777:o})", f"chmod 600 {path}")
