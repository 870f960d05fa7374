"""A damaged, foreign or newer journal is refused with advice, or its content is told: never a traceback."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.errors import JournalDamaged, JournalError
from holdfast.journal.journal import Journal, read_only
from holdfast.journal.records import Records

from .conftest import IMPATIENT, LIMITS, Opener

Content = dict[str, bytes]
CELLS = 60


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Content:
    """The files of a session whose supervisor died: half of the cells are in journal.db, half in its log."""
    folder = tmp_path_factory.mktemp("written") / "session"
    journal = Journal.open(folder, LIMITS)
    journal.begin(pid=1)
    for number in range(CELLS):
        cell = journal.accept(
            msg_id=f"m_{number}",
            header=b'{"msg_id":"m"}',
            code=f"x = {number}\n" * 40,
            client="ana",
            silent=False,
            store_history=True,
            at=float(number),
            started=True,
            count=number,
        )
        journal.output(cell, number, "stream", bytes(700), float(number))
        journal.finish(cell, "ok", float(number))
        journal.set(f"key {number}", "value")
        if number == CELLS // 2:
            journal.tidy()
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    journal.close()
    return {name: content[name] for name in ("journal.db", "journal.db-wal")}


def lay_out(folder: Path, content: Content) -> None:
    for name, data in content.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(data)


def tell_everything(records: Records | Journal) -> list[int]:
    cells = [cell.id for cell in records.cells()]
    for cell in cells:
        records.outputs(cell)
        records.omitted(cell)
        records.header_of(cell)
    records.events()
    records.get("key 1")
    records.unfinished()
    return cells


def read_it(folder: Path) -> list[int]:
    records = read_only(folder, IMPATIENT)
    try:
        records.ending()
        return tell_everything(records)
    finally:
        records.close()


def use_it(folder: Path) -> list[int]:
    journal = Journal.open(folder, LIMITS, life=IMPATIENT)
    try:
        journal.begin()
        journal.set("a", "b")
        return tell_everything(journal)
    finally:
        journal.close()


def attempt(folder: Path, use: Callable[[Path], list[int]]) -> list[int] | None:
    """The cells that are told (none, if refused without advice); None if it was refused as it should be."""
    try:
        return use(folder)
    except JournalError as error:
        return None if error.what and error.remedy else []


def refused_at_opening(folder: Path) -> bool:
    try:
        Journal.open(folder, LIMITS, life=IMPATIENT).close()
    except JournalError:
        return True
    return False


def refused_as_damaged(folder: Path) -> None:
    for use in (read_it, use_it):
        with pytest.raises(JournalDamaged) as refusal:
            use(folder)
        assert refusal.value.remedy


def test_the_files_tell_all_cells_when_nothing_happened_to_them(folder: Path, written: Content) -> None:
    lay_out(folder, written)
    assert read_it(folder) == use_it(folder) == list(range(1, CELLS + 1))


def test_a_journal_cut_anywhere_is_refused_and_not_touched(folder: Path, written: Content) -> None:
    whole = written["journal.db"]
    chosen = random.Random(1)
    offsets = [0, 1, 15, 16, 99, 100, 511, 512, 4095, 4096, 4097, len(whole) - 4096, len(whole) - 1]
    for offset in offsets + [chosen.randrange(len(whole)) for _ in range(40)]:
        lay_out(folder, {"journal.db": whole[:offset], "journal.db-wal": b""})
        refused_as_damaged(folder)
        assert (folder / "journal.db").read_bytes() == whole[:offset]


def test_a_log_cut_anywhere_loses_only_the_last_cells(folder: Path, written: Content) -> None:
    whole = written["journal.db-wal"]
    chosen = random.Random(2)
    for offset in [0, 1, 31, 32, 33, 56, *(chosen.randrange(len(whole)) for _ in range(40))]:
        lay_out(folder, {**written, "journal.db-wal": whole[:offset]})
        told = attempt(folder, use_it)
        assert told is not None
        assert told == list(range(1, len(told) + 1))
        assert len(told) > CELLS // 2


def test_a_flipped_byte_is_refused_or_told_but_never_a_traceback(folder: Path, written: Content) -> None:
    chosen = random.Random(3)
    refused = 0
    for _ in range(150):
        name = chosen.choice(list(written))
        damaged = bytearray(written[name])
        damaged[chosen.randrange(len(damaged))] ^= 1 << chosen.randrange(8)
        lay_out(folder, {**written, name: bytes(damaged)})
        assert attempt(folder, read_it) != []
        if refused_at_opening(folder):
            refused += 1
            assert (folder / name).read_bytes() == damaged
        else:
            assert attempt(folder, use_it) != []
    assert refused


def test_a_page_of_noise_is_refused_and_not_touched(folder: Path, written: Content) -> None:
    chosen = random.Random(4)
    whole = written["journal.db"]
    for page in range(len(whole) // 4096):
        damaged = whole[: page * 4096] + chosen.randbytes(4096) + whole[(page + 1) * 4096 :]
        lay_out(folder, {"journal.db": damaged, "journal.db-wal": b""})
        refused_as_damaged(folder)
        assert (folder / "journal.db").read_bytes() == damaged


def test_a_deleted_log_loses_only_what_was_in_it(folder: Path, written: Content) -> None:
    lay_out(folder, {"journal.db": written["journal.db"]})
    told = use_it(folder)
    assert len(told) == CELLS // 2 + 1


def test_a_log_without_its_journal_is_not_taken_for_a_new_session(folder: Path, written: Content) -> None:
    lay_out(folder, {"journal.db-wal": written["journal.db-wal"]})
    with pytest.raises(JournalDamaged, match="is gone"):
        Journal.open(folder, LIMITS)
    assert (folder / "journal.db-wal").read_bytes() == written["journal.db-wal"]
    assert not (folder / "journal.db").exists()


@pytest.mark.parametrize("content", [b"", b"\0", b"not a database, but some text of mine " * 200])
def test_a_file_that_is_no_journal_is_refused_and_not_touched(folder: Path, content: bytes) -> None:
    lay_out(folder, {"journal.db": content})
    with pytest.raises(JournalDamaged) as refusal:
        Journal.open(folder, LIMITS)
    assert refusal.value.remedy
    assert (folder / "journal.db").read_bytes() == content


def test_a_database_of_another_program_is_refused_and_not_touched(folder: Path) -> None:
    path = folder / "journal.db"
    path.touch(mode=0o600)
    foreign = sqlite3.connect(path)
    foreign.execute("CREATE TABLE mine (a)")
    foreign.close()
    before = path.read_bytes()
    with pytest.raises(JournalDamaged, match="not a journal of Holdfast"):
        Journal.open(folder, LIMITS)
    assert path.read_bytes() == before


def test_a_journal_of_a_newer_version_is_refused_and_not_touched(opened: Opener, folder: Path) -> None:
    opened().close()
    path = folder / "journal.db"
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match="version 99"):
        opened()
    assert path.read_bytes() == before


def test_values_of_the_wrong_type_are_told_as_damage(opened: Opener, folder: Path) -> None:
    journal = opened()
    journal.accept(msg_id="m", header=b"{}", code="1", client="", silent=False, store_history=True, at=1.0)
    journal.event("attach", 1.0)
    journal.close()
    changed = sqlite3.connect(folder / "journal.db")
    changed.execute("UPDATE cells SET header = 5, status = 'fine'")
    changed.execute("UPDATE events SET details = '{'")
    changed.commit()
    changed.close()
    journal = opened()
    for ask in (journal.cells, journal.events, lambda: journal.header_of(1)):
        with pytest.raises(JournalDamaged):
            ask()


def test_a_supervisor_that_died_while_it_made_the_journal_is_no_obstacle(
    opened: Opener, folder: Path
) -> None:
    for name in ("journal.db.new", "journal.db.new-wal", "journal.db.new-journal"):
        (folder / name).write_bytes(b"half of it")
    opened().begin()
    assert sorted(path.name for path in folder.iterdir() if "new" in path.name) == []


def test_a_journal_of_the_first_version_is_brought_up_to_date_and_tells_the_same(
    opened: Opener, folder: Path
) -> None:
    journal = opened()
    journal.accept(msg_id="m", header=b"{}", code="1", client="", silent=False, store_history=True, at=1.0)
    before = journal.cells()
    journal.close()
    older = sqlite3.connect(folder / "journal.db")
    for column in ("turn", "request", "reply", "held"):
        older.execute(f"ALTER TABLE cells DROP COLUMN {column}")
    older.execute("PRAGMA user_version = 1")
    older.close()
    assert read_it(folder) == [1]  # without being changed
    journal = opened()
    assert journal.cells() == before
    journal.finish(1, "ok", 2.0, reply=b"reply", held=True)
    assert [(effect.id, effect.shown) for effect in journal.effects(0)] == [(1, True)]
