"""The input history of all sessions in one file, which several supervisors write at once.

It answers as IPython's HistoryManager does (IPython/core/history.py), for `history_request`, `%history` and
the up-arrow; where that would raise or count wrongly, the nearest sensible rows are returned instead.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from holdfast.errors import JournalDamaged, JournalError
from holdfast.files import private_size
from holdfast.journal import making
from holdfast.journal.database import Database, Value
from holdfast.paths import private_folder
from holdfast.settings import Life

Entry = tuple[int, int, str | tuple[str, str | None]]
"""Session number, line, and the input, or (input, text of its result or None)."""

_TAIL: Final = 10  # IPython's own default, also for a history_request without `n`
_LARGEST: Final = 2**31  # a client may send any number, SQLite takes 64 bits
_EXIT: Final = re.compile(r"(exit|quit)(\s*\(.*\))?")
_LAYOUT: Final = making.Layout(
    noun="a history",
    application=0x486F6C48,  # "HolH"
    version=1,
    tables="""
CREATE TABLE sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, began REAL NOT NULL, ended REAL
);
CREATE TABLE lines (
    session INTEGER NOT NULL, line INTEGER NOT NULL, at REAL NOT NULL,
    source TEXT NOT NULL, raw TEXT NOT NULL, PRIMARY KEY (session, line)
) WITHOUT ROWID;
CREATE TABLE results (
    session INTEGER NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (session, line)
) WITHOUT ROWID;
""",
)
_RAW: Final = "SELECT session, line, raw, text FROM lines LEFT JOIN results USING (session, line) WHERE "
_SOURCE: Final = (
    "SELECT session, line, source, text FROM lines LEFT JOIN results USING (session, line) WHERE "
)
_LAST_OF_EACH: Final = """(session << 32) + line IN (
    SELECT max((session << 32) + line) FROM lines WHERE raw GLOB ? GROUP BY raw)"""


_ADD: Final = "INSERT OR REPLACE INTO lines (session, line, source, raw, at) VALUES (?, ?, ?, ?, ?)"
_ADD_OUTPUT: Final = "INSERT OR REPLACE INTO results (session, line, text) VALUES (?, ?, ?)"


class History:
    """An open history. What is added waits for `flush`, which whoever asks or ends brings about.

    A line that a killed supervisor had not flushed is in its session's journal all the same.
    """

    def __init__(self, database: Database) -> None:
        """Use `open`."""
        self._database = database
        self._lines: list[tuple[Value, ...]] = []  # to be written
        self._results: list[tuple[Value, ...]] = []

    @classmethod
    def open(cls, path: Path, life: Life = Life()) -> History:  # noqa: B008 - frozen
        """Open the history at `path`, or make it (0600, in a 0700 folder).

        JournalError if it can't be used or is of a newer version, JournalDamaged if it is damaged,
        RefusedPath if it is not ours alone.
        """
        private_folder(path.parent)
        making.ensure(path, _LAYOUT)
        if not private_size(path):
            raise JournalDamaged(f"{path} is empty", f"bring back a copy, or move {path} away")
        database = Database(path, read_only=False, wait=life.busy_seconds)
        try:
            making.check(database, _LAYOUT)
            database.run("PRAGMA synchronous = NORMAL")
        except JournalError:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Write what waits and close the connection."""
        try:
            self.flush()
        finally:
            self._database.close()

    @property
    def pending(self) -> bool:
        """Whether lines or results wait."""
        return bool(self._lines or self._results)

    def flush(self) -> None:
        """Write what waits, in one commit. If that fails (JournalError) it goes on waiting."""
        if self.pending:
            with self._database.transaction():
                self._database.run_many(_ADD, self._lines)
                self._database.run_many(_ADD_OUTPUT, self._results)
            self._lines.clear()
            self._results.clear()

    def begin(self, name: str, at: float) -> int:
        """A session called `name` starts a namespace: its number in the history."""
        return self._database.insert("INSERT INTO sessions (name, began) VALUES (?, ?)", name, at)

    def end(self, number: int, at: float) -> None:
        """That namespace ended."""
        self.flush()
        self._database.run("UPDATE sessions SET ended = ? WHERE number = ?", at, number)

    def add(self, number: int, line: int, source: str, raw: str, at: float) -> None:
        """Keep input: `line` is its execution count, `raw` as typed, `source` as IPython transformed it.

        Newlines at the end are dropped, and so are commands to exit, which nobody wants to find first when
        looking back. The same line again replaces it: after a crash of the supervisor it may be told twice.
        """
        if _EXIT.fullmatch(raw.strip()):
            return
        self._lines.append((number, line, source.rstrip("\n"), raw.rstrip("\n"), at))

    def add_output(self, number: int, line: int, text: str) -> None:
        """Keep the text of a line's result."""
        self._results.append((number, line, text))

    def tail(
        self,
        n: int | None = None,
        raw: bool = True,
        output: bool = False,
        include_latest: bool = True,
        session: int | None = None,
    ) -> list[Entry]:
        """The last `n` (10) lines, oldest first; those of `session`, if given, come last.

        Without `include_latest` the newest of n + 1 lines is left out: it is the command that asks.
        """
        wanted = _bounded(_TAIL if n is None else n) + (not include_latest)
        own = self._rows("session = ? ORDER BY line DESC LIMIT ?", (session or 0, wanted), raw, output)
        others = self._rows(
            "session != ? ORDER BY session DESC, line DESC LIMIT ?", (session or 0, wanted), raw, output
        )
        newest = (own + others)[:wanted]
        return newest[0 if include_latest else 1 :][::-1]

    def range(
        self,
        session: int = 0,
        start: int = 1,
        stop: int | None = None,
        raw: bool = True,
        output: bool = False,
        current: int = 0,
    ) -> list[Entry]:
        """Lines from `start` up to, without, `stop` (None or 0: to the end) of one session.

        Session 0 is `current`, -1 the one before. The current session answers as session 0, has an empty line
        0, and takes negative lines, counted from its end.
        """
        number = session + current if session <= 0 else session
        if number != current:
            return self._between(number, start, stop or _LARGEST, raw, output)
        end = self._next_line(current)
        first = max(start + end if start < 0 else start, 0)
        last = end if not stop or stop > end else stop + end if stop < 0 else stop
        blank: list[Entry] = [(0, 0, ("", None) if output else "")] if first == 0 < last else []
        return blank + [
            (0, line, text) for _, line, text in self._between(current, max(first, 1), last, raw, output)
        ]

    def search(
        self,
        pattern: str = "*",
        raw: bool = True,
        output: bool = False,
        n: int | None = None,
        unique: bool = False,
    ) -> list[Entry]:
        """Lines whose raw input matches the glob `pattern` (`*`, `?`, `[...]`), oldest first.

        With `n` only the last ones; with `unique` each input once, where it was entered last.
        """
        where = _LAST_OF_EACH if unique else "raw GLOB ?"
        values = (pattern, _LARGEST if n is None else _bounded(n))
        return self._rows(where + " ORDER BY session DESC, line DESC LIMIT ?", values, raw, output)[::-1]

    def _between(self, number: int, start: int, stop: int, raw: bool, output: bool) -> list[Entry]:
        values = (_clipped(number), _clipped(start), _clipped(stop))
        return self._rows("session = ? AND line >= ? AND line < ? ORDER BY line", values, raw, output)

    def _next_line(self, number: int) -> int:
        self.flush()
        rows = self._database.records(
            tuple[int], "SELECT coalesce(max(line), 0) + 1 FROM lines WHERE session = ?", _clipped(number)
        )
        return rows[0][0]

    def _rows(self, where: str, values: tuple[Value, ...], raw: bool, output: bool) -> list[Entry]:
        self.flush()
        rows = self._database.records(
            tuple[int, int, str, str | None], (_RAW if raw else _SOURCE) + where, *values
        )
        if output:
            return [(session, line, (text, result)) for session, line, text, result in rows]
        return [(session, line, text) for session, line, text, _ in rows]


def _bounded(n: int) -> int:
    return min(max(n, 0), _LARGEST)


def _clipped(number: int) -> int:
    return min(max(number, -_LARGEST), _LARGEST)
