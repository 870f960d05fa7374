"""What code in a cell finds where it looks for its terminal: that of the client which runs the cell.

A cell has no terminal of its own. Libraries look at variables, pandas at its options, and rich at the name of
IPython's shell; each is told in its own way, for this cell only, and what the user has set stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from types import ModuleType

from holdfast.protocol.codec import value_of
from holdfast.protocol.terminal import Terminal, told_in

_VARIABLES = ("COLUMNS", "LINES", "POLARS_TABLE_WIDTH", "TERM", "COLORTERM", "NO_COLOR")

_PANDAS = {"display.width": 80, "display.max_columns": 20}
"""Options, and what they are in a notebook. 0 for the second means: as many columns as fit."""


class ClientsTerminal:
    """The terminal of the client that runs the cell, if it has told of one."""

    def __init__(self) -> None:
        self._now: Terminal | None = None
        self._inherited = {name: os.environ.get(name) for name in _VARIABLES}
        """Before any cell: what is otherwise now was set by the user."""

    @property
    def is_there(self) -> bool:
        """The output of the running cell goes to a terminal."""
        return self._now is not None

    @contextlib.contextmanager
    def of(self, metadata: bytes) -> Iterator[None]:
        """While a request with this metadata runs."""
        told = told_in(value_of(metadata)) if metadata != b"{}" else None
        if told is None:
            yield
            return
        self._now = told
        variables = {
            name: value
            for name, value in _wanted(told).items()
            if os.environ.get(name) == self._inherited[name]
        }
        os.environ.update(variables)
        if (pandas := sys.modules.get("pandas")) is not None:
            self.widen(pandas)
        try:
            yield
        finally:
            self._now = None
            for name, ours in variables.items():
                if os.environ.get(name) == ours:
                    _put_back(name, self._inherited[name])
            if (pandas := sys.modules.get("pandas")) is not None:
                _change_options(pandas, _options(told), _PANDAS)

    def widen(self, pandas: ModuleType) -> None:
        """Tell pandas, which is there, or has just been imported."""
        if self._now is not None:
            _change_options(pandas, _PANDAS, _options(self._now))


def _wanted(terminal: Terminal) -> dict[str, str]:
    columns, lines = str(terminal.columns), str(terminal.lines)
    wanted = {"COLUMNS": columns, "LINES": lines, "POLARS_TABLE_WIDTH": columns}
    if terminal.colours == "none":
        wanted["NO_COLOR"] = "1"  # no-color.org: as the user has told the console
    if terminal.colours in ("256", "truecolor"):
        wanted["TERM"] = "xterm-256color"
    if terminal.colours == "truecolor":
        wanted["COLORTERM"] = "truecolor"
    return wanted


def _put_back(name: str, before: str | None) -> None:
    if before is None:
        del os.environ[name]
    else:
        os.environ[name] = before


def _options(terminal: Terminal) -> dict[str, int]:
    return {"display.width": terminal.columns, "display.max_columns": 0}


def _change_options(pandas: ModuleType, before: dict[str, int], after: dict[str, int]) -> None:
    """Change those options that are as they were."""
    with contextlib.suppress(Exception):  # a pandas without them, or half imported: it shows what it shows
        for name, value in before.items():
            if pandas.get_option(name) == value:
                pandas.set_option(name, after[name])
