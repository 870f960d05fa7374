"""The files of keys, in `keys/` of the config folder: made private, read only if they are so.

id                 your own pair, by which you are known where you go
host               the pair of this host, by which others know your sessions
authorized_keys    who may come in to your sessions over TCP
known_hosts        which key each host had when you first went there
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast import files, paths, z85
from holdfast.errors import KeysError
from holdfast.keys import authorized, known
from holdfast.keys.authorized import Authorized

MAX_FILE = 1024 * 1024
"""Bytes. Ten thousand people fit."""

ID, HOST = "id", "host"


class Pair(NamedTuple):
    """A key pair, both in Z85."""

    public: str
    secret: str

    def __repr__(self) -> str:
        # Secrets don't belong in logs and tracebacks.
        return f"Pair({self.public!r})"


def folder() -> Path:
    """Where they are."""
    return paths.config_folder() / "keys"


def pair(name: str) -> Pair | None:
    """The pair that is kept as `name`; None if there is none. KeysError, RefusedPath if it is not usable."""
    path = folder() / name
    text = _text(path)
    if text is None:
        return None
    words = [line for line in text.split("\n") if authorized.says_something(line)]
    found = Pair(words[0].removeprefix(z85.PREFIX), words[1]) if len(words) == 2 else Pair("", "")
    if not (z85.is_key(found.public) and z85.is_key(found.secret) and _belong_together(found)):
        raise KeysError(f"{path} holds no key pair", f"remove {path}, and make another one: holdfast keys")
    return found


def pair_or_new(name: str) -> Pair:
    """The pair that is kept as `name`, made now if there is none."""
    found = pair(name)
    if found is None:
        import zmq  # noqa: PLC0415 - heavy, and needed once in a life

        public, secret = zmq.curve_keypair()
        found = Pair(public.decode(), secret.decode())
        text = (
            f"# Holdfast: a key pair. The second line is secret.\n{z85.shown(found.public)}\n{found.secret}\n"
        )
        _change(folder() / name, lambda before: None if before else text)
        return pair(name) or found  # somebody else's, who was quicker
    return found


def people() -> Authorized:
    """Who may come in; nobody if there is no such file."""
    return authorized.parse(authorized_text())


def authorized_file() -> Path:
    """The file of who may come in."""
    return folder() / "authorized_keys"


def known_file() -> Path:
    """The file of hosts' keys."""
    return folder() / "known_hosts"


def authorized_text() -> str:
    """What is in the file of who may come in."""
    return _text(authorized_file()) or ""


def change_authorized(changed: Callable[[str], str]) -> None:
    """Put there instead what `changed` makes of it. What that raises leaves it as it is."""
    _change(authorized_file(), changed)


def known_key(host: str) -> known.Known | None:
    """The key that `host` is known by."""
    return known.find(_text(known_file()) or "", host)


def remember(host: str, key: str) -> None:
    """From now on `host` is known by that key."""
    _change(known_file(), lambda before: known.added(before, host, key))


def _text(path: Path) -> str | None:
    """What is in a file; None if there is none. RefusedPath if it, or its folder, is not private."""
    try:
        paths.check_private(path.parent)
        paths.check_way(path.parent)
        with open(files.open_private(path, os.O_RDONLY), "rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise KeysError(f"{path} is too long for a file of keys", f"look into {path}")
        return content.decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise KeysError(f"{path} is no text: {error}", f"look into {path}") from error
    except OSError as error:
        raise KeysError(f"can't read {path}: {error.strerror}", f"look at {path}") from error


def _change(path: Path, changed: Callable[[str], str | None]) -> None:
    """Replace a file by what `changed` makes of its text, "" if there is none; None leaves it as it is."""
    paths.check_way(paths.private_folder(path.parent))
    try:
        with _turn(path.parent):
            text = changed(_text(path) or "")  # refused if it is not ours alone
            if text is not None:
                files.replace(path, text.encode())
    except OSError as error:
        raise KeysError(f"can't write {path}: {error.strerror}", f"look at {path.parent}") from error


@contextlib.contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One at a time: two first starts make one key, and two who add a line both find theirs."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _belong_together(found: Pair) -> bool:
    import zmq  # noqa: PLC0415 - as above

    return zmq.curve_public(found.secret.encode()).decode() == found.public
