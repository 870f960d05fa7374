"""A place of its own for a run: kernelspecs, profiles, sessions. Nothing of the user's is used or touched."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.jupyter import kernelspec

NAMES = ("python3", "echo")
"""Under which suites ask for a kernel; `echo` is a toy of pytest-jupyter's, which jupyter_client's use."""


class Scratch:
    """A folder, and the environment in which every kernel is Holdfast's."""

    def __init__(self, folder: Path) -> None:
        self._home = folder / "home"
        for name in NAMES:
            kernelspec.install(prefix=folder, name=name)
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),  # their commands
            "JUPYTER_PATH": str(folder / "share" / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "IPYTHONDIR": str(folder / "ipython"),
            "HOLDFAST_HOME": str(self._home),
        }

    def sessions(self) -> int:
        """How many sessions there have been: 0 means that another kernel was tested."""
        return len(list(self._home.glob("state/sessions/*/journal.db")))

    def stop_all(self) -> None:
        """End the sessions that a suite has left running."""
        for session in self._home.glob("run/*"):
            command = [sys.executable, "-m", "holdfast", "stop", session.name]
            subprocess.run(command, env=self.environment, capture_output=True, check=False)


@contextmanager
def scratch() -> Iterator[Scratch]:
    """A place for a `with` block; its name is short, since sockets' are."""
    with tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True) as folder:
        place = Scratch(Path(folder))
        try:
            yield place
        finally:
            place.stop_all()
