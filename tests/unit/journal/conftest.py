"""A private folder, and a journal in it with limits small enough to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.journal.journal import Journal
from holdfast.settings import Life, Output

LIMITS = Output(journal_head_bytes=2_000, journal_tail_bytes=2_000, journal_open_cells=2)
IMPATIENT = Life(busy_seconds=0.05)

Opener = Callable[[], Journal]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "session"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def opened(folder: Path) -> Iterator[Opener]:
    """Opens the folder's journal; what was opened last is closed before, and at the end."""
    journals: list[Journal] = []

    def open_again() -> Journal:
        for journal in journals:
            journal.close()
        journals.append(Journal.open(folder, LIMITS, life=IMPATIENT, now=lambda: 1_000.0))
        return journals[-1]

    yield open_again
    for journal in journals:
        journal.close()
