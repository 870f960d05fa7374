"""`sys.stdout` and `sys.stderr` of the worker: text goes out at once, nothing is buffered in this process.

What was printed before a crash is in shared memory when the crash comes; the supervisor groups it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

from holdfast.worker.outlet import DESCRIPTOR, Outlet
from holdfast.worker.parents import ParentApi, Parents


class OutStream(ParentApi, io.TextIOBase):
    """A text stream that is not a terminal."""

    encoding = "UTF-8"
    errors = "backslashreplace"
    newlines = None

    def __init__(self, name: str, outlet: Outlet, parents: Parents) -> None:
        super().__init__()
        self.name = name
        self.mode = "w"
        self._stream = name
        self._outlet = outlet
        self._parents = parents

    def write(self, text: str, /) -> int:
        """Write `text`; returns its length in characters."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            try:
                data = text.encode()
            except UnicodeEncodeError:  # lone surrogates, as in undecodable file names
                data = text.encode(errors="backslashreplace")
            self._outlet.text(self._stream, self._parents.current(), data)
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override]
        """Write all of `lines` as one piece."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Do nothing: all text has gone out."""

    def writable(self) -> bool:
        """A program may write here."""
        return True

    def isatty(self) -> bool:
        """It is no terminal: programs print plain lines."""
        return False

    def fileno(self) -> int:
        """The descriptor that C code and subprocesses write to."""
        return DESCRIPTOR[self._stream]

    def close(self) -> None:
        """Do nothing: user code that closes its output would silence the session."""

    def _speaker(self) -> Parents:
        return self._parents

    def _is_master_process(self) -> bool:
        return not self._outlet.forked
