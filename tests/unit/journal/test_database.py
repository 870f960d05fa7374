"""A connection commits whole groups or nothing, and says everything that fails in our own words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast.errors import JournalDamaged, JournalError
from holdfast.journal.database import Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "file.db").touch()
    database = Database(tmp_path / "file.db", read_only=False, wait=0.05)
    database.run("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL)")
    yield database
    database.close()


def insert_in_a_group(database: Database, rows: list[int], then: Callable[[], object]) -> None:
    with database.transaction():
        for row in rows:
            database.run("INSERT INTO t VALUES (?, 'x')", row)
        then()


def test_a_group_that_fails_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        insert_in_a_group(database, [1], then=lambda: 1 / 0)
    with pytest.raises(JournalError):
        insert_in_a_group(database, [2, 2], then=lambda: None)
    assert database.rows("SELECT * FROM t") == []
    with database.transaction():  # and the next one is not disturbed
        database.run("INSERT INTO t VALUES (3, 'x')")
    assert database.rows("SELECT a FROM t") == [(3,)]


def test_a_new_row_is_told_by_its_id_and_a_change_by_its_rows(database: Database) -> None:
    assert [database.insert("INSERT INTO t (b) VALUES (?)", text) for text in "xyz"] == [1, 2, 3]
    assert database.run("UPDATE t SET b = 'q' WHERE a > ?", 1) == 2


def test_text_that_is_not_text_in_the_file_is_damage(database: Database) -> None:
    database.run("INSERT INTO t VALUES (1, CAST(x'ff' AS TEXT))")
    with pytest.raises(JournalDamaged):
        database.rows("SELECT b FROM t")


def test_a_row_of_other_types_than_asked_for_is_damage(database: Database) -> None:
    database.run("INSERT INTO t VALUES (1, 'x')")
    with pytest.raises(JournalDamaged):
        database.records(tuple[int, int], "SELECT a, b FROM t")


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(JournalError):
        Database(tmp_path / "missing.db", read_only=False, wait=0.05)
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_a_uri_would_misread_is_taken_literally(tmp_path: Path) -> None:
    path = tmp_path / "what?mode=memory#%41.db"
    path.touch()
    database = Database(path, read_only=False, wait=0.05)
    database.run("CREATE TABLE t (a)")
    database.close()
    assert path.stat().st_size > 0


FORK = """
import os, sys
from pathlib import Path
from holdfast.journal.database import Database

database = Database(Path(sys.argv[1]), read_only=False, wait=0.05)
if os.fork():
    sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
try:
    database.rows("SELECT 1")
except AssertionError:
    os._exit(3)
"""


def test_a_forked_child_can_not_use_the_connection(database: Database) -> None:
    assert subprocess.run([sys.executable, "-c", FORK, str(database.path)], check=False).returncode == 3
