"""All places of settings in their order; a later one has the last word.

    defaults             `settings.py`
    the user's file      `settings.toml` in the config folder
    the project's file   found from a folder upwards: `project.py`
    variables            HOLDFAST_STANDBY_KEEP=3
    flags                --set standby.keep=3

A session has those of the folder in which it starts, and keeps them to its end: `inforce.py`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from holdfast.config import files, variables
from holdfast.config.given import LAYERS, Given
from holdfast.config.places import user_file
from holdfast.errors import SettingsError
from holdfast.settings import Settings


class Found:
    """What all places say, and what is wrong in them."""

    def __init__(self, said: Iterable[Given | SettingsError] = ()) -> None:
        self.given: list[Given] = []
        """In the order of the layers: of two for one setting, the later one counts."""
        self.problems: list[SettingsError] = []
        self.project: Path | None = None
        self.passed_by: list[Path] = []
        """Files of a project that belong to somebody else."""
        self.take(said)

    def take(self, said: Iterable[Given | SettingsError]) -> None:
        """Add what one more place says."""
        for each in said:
            if isinstance(each, Given):
                self.given.append(each)
            else:
                self.problems.append(each)
        self.given.sort(key=lambda each: LAYERS.index(each.layer))

    def tree(self) -> Settings:
        """All settings, of what is right."""
        if not self.given:
            return Settings()
        tree: dict[str, Any] = {}
        for each in self.given:
            section, _, name = each.name.rpartition(".")
            (tree.setdefault(section, {}) if section else tree)[name] = each.value
        return msgspec.convert(tree, Settings)

    def refuse(self) -> None:
        """SettingsError if anything is wrong, with the first thing that is."""
        if self.problems:
            first, more = self.problems[0], len(self.problems) - 1
            others = f"   (and {more} more: holdfast config)" if more else ""
            raise SettingsError(f"{first.what}{others}", first.remedy)


def look(folder: str | None, flags: Sequence[str] = ()) -> Found:
    """What holds in `folder` (None: where we are) with these values of `--set`. Raises nothing."""
    found = Found(_user())
    found.take(itertools.chain(variables.in_environment(os.environ), variables.in_flags(flags)))
    if found.tree().project:
        from holdfast.config import project  # noqa: PLC0415 - it may be switched off

        here = project.find(Path(folder or os.curdir))
        found.project, found.passed_by = here.path, here.passed_by
        found.take(here.said)
    return found


def _user() -> list[Given | SettingsError]:
    try:
        file = files.content(user_file())
        if file is None:
            return []
        return list(files.settings_in(file, files.table(file) or {}, "user"))
    except SettingsError as error:
        return [error]
