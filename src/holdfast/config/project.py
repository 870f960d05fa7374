"""Which file is a project's, found from a folder upwards, and what it may set: it may come from a stranger.

Who downloads a folder and starts a session in it has not read what is in it. So a project's file says how
much its sessions keep and how long they wait for something; it can name no program, open nothing to others,
put nothing on disk that the user does not want there, and take no more memory than the user gives
(docs/decisions/0014-settings.md).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from holdfast.config import files
from holdfast.config.given import Given
from holdfast.config.places import FILE, MARK, PYPROJECT, upwards
from holdfast.errors import SettingsError

WITHIN = ("tool", "holdfast")
"""Where in `PYPROJECT` our settings are."""

OPEN_SECTIONS = ("standby", "checkpoint", "output", "meanwhile", "interrupt", "life")
"""What a project may set, but for these:"""

RESERVED = frozenset({"standby.budget", "standby.on_crash", "checkpoint.enabled"})
"""How much memory all may take; whether a crash costs everything; whether variables are on disk at all."""


class Project(NamedTuple):
    """What was found."""

    path: Path | None
    """The file that counts; None if there is none."""
    said: list[Given | SettingsError]
    """What is in it, in its order."""
    passed_by: list[Path]
    """Files that somebody else has put there."""


def find(folder: Path) -> Project:
    """The project that `folder` belongs to. The nearest file counts, alone; `holdfast.toml` before the other.

    The search ends at the top of a repository (a folder with `.git`), below the user's home folder, or at the
    root. A file counts if it belongs to the user, to root, or to whoever `folder` belongs to: everybody may
    put files into /tmp.
    """
    passed_by: list[Path] = []
    try:
        folder = folder.resolve(strict=True)
        owners = {os.getuid(), 0, folder.stat().st_uid}
    except OSError:  # gone since
        return Project(None, [], [])
    for place in upwards(folder):
        for name, within in ((FILE, ()), (PYPROJECT, WITHIN)):
            try:
                file = files.content(place / name)
                if file is None or (within and MARK not in file.bytes):
                    continue
                if file.owner not in owners:
                    passed_by.append(file.path)
                    continue
                tree = files.table(file, *within)
            except SettingsError as error:
                return Project(place / name, [error], passed_by)
            if tree is not None:
                said = files.settings_in(file, tree, "project", within)
                return Project(file.path, list(map(_allowed, said)), passed_by)
    return Project(None, [], passed_by)


def may_set(name: str) -> bool:
    """Whether a project's file may give this setting."""
    return name.partition(".")[0] in OPEN_SECTIONS and name not in RESERVED


def _allowed(said: Given | SettingsError) -> Given | SettingsError:
    if isinstance(said, SettingsError) or may_set(said.name):
        return said
    return SettingsError(
        f"{said.place}: {said.name} is not for a project to set", f"holdfast config {said.name}"
    )
