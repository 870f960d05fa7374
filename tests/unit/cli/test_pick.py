"""Which session is meant, and what a new one is called."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cli import pick
from holdfast.errors import NoSuchSession, SessionError
from holdfast.paths import checked_name
from kit.kernel import scratch


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with scratch() as folder:
        monkeypatch.setenv("HOLDFAST_HOME", str(folder))
        yield folder


def test_a_new_session_is_called_after_its_folder_and_then_numbered() -> None:
    assert list(islice(pick.names_for("/home/ana/ledger"), 3)) == ["ledger", "ledger-2", "ledger-3"]


@given(st.text().map(lambda words: "/" + words))
def test_any_folder_gives_names_that_sessions_can_have(folder: str) -> None:
    for name in islice(pick.names_for(folder), 3):
        assert checked_name(name) == name


def test_folders_without_a_usable_name_have_sessions_too() -> None:
    assert next(pick.names_for("/")) == "session"
    assert next(pick.names_for("/…")) == "session"
    assert next(pick.names_for("/My Data (2)")) == "My-Data-2"


def test_numbering_ends_with_an_error() -> None:
    with pytest.raises(SessionError, match="more than"):
        list(pick.names_for("/x"))


def test_without_a_name_the_session_used_last_is_meant(home: Path) -> None:
    for age, name in enumerate(["new", "old", "oldest"]):
        journal = home / "state" / "sessions" / name / "journal.db"
        journal.parent.mkdir(parents=True)
        journal.touch()
        os.utime(journal, (1e9 - age, 1e9 - age))
    assert pick.named_or_newest(None) == "new"
    assert pick.named_or_newest("old") == "old"


def test_without_any_session_one_is_offered(home: Path) -> None:
    with pytest.raises(NoSuchSession, match="there are no sessions") as caught:
        pick.named_or_newest(None)
    assert caught.value.remedy == "holdfast"
