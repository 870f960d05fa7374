"""A screen to write to, and the page that shows it."""

from __future__ import annotations

import pytest

from holdfast.console.screen import Screen
from kit.page import COLUMNS, ROWS, Page


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The terminal has colours, wherever the tests are run."""
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """The terminal, without colours so that lines read as they look."""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    monkeypatch.setenv("LINES", str(ROWS))
    monkeypatch.setenv("NO_COLOR", "1")
    return Page()


@pytest.fixture
def screen(page: Page) -> Screen:
    return Screen(page, page)
