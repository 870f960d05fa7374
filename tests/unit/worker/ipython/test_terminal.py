"""What code finds of a terminal, in a cell of a client that has one."""

from __future__ import annotations

import json
import os
import shutil
import sys
from types import ModuleType

import pytest

from holdfast.protocol import terminal
from holdfast.protocol.terminal import Terminal
from holdfast.worker.ipython.terminal import ClientsTerminal

WIDE = json.dumps(terminal.metadata(Terminal(132, 43, "truecolor"))).encode()


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "LINES", "POLARS_TABLE_WIDTH", "COLORTERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-color")


def test_the_terminal_has_its_size_and_colours_for_one_cell() -> None:
    before = dict(os.environ)
    client = ClientsTerminal()
    with client.of(WIDE):
        assert client.is_there
        assert shutil.get_terminal_size() == (132, 43)
        assert os.environ["COLORTERM"] == "truecolor"
    assert not client.is_there
    assert dict(os.environ) == before


def test_a_terminal_without_colours_gets_none() -> None:
    with ClientsTerminal().of(json.dumps(terminal.metadata(Terminal(80, 24, "none"))).encode()):
        assert os.environ["NO_COLOR"] == "1"


@pytest.mark.parametrize(
    "ours",
    [None, 7, {}, {"terminal": []}, {"terminal": {"columns": -1, "lines": 5}}],
)
def test_a_client_without_one_changes_nothing(ours: object) -> None:
    client = ClientsTerminal()
    with client.of(json.dumps({"holdfast": ours}).encode()):
        assert not client.is_there
        assert "COLUMNS" not in os.environ


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    client = ClientsTerminal()
    monkeypatch.setenv("COLUMNS", "200")
    with client.of(WIDE):
        assert os.environ["COLUMNS"] == "200"
        os.environ["LINES"] = "7"
    assert os.environ["LINES"] == "7"
    monkeypatch.setenv("LINES", "7")


def test_what_was_inherited_from_another_terminal_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    client = ClientsTerminal()
    with client.of(WIDE):
        assert os.environ["COLUMNS"] == "132"
    assert os.environ["COLUMNS"] == "80"


class Pandas(ModuleType):
    """Its options."""

    def __init__(self, **options: int) -> None:
        super().__init__("pandas")
        self.options = {f"display.{name}": value for name, value in options.items()}

    def get_option(self, name: str) -> int:
        return self.options[name]

    def set_option(self, name: str, value: int) -> None:
        self.options[name] = value


def test_pandas_is_told_when_it_is_imported_and_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = Pandas(width=80, max_columns=20)
    client = ClientsTerminal()
    with client.of(WIDE):
        monkeypatch.setitem(sys.modules, "pandas", pandas)
        client.widen(pandas)
        assert pandas.options == {"display.width": 132, "display.max_columns": 0}
    assert pandas.options == {"display.width": 80, "display.max_columns": 20}


def test_options_of_pandas_that_the_user_has_set_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    pandas = Pandas(width=200, max_columns=5)
    monkeypatch.setitem(sys.modules, "pandas", pandas)
    with ClientsTerminal().of(WIDE):
        assert pandas.options == {"display.width": 200, "display.max_columns": 5}
    assert pandas.options == {"display.width": 200, "display.max_columns": 5}
