"""What the command line finds in the journal of a session that does not run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.cli.logs import kept
from holdfast.cli.logs.cells import newest
from holdfast.cli.logs.transcript import OMITTED
from holdfast.journal.journal import Journal
from holdfast.journal.lock import SessionLock
from holdfast.paths import session_state
from holdfast.settings import Output
from kit.kernel import scratch


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with scratch() as folder:
        monkeypatch.setenv("HOLDFAST_HOME", str(folder))
        yield folder


@pytest.fixture
def journal(home: Path) -> Journal:
    output = Output(journal_head_bytes=1000, journal_tail_bytes=1000)
    journal = Journal.open(session_state("work"), output)
    journal.begin(cwd="/somewhere")
    return journal


def accept(journal: Journal, code: str) -> int:
    header = b'{"msg_id":"1","msg_type":"execute_request"}'
    return journal.accept(
        msg_id=code, header=header, code=code, client="ana", silent=False, store_history=True, at=1.0
    )


def said(entry: dict[str, Any]) -> str:
    """The texts of an entry's output, with `<>` where some were not kept."""
    return "".join(
        "<>" if output["msg_type"] == OMITTED else output["content"]["text"] for output in entry["outputs"]
    )


def test_a_session_that_was_closed_is_told_from_one_that_was_not(journal: Journal) -> None:
    accept(journal, "1")
    journal.flush()
    journal.close()
    assert kept.summary("work")["state"] == "not closed properly"
    journal = Journal.open(session_state("work"), Output())
    journal.begin(cwd="/elsewhere")
    journal.end("stop")
    journal.close()
    found = kept.summary("work")
    assert (found["state"], found["cells"], found["cwd"]) == ("ended, state kept", 1, "/elsewhere")


def test_a_session_whose_lock_is_held_is_not_called_ended(journal: Journal) -> None:
    journal.close()
    lock = SessionLock.acquire(session_state("work") / "lock")
    assert kept.summary("work")["state"] == "does not answer"
    lock.release()
    assert kept.summary("work")["state"] == "not closed properly"


def test_a_damaged_journal_is_told_and_nothing_breaks(home: Path) -> None:
    folder = session_state("work")
    folder.mkdir(parents=True, mode=0o700)
    (folder / "journal.db").write_bytes(b"nonsense" * 1000)
    (folder / "journal.db").chmod(0o600)
    assert kept.summary("work")["state"] == "can't be read"


def test_cells_tell_how_far_they_came(journal: Journal) -> None:
    done, running, _ = (accept(journal, code) for code in ("a", "b", "c"))
    journal.start(done, 1, 2.0)
    journal.finish(done, "ok", 3.0)
    journal.start(running, 2, 4.0)
    journal.close()
    with kept.log_of("work") as ask:
        cells, _ = newest(ask, 20)
        assert [cell["code"] for cell in newest(ask, 2).cells] == ["b", "c"]
    assert [(cell["code"], cell["status"]) for cell in cells] == [
        ("a", "ok"),
        ("b", kept.CUT_OFF),
        ("c", "waiting"),
    ]


def test_output_that_was_not_kept_leaves_a_mark_where_it_was(journal: Journal) -> None:
    cell = accept(journal, "1")
    texts = [f"{number:040}" for number in range(100)]
    for number, text in enumerate(texts):
        journal.output(cell, number, "stream", json.dumps({"name": "stdout", "text": text}).encode(), 2.0)
    journal.close()
    with kept.log_of("work") as ask:
        ((entry,), _) = newest(ask, 1)
    head, tail = said(entry).split("<>")
    assert "".join(texts).startswith(head)
    assert "".join(texts).endswith(tail)
    assert head
    assert tail


def test_a_glance_at_a_session_reads_no_more_of_its_journal_than_it_tells(journal: Journal) -> None:
    for number in range(200):
        accept(journal, f"{number} " + "x" * 4000)
    journal.end("stop")
    journal.close()
    file = session_state("work") / "journal.db"
    middle = file.stat().st_size // 2 // 4096 * 4096
    with file.open("r+b") as damaged:
        damaged.seek(middle)
        damaged.write(b"\xff" * 16384)

    found = kept.summary("work", glance=True)
    assert (found["state"], found["cells"]) == ("ended, state kept", 200)
    trouble = kept.summary("work")["trouble"]
    assert trouble.startswith(f"{file} is damaged: ")
    assert "\n" not in trouble
