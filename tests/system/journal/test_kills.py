"""A supervisor may be killed at any moment: what was acknowledged to it is in the journal."""

from __future__ import annotations

import os
import random
import select
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from holdfast.journal.journal import Journal
from holdfast.settings import Output

WRITER = Path(__file__).with_name("writer.py")
ROUNDS = 30


def killed_after(folder: Path, durability: str, lines: int, milliseconds: float) -> list[list[str]]:
    """What a writer said that was killed so long after its line number `lines`."""
    writer = subprocess.Popen([sys.executable, str(WRITER), str(folder), durability], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    said = b""
    while said.count(b"\n") < lines:
        more = os.read(writer.stdout.fileno(), 4096)
        assert more, f"the writer ended by itself after {said!r}"
        said += more
    # Nobody writes to this pipe: it is a wait by the kernel's clock, for a moment that nothing else marks.
    never, end = os.pipe()
    select.select([never], [], [], milliseconds / 1000)
    os.close(never)
    os.close(end)
    writer.kill()
    said += writer.stdout.read()
    writer.stdout.close()
    writer.wait()
    return [line.split() for line in said.decode().splitlines()]


def check(journal: Journal, acknowledged: list[list[str]]) -> None:
    told = defaultdict(list)
    for kind, *numbers in acknowledged:
        told[kind].append([int(number) for number in numbers])
    (epoch,) = told["epoch"][0]
    assert (journal.previous.kind, journal.previous.epoch) == ("unclean", epoch)
    cells = {cell.id: cell for cell in journal.cells() if cell.epoch == epoch}
    assert {cell for (cell,) in told["accept"]} <= cells.keys()
    assert all(cells[cell].status == "ok" for (cell,) in told["finish"])
    assert {cell for (cell,) in told["event"]} <= {
        event.details["number"] for event in journal.events("tick") if event.epoch == epoch
    }
    for cell, rows in told["output"]:
        assert [row.place for row in journal.outputs(cell)][:rows] == list(range(1, rows + 1))
    # At most one cell has no end, and if it had started it is the one that is told.
    without_end = journal.unfinished()
    assert len(without_end) <= 1
    assert [cell for cell in without_end if cell.started] == [
        cell for cell in [journal.previous.running] if cell is not None
    ]


def go_on(journal: Journal) -> None:
    """What a supervisor does next, which leaves the journal clean."""
    journal.begin()
    for cell in journal.unfinished():
        journal.finish(cell.id, "crashed", 1.0)
    journal.end("checked")
    journal.close()


@pytest.mark.parametrize("durability", ["process", "power"])
def test_what_was_acknowledged_is_never_missing_after_a_kill(tmp_path: Path, durability: str) -> None:
    chosen = random.Random(5)
    folder = tmp_path / "session"
    finished: set[int] = set()
    for _ in range(ROUNDS // 2):
        acknowledged = killed_after(folder, durability, chosen.randrange(2, 1_000), chosen.uniform(0, 3))
        journal = Journal.open(folder, Output())
        check(journal, acknowledged)
        finished |= {int(words[1]) for words in acknowledged if words[0] == "finish"}
        assert finished <= {cell.id for cell in journal.cells() if cell.status == "ok"}
        go_on(journal)


def test_a_kill_while_the_journal_is_made_or_opened_leaves_one_that_opens(tmp_path: Path) -> None:
    chosen = random.Random(6)
    for number in range(ROUNDS // 2):
        folder = tmp_path / f"session-{number % 5}"  # some are made, some are opened again
        said = killed_after(folder, "process", 1, chosen.uniform(0, 6))
        journal = Journal.open(folder, Output())
        if ["epoch"] in [line[:1] for line in said]:
            check(journal, said)
        go_on(journal)
