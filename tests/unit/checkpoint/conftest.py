"""A folder of checkpoints, the way to and from it, and the namespaces that cells leave."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from holdfast.checkpoint.loading import Loaded, load
from holdfast.checkpoint.manifest import Manifest, Verdict, read
from holdfast.checkpoint.writing import write
from holdfast.settings import Checkpoint

SOON = Checkpoint(variable_seconds=0.5)
"""A hang is what some tests plant: they need not wait long for it."""


class Disk:
    """A folder of checkpoints, and the way to and from it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(
        self, namespace: Mapping[str, object], limits: Checkpoint = SOON, *, durable: bool = False
    ) -> Manifest:
        variables = {name: value for name, value in namespace.items() if not str(name).startswith("__")}
        with warnings.catch_warnings():
            # Libraries that a test has loaded may have threads; the copy of a worker has not.
            warnings.filterwarnings("ignore", message=".*multi-threaded.*", category=DeprecationWarning)
            return write(
                self.folder, variables, home=namespace, facts={"after": 3}, limits=limits, durable=durable
            )

    def load(self, manifest: Manifest, skip: frozenset[str] = frozenset()) -> Loaded:
        home: dict[str, object] = {"__name__": "__main__"}
        loaded = load(self.folder, read(self.folder, manifest.id), home, skip=skip)
        home.update(loaded.values)
        return Loaded(home, loaded.lost)

    def again(self, namespace: Mapping[str, object]) -> dict[str, Any]:
        """The namespace, written and loaded; nothing may be lost."""
        manifest = self.write(namespace)
        values, lost = self.load(manifest)
        assert not manifest.lost
        assert not lost
        return values

    @property
    def blobs(self) -> list[Path]:
        return sorted((self.folder / "blobs").iterdir(), key=lambda path: path.stat().st_size)


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "checkpoints")


def session(code: str) -> dict[str, Any]:
    """The namespace that a cell leaves."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(code, namespace)
    return namespace


def reasons(verdicts: list[Verdict]) -> dict[str, str]:
    return {each.name: each.reason for each in verdicts}
