"""What a session was told is there when its journal is opened again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.errors import JournalDamaged, JournalError, RefusedPath
from holdfast.journal.journal import Journal, read_only
from holdfast.journal.records import CellRecord
from holdfast.settings import Output

from .conftest import IMPATIENT, LIMITS, Opener


def accept(journal: Journal, code: str = "1 + 1", at: float = 10.0, **more: object) -> int:
    return journal.accept(
        msg_id="abc_1",
        header=b'{"msg_id":"abc_1"}',
        code=code,
        client="ana",
        silent=False,
        store_history=True,
        at=at,
        **more,  # type: ignore[arg-type]
    )


def test_a_cell_is_told_as_it_was_accepted_started_and_finished(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    cell = accept(journal, "1/0", at=10.0)
    journal.start(cell, 7, 11.0)
    assert journal.finish(cell, "error", 12.0, "ZeroDivisionError", "division by zero")
    expected = CellRecord(
        id=cell,
        epoch=1,
        msg_id="abc_1",
        header=b'{"msg_id":"abc_1"}',
        code="1/0",
        client="ana",
        silent=False,
        store_history=True,
        count=7,
        accepted=10.0,
        started=11.0,
        ended=12.0,
        status="error",
        ename="ZeroDivisionError",
        evalue="division by zero",
    )
    assert journal.cells() == [expected]
    assert opened().cells() == [expected]


def test_a_cell_that_starts_at_once_has_the_same_record(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    waited = accept(journal, at=10.0)
    journal.start(waited, 3, 10.0)
    at_once = accept(journal, at=10.0, started=True, count=3)
    first, second = journal.cells()
    assert (first.count, first.started) == (second.count, second.started) == (3, 10.0)
    assert (first.id, second.id) == (waited, at_once)


def test_a_silent_cell_starts_without_a_count(opened: Opener) -> None:
    journal = opened()
    accept(journal, started=True, count=None, at=4.0)
    assert [(cell.started, cell.count) for cell in journal.cells()] == [(4.0, None)]


def test_the_first_end_of_a_cell_stands(opened: Opener) -> None:
    journal = opened()
    cell = accept(journal, started=True, count=1)
    assert journal.finish(cell, "crashed", 12.0)
    assert not journal.finish(cell, "ok", 13.0)
    assert [(record.status, record.ended) for record in journal.cells()] == [("crashed", 12.0)]


def test_the_end_of_a_cell_brings_its_output_along_even_if_it_had_ended(opened: Opener) -> None:
    journal = opened()
    cell = accept(journal, started=True, count=1)
    journal.finish(cell, "crashed", 12.0)
    journal.output(cell, 1, "stream", b"late", 12.5)
    journal.finish(cell, "ok", 13.0)
    assert not journal.pending
    assert [row.content for row in opened().outputs(cell)] == [b"late"]


def test_cells_can_be_asked_for_by_their_last_and_after_one(opened: Opener) -> None:
    journal = opened()
    ids = [accept(journal, f"x = {number}") for number in range(5)]
    assert [cell.id for cell in journal.cells()] == ids
    assert [cell.id for cell in journal.cells(last=2)] == ids[-2:]
    assert [cell.id for cell in journal.cells(after=ids[1])] == ids[2:]
    assert [cell.id for cell in journal.cells(last=1, after=ids[1])] == ids[-1:]
    assert journal.cells(last=0) == journal.cells(last=-3) == []


def test_cells_are_counted(opened: Opener) -> None:
    journal = opened()
    assert journal.count_cells() == 0
    for _ in range(3):
        accept(journal)
    assert journal.count_cells() == 3


def test_a_number_that_no_file_can_hold_is_refused(opened: Opener) -> None:
    with pytest.raises(JournalError):
        opened().cells(after=10**30)
    with pytest.raises(JournalError):
        opened().cells(last=10**30)


def test_the_header_of_a_cell_comes_back_byte_by_byte(opened: Opener) -> None:
    journal = opened()
    cell = accept(journal)
    assert journal.header_of(cell) == b'{"msg_id":"abc_1"}'
    assert journal.header_of(cell + 1) is None


def test_a_fact_is_the_one_stored_last(opened: Opener) -> None:
    journal = opened()
    assert journal.get("session_id") is None
    journal.set("session_id", "a")
    journal.set("session_id", "b")
    assert opened().get("session_id") == "b"


def test_events_are_told_in_order_with_their_details(opened: Opener) -> None:
    journal = opened()
    journal.begin(pid=42)
    journal.event("attach", 5.0, client="ana")
    journal.event("crash", 6.0, 3, signal=11, names=["x", "y"])
    journal.event("attach", 7.0, client="bo")
    events = opened().events()
    assert [(event.kind, event.at, event.cell, event.details) for event in events] == [
        ("begin", 1_000.0, None, {"pid": 42}),
        ("attach", 5.0, None, {"client": "ana"}),
        ("crash", 6.0, 3, {"signal": 11, "names": ["x", "y"]}),
        ("attach", 7.0, None, {"client": "bo"}),
    ]
    assert [event.details["client"] for event in opened().events("attach")] == ["ana", "bo"]


def test_output_is_told_in_order_with_and_without_a_commit_in_between(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    cell = accept(journal)
    journal.output(cell, 1, "stream", b"a", 1.0)
    journal.flush()
    journal.output(cell, 2, "display_data", b"b", 2.0)
    told = [
        (row.place, row.epoch, row.seq, row.msg_type, row.content, row.at) for row in journal.outputs(cell)
    ]
    assert told == [(1, 1, 1, "stream", b"a", 1.0), (2, 1, 2, "display_data", b"b", 2.0)]
    assert journal.pending  # asking is not writing
    assert [row.content for row in opened().outputs(cell)] == [b"a", b"b"]


def test_output_that_belongs_to_no_cell_is_kept_apart(opened: Opener) -> None:
    journal = opened()
    cell = accept(journal)
    journal.output(None, 1, "stream", b"from a thread", 1.0)
    journal.output(cell, 2, "stream", b"from the cell", 1.0)
    journal = opened()
    assert [row.content for row in journal.outputs(None)] == [b"from a thread"]
    assert [row.content for row in journal.outputs(cell)] == [b"from the cell"]


def test_every_run_has_its_own_number(opened: Opener) -> None:
    assert opened().begin() == 1
    journal = opened()
    assert journal.begin() == 2
    journal.end("stopped")
    journal = opened()
    assert journal.begin() == 3
    assert accept(journal) == 1
    assert journal.cells()[0].epoch == 3


def test_a_new_journal_had_no_run_before(opened: Opener) -> None:
    assert opened().previous.kind == "new"


def test_a_run_that_ended_is_told_as_clean(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    journal.output(accept(journal), 1, "stream", b"a", 1.0)
    journal.end("stopped")
    assert not journal.pending
    previous = opened().previous
    assert (previous.kind, previous.epoch, previous.since, previous.running) == ("clean", 1, 1_000.0, None)


def test_a_run_that_did_not_end_is_told_with_its_running_cell_and_last_sign_of_life(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    journal.finish(accept(journal, at=1_001.0, started=True, count=1), "ok", 1_002.0)
    running = accept(journal, "while True: print()", at=1_003.0, started=True, count=2)
    waiting = accept(journal, "next", at=1_004.0)
    journal.output(running, 9, "stream", b"\n", 1_005.5)
    journal = opened()
    previous = journal.previous
    assert (previous.kind, previous.epoch, previous.since) == ("unclean", 1, 1_005.5)
    assert previous.running is not None
    assert previous.running.id == running
    assert [cell.id for cell in journal.unfinished()] == [running, waiting]


def test_a_clean_end_is_no_longer_clean_once_a_run_begins(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    journal.end("stopped")
    opened().begin()
    assert opened().previous.kind == "unclean"


def test_head_and_tail_of_a_flood_are_kept_and_the_rest_is_stated(opened: Opener) -> None:
    journal = opened()
    cell = accept(journal)
    for seq in range(100):
        journal.output(cell, seq, "stream", b"%03d" % seq + bytes(97), 1.0)
        if seq % 7 == 0:
            journal.flush()
    told = journal.outputs(cell)
    journal = opened()
    assert journal.outputs(cell) == told
    assert [row.seq for row in told] == [*range(10), *range(90, 100)]
    assert journal.omitted(cell) == 8_000


def test_the_cap_counts_on_where_the_last_supervisor_stopped(opened: Opener) -> None:
    cell = accept(opened())
    for run in range(10):
        journal = opened()
        journal.begin()
        for seq in range(10):
            journal.output(cell, run * 10 + seq, "stream", bytes(100), 1.0)
    journal = opened()
    assert [row.seq for row in journal.outputs(cell)] == [*range(10), *range(90, 100)]
    assert journal.omitted(cell) == 8_000


def test_late_output_of_many_cells_by_turns_keeps_each_under_its_own_cap(opened: Opener) -> None:
    journal = opened()
    cells = [accept(journal) for _ in range(6)]  # more than are remembered
    for seq in range(50):
        for cell in cells:
            journal.output(cell, seq, "stream", bytes(100), 1.0)
    for cell in cells:
        assert [row.seq for row in journal.outputs(cell)] == [*range(10), *range(40, 50)]
        assert journal.omitted(cell) == 3_000


def test_output_of_many_cells_is_committed_before_it_fills_the_memory(opened: Opener) -> None:
    journal = opened()
    commits = 0
    for cell in [accept(journal) for _ in range(40)]:
        journal.output(cell, 1, "stream", bytes(1_000), 1.0)
        commits += not journal.pending
    assert commits == 8  # one for every five: four fit into a head and a tail


def test_a_flood_does_not_make_the_files_grow(folder: Path) -> None:
    limits = Output(journal_head_bytes=100_000, journal_tail_bytes=100_000, journal_wal_bytes=400_000)
    journal = Journal.open(folder, limits)
    cell = accept(journal)
    for seq in range(3_000):
        journal.output(cell, seq, "stream", bytes(10_000), 1.0)
        if seq % 5 == 0:
            journal.flush()
    assert (folder / "journal.db-wal").stat().st_size < 1_000_000
    journal.tidy()
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
    assert journal.omitted(cell) > 29_000_000
    journal.close()


def test_tidying_leaves_nothing_in_the_write_ahead_log(opened: Opener, folder: Path) -> None:
    journal = opened()
    journal.output(accept(journal), 1, "stream", b"a", 1.0)
    assert (folder / "journal.db-wal").stat().st_size > 0
    journal.tidy()
    assert (folder / "journal.db-wal").stat().st_size == 0
    assert not journal.pending


@example("print('\ud83d')")  # half of an emoji
@given(text=st.text(st.characters(exclude_categories=[]), max_size=50))
def test_any_text_can_be_code_and_comes_back(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    journal = Journal.open(folder, LIMITS)
    journal.finish(accept(journal, code=text), "error", 1.0, evalue=text)
    journal.close()
    (record,) = read_only(folder).cells()
    assert record.code == record.evalue == text.encode("utf-8", "backslashreplace").decode()


def test_a_journal_can_be_read_when_nobody_writes_it(opened: Opener, folder: Path) -> None:
    journal = opened()
    journal.begin()
    cell = accept(journal, started=True, count=1)
    journal.output(cell, 1, "stream", b"a", 1.0)
    journal.close()
    records = read_only(folder)
    assert records.ending().running == records.cells()[0]
    assert [row.content for row in records.outputs(cell)] == [b"a"]
    records.close()
    with pytest.raises(JournalError):
        records.cells()


def test_two_readers_do_not_disturb_each_other_nor_the_next_writer(opened: Opener, folder: Path) -> None:
    accept(opened())
    opened().close()
    one, other = read_only(folder), read_only(folder)
    assert one.cells() == other.cells()
    one.close()
    other.close()
    accept(opened())
    assert len(opened().cells()) == 2


def test_a_journal_in_use_is_neither_opened_nor_read(opened: Opener, folder: Path) -> None:
    opened()  # it has not even written anything
    with pytest.raises(JournalError, match="in use") as refusal:
        Journal.open(folder, LIMITS, life=IMPATIENT)
    assert refusal.value.remedy
    with pytest.raises(JournalError, match="in use"):
        read_only(folder, IMPATIENT)


def test_a_closed_journal_says_so(opened: Opener) -> None:
    journal = opened()
    journal.close()
    with pytest.raises(JournalError, match="closed"):
        journal.set("a", "b")


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_files_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        journal = Journal.open(tmp_path / "sessions" / "a", LIMITS)
        journal.set("a", "b")
        read_only_folder = tmp_path / "sessions" / "a"
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in read_only_folder.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert set(modes) >= {"journal.db", "journal.db-wal"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(read_only_folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["journal.db", "journal.db-wal"])
def test_a_planted_link_is_refused_and_what_it_leads_to_left_alone(
    opened: Opener, folder: Path, tmp_path: Path, name: str
) -> None:
    opened().close()
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    precious.chmod(0o600)
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(precious)
    for attempt in (opened, lambda: read_only(folder)):
        with pytest.raises(RefusedPath) as refusal:
            attempt()
        assert refusal.value.remedy
    assert precious.read_bytes() == b"precious"


def test_a_journal_that_others_may_read_is_refused(opened: Opener, folder: Path) -> None:
    opened().close()
    (folder / "journal.db").chmod(0o644)
    with pytest.raises(RefusedPath, match="open to others"):
        opened()


def test_a_folder_that_others_may_enter_is_refused(opened: Opener, folder: Path) -> None:
    folder.chmod(0o755)
    with pytest.raises(RefusedPath, match="open to others"):
        opened()


def test_a_session_without_a_journal_has_nothing_to_read(folder: Path) -> None:
    with pytest.raises(JournalDamaged):
        read_only(folder)
    assert list(folder.iterdir()) == []


# --- for a supervisor that takes over


def test_a_bookmark_is_of_the_same_commit_as_the_output_before_it(opened: Opener) -> None:
    journal = opened()
    place = "one"
    journal.bookmark = lambda: place
    cell = accept(journal, started=True, count=1)
    journal.output(cell, 1, "stream", b"a", 1.0)
    assert journal.get("bookmark") is None
    journal.flush()
    assert journal.get("bookmark") == "one"
    place = "two"
    journal.finish(cell, "ok", 2.0)
    assert journal.get("bookmark") == "two"


def test_a_request_and_its_reply_are_kept_until_it_is_answered(opened: Opener) -> None:
    journal = opened()
    cell = accept(journal, started=True, count=1, turn=7, request=b"who asked")
    accept(journal)  # of which nothing is kept
    (waiting,) = journal.unanswered()
    assert (waiting.id, waiting.turn, waiting.request, waiting.reply) == (cell, 7, b"who asked", None)
    journal.finish(cell, "ok", 2.0, reply=b"done")
    assert [each.reply for each in opened().unanswered()] == [b"done"]
    journal = opened()
    journal.answered(cell)
    journal.output(cell, 1, "stream", b"a", 1.0)
    journal.flush()
    assert journal.unanswered(), "the reply is on its way, and may be lost with us"
    journal.left()
    journal.flush()
    assert not opened().unanswered()


def test_what_was_published_after_a_position_is_told_in_its_order(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    first, second = accept(journal), accept(journal)
    for seq, cell in enumerate([first, second, first, None], 1):
        journal.output(cell, seq, "stream", str(seq).encode(), 1.0)
    journal.flush()
    journal.begin()
    journal.output(first, 1, "stream", b"of the next run", 2.0)
    journal.flush()
    told = [(cell, row.content) for cell, row in journal.published_after(1, 2, 1_000)]
    assert told == [(first, b"3"), (0, b"4"), (first, b"of the next run")]
    some = [row.content for _, row in journal.published_after(1, 2, 2)]
    assert some == [b"3", b"4"]


def test_of_a_cells_output_the_end_is_told_in_whole_rows_and_how_much_comes_before(opened: Opener) -> None:
    journal = opened()
    journal.begin()
    cell, other = accept(journal), accept(journal)
    for seq, content in enumerate([b"aaa", b"bb", b"cc", b"d"], 1):
        journal.output(cell, seq, "stream", content, 1.0)
    journal.output(other, 5, "stream", b"else", 1.0)
    journal.flush()
    for most, expected in ((8, 0), (7, 3), (5, 3), (4, 5), (1, 7), (0, 8)):
        rows, before = journal.last_outputs(cell, most)
        assert before == expected, most
        assert before + sum(len(row.content) for row in rows) == 8
    assert [row.content for row in journal.last_outputs(cell, 5)[0]] == [b"bb", b"cc", b"d"]


def test_effects_are_told_as_far_as_the_worker_holds_them(opened: Opener) -> None:
    journal = opened()
    cells = [accept(journal, started=True, count=count) for count in (1, 2, 3)]
    for cell, held in zip(cells, (True, False, None), strict=True):
        journal.finish(cell, "ok", 1.0, held=held)
    assert [(each.id, each.shown) for each in journal.effects(0)] == [(cells[0], True), (cells[1], False)]
    journal.drop_effects(cells[0])
    assert [each.id for each in journal.effects(0)] == [cells[0]]
