"""The one place where a socket begins to listen: unix sockets for the same user alone, and TCP. Light.

ZeroMQ, which would make its files by the umask and take away those of others, gets the descriptor of one that
listens already (`access/sockets.py`).
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path

from holdfast.errors import RefusedPath
from holdfast.paths import check_way

TCP = "tcp://"
"""How an address begins that is listened at, or gone to, over TCP."""

BACKLOG = 64
"""Connections that may wait to be accepted, which all of ours do at once."""

_ADDRESS = 107
"""Bytes that the system takes (unix(7), sun_path)."""


def unix(path: Path) -> socket.socket:
    """A unix socket at `path`, mode 0600, in the place of one that a dead process of ours has left.

    The caller holds what keeps another process of ours from doing the same: the session's lock. RefusedPath
    if somebody else could have a hand in it: the folder, or what stands there, is not ours alone.
    """
    if len(os.fsencode(path)) > _ADDRESS:
        raise RefusedPath(f"{path} is longer than a socket's address may be", "choose a shorter folder")
    check_way(path.parent)
    _clear(path)
    before = os.umask(0o177)  # from its first moment: chmod(2) would come too late for who is quick
    try:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        with contextlib.ExitStack() as undo:
            undo.callback(sock.close)
            sock.bind(os.fspath(path))
            sock.listen(BACKLOG)
            undo.pop_all()
    except OSError as error:
        raise RefusedPath(f"can't listen at {path}: {error.strerror}", f"look at {path.parent}") from error
    finally:
        os.umask(before)
    return sock


def tcp(address: str, port: int) -> socket.socket:
    """A TCP socket; port 0: any that is free. OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def put_away(path: Path, inode: int) -> None:
    """Remove the socket at `path`, if it is still the one with that number."""
    with contextlib.suppress(OSError):
        if path.lstat().st_ino == inode:
            path.unlink()


def _clear(path: Path) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise RefusedPath(f"can't look at {path}: {error.strerror}", f"look at {path.parent}") from error
    if not stat.S_ISSOCK(status.st_mode) or status.st_uid != os.getuid():
        raise RefusedPath(f"{path} is there, and no socket of ours", f"remove {path}")
    path.unlink()
