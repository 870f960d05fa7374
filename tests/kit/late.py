"""A program whose imports wait at a gate: what it shows before them can be looked at. No sleeps."""

from __future__ import annotations

from pathlib import Path

from kit.gate import Gate

_SITE = """
import sys

class Late:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(self)
            {wait}

sys.meta_path.insert(0, Late())
"""


class Late:
    """Put `variables` into a Python program's environment; it imports `module` once the gate is `open`."""

    def __init__(self, folder: Path, module: str) -> None:
        folder.mkdir()
        self.folder = folder
        """In which no project has settings."""
        self._gate = Gate(folder / "gate")
        (folder / "sitecustomize.py").write_text(_SITE.format(module=module, wait=self._gate.wait))
        # Without the mark of a test's processes no setting can be in the variables: none are read.
        self.variables = {"PYTHONPATH": str(folder), "HOLDFAST_TEST_MARK": ""}

    def reached(self) -> None:
        """Wait until it waits."""
        self._gate.reached()

    def open(self) -> None:
        """Let it go on."""
        self._gate.open()
