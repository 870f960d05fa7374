"""Where settings may be, and whether anything is there: mostly nothing is. Stdlib only, reads no setting.

To read settings takes as long as to draw a console's first lines; to see that there are none takes no time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from holdfast import paths

PREFIX = "HOLDFAST_"
"""Of a setting's variable."""

NO_SETTINGS = frozenset({"HOLDFAST_HOME", "HOLDFAST_TRACEBACK"})
"""Variables of ours that are none: they count before any setting is read."""

FILE = "holdfast.toml"
"""A project's own file for us."""

PYPROJECT, MARK = "pyproject.toml", b"holdfast"
"""The one that it has for all tools, and what is in it if we are among them."""


def user_file() -> Path:
    """Where the user's own settings are, or would be."""
    return paths.config_folder() / "settings.toml"


def upwards(folder: Path) -> Iterator[Path]:
    """The folders in which a project's file is sought, the nearest first (see `project`)."""
    home = Path(os.path.realpath(os.path.expanduser("~")))
    for place in (folder, *folder.parents):
        if place == home:
            return
        yield place
        if os.path.lexists(place / ".git"):
            return


def unsaid(environment: Mapping[str, str]) -> bool:
    """Whether no place says anything to who is here. False where that can't be seen at once."""
    if any(
        name.startswith(PREFIX) and name not in NO_SETTINGS and value for name, value in environment.items()
    ):
        return False
    try:
        here = Path(os.path.realpath(os.curdir))
        return not os.path.lexists(user_file()) and not any(map(_is_project, upwards(here)))
    except OSError:
        return False


def _is_project(folder: Path) -> bool:
    if os.path.lexists(folder / FILE):
        return True
    try:
        return os.path.isfile(folder / PYPROJECT) and MARK in (folder / PYPROJECT).read_bytes()
    except OSError:
        return True
