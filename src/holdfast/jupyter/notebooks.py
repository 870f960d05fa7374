"""Which session belongs to which notebook: one small file a notebook, below `state/notebooks`.

A notebook is known by its path and the Python that runs it. The link is written once and moves along when the
notebook is renamed, so that neither a renamed notebook loses its session, nor a new one with the old name
finds somebody else's variables. Files only: nothing here starts or asks a session.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from hashlib import blake2b
from pathlib import Path

from holdfast import files
from holdfast.errors import SessionError
from holdfast.paths import checked_name, private_folder, session_state, state_folder

_STEM = 40
"""Characters of a notebook's name that go into its session's."""

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def session_of(notebook: str, python: str) -> str:
    """Name of the session of the notebook at this absolute path, run by this Python; made up if it has none.

    Raises RefusedPath if Holdfast's folder can't be used.
    """
    link = _link(notebook, python)
    known = _read(link)
    if known is not None:
        return known
    name = _new_name(notebook, link.name)
    _write(link, name)
    return name


def moved(old: str, new: str, python: str) -> None:
    """A notebook has another path now; it keeps its session."""
    before = _link(old, python)
    name = _read(before)
    if name is not None:
        _write(_link(new, python), name)
        with contextlib.suppress(FileNotFoundError):
            before.unlink()


def _link(notebook: str, python: str) -> Path:
    key = blake2b(os.fsencode(f"{python}\0{os.path.normpath(notebook)}"), digest_size=8).hexdigest()
    return state_folder() / "notebooks" / key


def _new_name(notebook: str, key: str) -> str:
    """A name to be recognised in `holdfast ls`, which no session has."""
    stem = _NOT_IN_A_NAME.sub("-", Path(notebook).stem)[:_STEM].strip("._-") or "notebook"
    name = f"{stem}-{key[:8]}"
    while session_state(name).exists():  # of a notebook that was there before and moved on
        name = f"{stem}-{secrets.token_hex(4)}"
    return name


def _read(link: Path) -> str | None:
    try:
        return checked_name(link.read_text().strip())
    except (OSError, UnicodeDecodeError, SessionError):  # none, or nothing that could be a name
        return None


def _write(link: Path, name: str) -> None:
    private_folder(state_folder())
    private_folder(link.parent)
    files.replace(link, f"{name}\n".encode())
