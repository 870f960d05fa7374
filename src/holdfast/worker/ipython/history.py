"""IPython's history, kept by the supervisor: `%history` and `%recall` read the journal through the link.

IPython's own manager would open SQLite and start a thread; neither may exist in a process that forks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from IPython.core.history import HistoryManager
from traitlets import Any as AnyTrait

Line = tuple[int, int, Any]
"""Session number (0: this one), line number, input or (input, output)."""


class JournalHistory(HistoryManager):
    """In, Out and the current session's inputs live here; everything older is asked for."""

    ask: Callable[..., Any] = AnyTrait()
    _i00 = _i = _ii = _iii = ""  # the last inputs: plain attributes, of which nobody is notified

    def __init__(self, ask: Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "enabled": False})
        self.ask = ask
        self.session_number = 0  # this one; the supervisor knows the others'

    def pad(self, count: int) -> None:
        """Fill In up to number `count`, so that In[n] is what ran as [n] also after cells were lost."""
        for inputs in (self.input_hist_parsed, self.input_hist_raw):
            inputs.extend([""] * (count - len(inputs)))

    def store_inputs(self, line_num: int, source: str, source_raw: str | None = None) -> None:
        """Keep a cell's input as In[n] and `_i`, `_ii`, `_iii`, `_i<n>`; the journal has it already."""
        raw = (source if source_raw is None else source_raw).rstrip("\n")
        if self._exit_re.match(raw.strip()):
            return
        self.input_hist_parsed.append(source.rstrip("\n"))
        self.input_hist_raw.append(raw)
        self._iii, self._ii, self._i, self._i00 = self._ii, self._i, self._i00, raw
        if self.shell is not None:
            last = {"_i": self._i, "_ii": self._ii, "_iii": self._iii, f"_i{line_num}": raw}
            self.shell.push(last, interactive=False)

    def get_tail(
        self, n: int = 10, raw: bool = True, output: bool = False, include_latest: bool = False
    ) -> Iterable[Line]:
        """The last `n` inputs of all sessions."""
        return self._lines("tail", n=n, raw=raw, output=output, include_latest=include_latest)

    def search(
        self,
        pattern: str = "*",
        raw: bool = True,
        search_raw: bool = True,  # noqa: ARG002 - IPython's signature; the journal searches what was typed
        output: bool = False,
        n: int | None = None,
        unique: bool = False,
    ) -> Iterable[Line]:
        """Inputs that match the glob `pattern`."""
        return self._lines("search", pattern=pattern, raw=raw, output=output, n=n, unique=unique)

    def get_range(
        self,
        session: int = 0,
        start: int = 1,
        stop: int | None = None,
        raw: bool = True,
        output: bool = False,
    ) -> Iterable[Line]:
        """Inputs `start` to `stop` of a session: 0 this one, -1 the one before."""
        if session == 0:
            return self._own(start, stop, raw, output)
        return self._lines("range", session=session, start=start, stop=stop, raw=raw, output=output)

    def _own(self, start: int, stop: int | None, raw: bool, output: bool) -> Iterable[Line]:
        """This session's: cells that crashed or were undone are not in In, but they were typed."""
        lines: list[Line] = list(self._get_range_session(start, stop, raw, output))
        missing = [number for _, number, entry in lines if number and not (entry[0] if output else entry)]
        if not missing:
            return lines
        asked = self._lines(
            "range", session=0, start=missing[0], stop=missing[-1] + 1, raw=raw, output=output
        )
        typed = {number: entry for _, number, entry in asked}
        return [
            (session, number, typed.get(number, entry) if number in missing else entry)
            for session, number, entry in lines
        ]

    def _lines(self, access: str, **arguments: Any) -> list[Line]:
        lines: list[Line] = self.ask("history", hist_access_type=access, **arguments)
        return [
            (number, line, tuple(entry) if isinstance(entry, list) else entry)
            for number, line, entry in lines
        ]
