"""The lines that up-arrow and Ctrl-R find: loaded from the session in the background, after the prompt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable

from prompt_toolkit.history import History

from holdfast.console.suggestion import Lines


class SessionHistory(History):
    """Entries of the session's history, then those typed here. prompt_toolkit asks for them newest first."""

    def __init__(self) -> None:
        super().__init__()
        self.lines = Lines()
        """The same, line by line."""
        self._supplied = asyncio.Event()

    def supply(self, entries: Iterable[object]) -> None:
        """The entries of before, oldest first; without repetitions that follow each other, or outputs."""
        earlier: list[str] = []
        for entry in entries:
            if isinstance(entry, str) and earlier[-1:] != [entry]:
                earlier.append(entry)
        self._loaded_strings += reversed(earlier)
        self.lines.put_before(earlier)
        self._supplied.set()

    async def load(self) -> AsyncGenerator[str, None]:
        """All entries, newest first, once they are there; the prompt does not wait for it."""
        await self._supplied.wait()
        for entry in self._loaded_strings:
            yield entry

    def append_string(self, string: str) -> None:
        """A cell was typed here; the same one again is kept once."""
        if self._loaded_strings[:1] != [string]:
            super().append_string(string)
            self.lines.append(string)

    def load_history_strings(self) -> Iterable[str]:
        """Nothing: `load` has it all."""
        return ()

    def store_string(self, string: str) -> None:
        """Nothing: the session keeps what is run."""
