"""Output on its way to the file takes bounded memory; test_cap.py has what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.journal import making, schema
from holdfast.journal.database import Database
from holdfast.journal.outputs import Outputs

from .conftest import LIMITS


@pytest.fixture
def database(folder: Path) -> Iterator[Database]:
    making.ensure(folder / "journal.db", schema.LAYOUT)
    database = Database(folder / "journal.db", read_only=False, wait=0.05)
    yield database
    database.close()


def write(database: Database, outputs: Outputs) -> None:
    with database.transaction():
        outputs.write()
    outputs.written()


def test_only_so_many_cells_are_remembered_once_their_output_is_written(database: Database) -> None:
    outputs = Outputs(database, LIMITS)
    for cell in range(1, 20):
        outputs.add(1, cell, 1, "stream", b"a", 1.0)
    assert outputs.remembered == 19  # all of them wait
    write(database, outputs)
    assert outputs.remembered == LIMITS.journal_open_cells


def test_the_cells_that_wrote_last_are_the_ones_remembered(database: Database) -> None:
    outputs = Outputs(database, LIMITS)
    for cell in (1, 2, 1, 3):
        outputs.add(1, cell, 1, "stream", b"a", 1.0)
        write(database, outputs)
    database.run("DELETE FROM outputs")  # whoever is read again has to start at the first place
    for cell in (1, 3, 2):
        outputs.add(1, cell, 1, "stream", b"a", 1.0)
    assert [outputs.rows(cell, [])[0].place for cell in (1, 3, 2)] == [3, 2, 1]
