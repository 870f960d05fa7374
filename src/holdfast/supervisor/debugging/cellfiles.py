"""Files that stand for cells: a debugger's client asks for them, to set breakpoints in and to show."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from holdfast import paths
from holdfast.protocol import debugging


class CellFiles:
    """In the session's own folder; they are gone with its runtime folder, or when the session ends."""

    def __init__(self, session: str) -> None:
        self._folder = paths.session_cells(session)

    @property
    def prefix(self) -> str:
        """How their names begin."""
        return f"{self._folder}/"

    def write(self, code: str) -> str:
        """Make the file of a cell; returns its name. RefusedPath or OSError if that can't be."""
        name = os.environ.get(debugging.CELL_NAME)
        if not name:
            paths.private_folder(self._folder)
            name = debugging.cell_file(str(self._folder), code)
        Path(name).write_text(code, encoding="utf-8", errors="surrogatepass", newline="")
        return name

    def read(self, name: str) -> str | None:
        """What is in a file that the debugger has named; None if there is none."""
        return Path(name).read_text(encoding="utf-8") if Path(name).is_file() else None

    def remove(self) -> None:
        """The session ends."""
        if self._folder.is_dir():
            for file in self._folder.glob(f"*{debugging.SUFFIX}"):
                file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._folder.rmdir()
