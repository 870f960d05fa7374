"""Where Holdfast's own files live, and the one place that makes a private folder. Stdlib only, light.

    state/history.db                     input history of all sessions
    state/notebooks/                     which session belongs to which notebook
    state/sessions/NAME/journal.db       what must not be lost
    state/sessions/NAME/checkpoints/     what its namespace was, as far as it can be written
    state/sessions/NAME/lock             held by the session's supervisor (never unlinked)
    runtime/NAME/doorbell                the supervisor's unix socket for launchers and commands
    runtime/NAME/connection.json         Jupyter connection file of the session's own (ipc) door
    runtime/NAME/door-1 … door-5         that door's sockets
    runtime/NAME/template                the template's unix socket, for a supervisor that takes over
    runtime/NAME/cells/                  files that stand for cells in a debugger
    runtime/NAME/settings.json           settings that its supervisor was started with
    runtime/NAME/start.lock              held while somebody starts the session's supervisor
    runtime/NAME/supervisor.log          what the supervisor and the template said on stderr

`HOLDFAST_HOME` moves all of them under one root. Jupyter's own folders are not ours: see `jupyter/`.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from holdfast.errors import RefusedPath, SessionError

MAX_SOCKET_PATH = 100
"""Bytes. A unix socket's address holds 108 with its end (unix(7), sun_path); the rest is for suffixes."""

MAX_NAME = 60
"""Characters of a session's name: it is a folder name and a column of `holdfast ls`."""

_SYSTEM = (0, 65_534)
"""Root; and who stands for root where that has no number, as in a container (user_namespaces(7))."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def state_folder() -> Path:
    """Folder of what outlives processes: journals, locks, history."""
    return _root("state", "XDG_STATE_HOME", Path.home() / ".local" / "state")


def config_folder() -> Path:
    """Folder of the user's settings."""
    return _root("config", "XDG_CONFIG_HOME", Path.home() / ".config")


def runtime_folder() -> Path:
    """Folder of sockets: gone after a reboot, so nothing that must be kept lives here."""
    home = os.environ.get("HOLDFAST_HOME")
    if home:
        return Path(home).absolute() / "run"
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        return Path(runtime) / "holdfast"
    return Path("/tmp") / f"holdfast-{os.getuid()}"  # noqa: S108 - private_folder checks owner and mode


def session_state(name: str) -> Path:
    """Folder of what a session keeps on disk. `name` must be valid."""
    return state_folder() / "sessions" / checked_name(name)


def session_checkpoints(name: str) -> Path:
    """Folder of a session's checkpoints. `name` must be valid."""
    return session_state(name) / "checkpoints"


def session_runtime(name: str) -> Path:
    """Folder of a running session's sockets. `name` must be valid."""
    return runtime_folder() / checked_name(name)


def session_meeting(name: str) -> Path:
    """Socket at which a session's template waits for a supervisor that takes over."""
    return session_runtime(name) / "template"


def session_cells(name: str) -> Path:
    """Folder of the files that cells seem to be: a debugger shows them, and sets breakpoints in them."""
    return session_runtime(name) / "cells"


def session_settings(name: str) -> Path:
    """File of the settings that a running session was started with."""
    return session_runtime(name) / "settings.json"


def history_file() -> Path:
    """The input history shared by all sessions."""
    return state_folder() / "history.db"


def checked_name(name: str) -> str:
    """`name`, if it can name a session: letters, digits, dot, dash, underscore; SessionError if not."""
    if len(name) <= MAX_NAME and _NAME.fullmatch(name):
        return name
    if name.startswith("tcp://"):
        raise SessionError(
            f"by key one can only attach: {name}", f"holdfast attach {name}   (all commands: ssh://HOST/NAME)"
        )
    raise SessionError(
        f"{name!r} can't name a session",
        f"use at most {MAX_NAME} letters, digits, '.', '-' or '_', the first a letter or digit",
    )


def elsewhere() -> str:
    """What to try where a folder of ours can't be."""
    is_set = os.environ.get("HOLDFAST_HOME")
    return "check HOLDFAST_HOME" if is_set else "export HOLDFAST_HOME=…   (a folder of yours)"


def private_folder(path: Path) -> Path:
    """Make `path` (and parents) if missing, mode 0700, and check that it is ours alone.

    Raises RefusedPath for a symlink, another owner, or a folder others can enter (mkdir(2), inode(7)).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise RefusedPath(f"can't make the folder {path}: {error.strerror}", elsewhere()) from error
    _refuse_open(path, status)
    return path


def check_private(path: Path) -> None:
    """The same of a folder that is there. RefusedPath, or FileNotFoundError if it is not."""
    _refuse_open(path, path.lstat())


def check_way(path: Path) -> None:
    """RefusedPath if somebody else could put a file into the folder `path`, or another one in its place.

    That needs to own it, or leave to write in it; a sticky folder such as /tmp lets nobody touch what is not
    his (inode(7)). Symbolic links on the way are followed: what counts is where they lead.
    """
    try:
        way = path.resolve()
        states = [(folder, folder.stat()) for folder in (way, *way.parents)]
    except (OSError, RuntimeError) as error:  # it is not there, or a loop of links
        what = getattr(error, "strerror", None) or error
        raise RefusedPath(f"can't look at {path}: {what}", f"look at {path.parent}") from error
    for folder, status in states:
        if status.st_uid not in (os.getuid(), *_SYSTEM):
            raise RefusedPath(
                f"{folder} belongs to user {status.st_uid}",
                "set HOLDFAST_HOME to a folder of your own",
            )
        by_group = status.st_mode & stat.S_IWGRP and not _is_private_group(status.st_gid)
        if (by_group or status.st_mode & stat.S_IWOTH) and not status.st_mode & stat.S_ISVTX:
            raise RefusedPath(
                f"others may write in {folder} (mode {status.st_mode & 0o777:o})",
                f"chmod go-w {folder}   (or set HOLDFAST_HOME to another folder)",
            )


def _is_private_group(group: int) -> bool:
    """Whether it is the user's own, in which nobody else is: then its rights are the user's (umask 002)."""
    import grp  # noqa: PLC0415 - hardly ever needed
    import pwd  # noqa: PLC0415 - as above

    try:
        found, user = grp.getgrgid(group), pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    own = found.gr_gid == user.pw_gid and found.gr_name == user.pw_name
    return own and set(found.gr_mem) <= {user.pw_name}


def _refuse_open(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISDIR(status.st_mode):
        raise RefusedPath(f"{path} is not a folder", "remove it, or set HOLDFAST_HOME")
    if status.st_uid != os.getuid():
        raise RefusedPath(
            f"{path} belongs to user {status.st_uid}", "set HOLDFAST_HOME to a folder of your own"
        )
    if status.st_mode & 0o077:
        raise RefusedPath(f"{path} is open to others (mode {status.st_mode & 0o777:o})", f"chmod 700 {path}")


def socket_path(path: Path) -> Path:
    """`path`, if a unix socket can be bound there; RefusedPath if it is too long."""
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
        return path
    raise RefusedPath(
        f"{path} is longer than a socket's address may be ({MAX_SOCKET_PATH} bytes)",
        "set HOLDFAST_HOME to a shorter folder, or give the session a shorter name",
    )


def _root(kind: str, variable: str, fallback: Path) -> Path:
    home = os.environ.get("HOLDFAST_HOME")
    if home:
        return Path(home).absolute() / kind
    base = os.environ.get(variable)
    return (Path(base) if base and os.path.isabs(base) else fallback) / "holdfast"
