"""The input history answers as IPython's own does, asked the same about the same sessions."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from holdfast.errors import JournalDamaged, JournalError, RefusedPath
from holdfast.journal.history import History

INPUTS = st.text("ab *[]?é'\n", max_size=4)
PATTERNS = st.text("ab*?[]^-é\n", max_size=4)
RESULTS = st.none() | st.text("12", max_size=2)
LINES = st.lists(st.tuples(INPUTS, INPUTS, RESULTS), max_size=8)
SESSIONS = st.lists(LINES, min_size=1, max_size=4)
COUNTS = st.none() | st.integers(0, 12)


class Both:
    """The same sessions in IPython's history and in ours. The last of them is the current one."""

    def __init__(
        self, shell: InteractiveShell, path: Path, sessions: list[list[tuple[str, str, str | None]]]
    ):
        path.unlink(missing_ok=True)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        self.theirs = HistoryManager(shell=shell, hist_file=":memory:", db_log_output=True)
        self.ours = History.open(path)
        self.current = self.ours.begin("a", 1.0)
        self.lines = 0
        for number, lines in enumerate(sessions):
            if number:
                self.theirs.reset()
                self.theirs.output_hist_reprs.clear()
                self.ours.end(self.current, 1.0)
                self.current = self.ours.begin("a", 1.0)
            assert self.current == self.theirs.session_number
            self._enter(lines)

    def _enter(self, lines: list[tuple[str, str, str | None]]) -> None:
        self.lines = len(lines)
        for line, (source, raw, result) in enumerate(lines, start=1):
            self.theirs.store_inputs(line, source, raw)
            self.ours.add(self.current, line, source, raw, 1.0)
            if result is not None:
                self.theirs.output_hist_reprs[line] = result
                self.theirs.store_output(line)
                self.ours.add_output(self.current, line, result)
        self.theirs.writeout_cache()

    def close(self) -> None:
        self.theirs.close()
        self.ours.close()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        yield InteractiveShell(config=config)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("history") / "state" / "history.db"


@given(sessions=SESSIONS, n=COUNTS, raw=st.booleans(), output=st.booleans(), latest=st.booleans())
def test_the_tail_is_ipythons(
    shell: InteractiveShell,
    path: Path,
    sessions: list[list[tuple[str, str, str | None]]],
    n: int | None,
    raw: bool,
    output: bool,
    latest: bool,
) -> None:
    both = Both(shell, path, sessions)
    theirs = list(both.theirs.get_tail(n, raw, output, include_latest=latest))
    assert both.ours.tail(n, raw, output, latest, session=both.current) == theirs
    both.close()


@example(
    sessions=[[("a", "a", None), ("b", "b", "1"), ("c", "c", None)]],
    session=0,
    start=1,
    stop=-1,
    raw=True,
    output=True,
)
@given(
    sessions=SESSIONS,
    session=st.just(0) | st.integers(-4, 5),
    start=st.integers(-9, 10),
    stop=st.none() | st.integers(-9, 10),
    raw=st.booleans(),
    output=st.booleans(),
)
def test_a_range_is_ipythons(
    shell: InteractiveShell,
    path: Path,
    sessions: list[list[tuple[str, str, str | None]]],
    session: int,
    start: int,
    stop: int | None,
    raw: bool,
    output: bool,
) -> None:
    assume(start >= -len(sessions[-1]) - 1)  # beyond, IPython indexes its list from the wrong end or raises
    both = Both(shell, path, sessions)
    theirs = list(both.theirs.get_range(session, start, stop, raw, output))
    assert both.ours.range(session, start, stop, raw, output, current=both.current) == theirs
    both.close()


@given(
    sessions=SESSIONS,
    pattern=PATTERNS | st.just("*") | st.just("*a*"),
    raw=st.booleans(),
    output=st.booleans(),
    n=COUNTS,
    unique=st.booleans(),
)
def test_a_search_finds_what_ipythons_finds(
    shell: InteractiveShell,
    path: Path,
    sessions: list[list[tuple[str, str, str | None]]],
    pattern: str,
    raw: bool,
    output: bool,
    n: int | None,
    unique: bool,
) -> None:
    both = Both(shell, path, sessions)
    theirs = list(both.theirs.search(pattern, raw, output=output, n=n, unique=unique))
    assert both.ours.search(pattern, raw, output, n, unique) == theirs
    both.close()


def test_commands_to_exit_are_not_kept_as_in_ipython(shell: InteractiveShell, path: Path) -> None:
    commands = ["exit", "quit()", " exit (0) ", "exit\n", "exits", "x = exit"]
    both = Both(shell, path, [[(command, command, None) for command in commands]])
    kept = [entry[2] for entry in both.ours.tail()]
    assert kept == [entry[2] for entry in both.theirs.get_tail(include_latest=True)] == ["exits", "x = exit"]
    both.close()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History.open(tmp_path / "state" / "history.db")
    yield history
    history.close()


def test_the_own_session_comes_last_in_the_tail_although_another_is_newer(history: History) -> None:
    mine, other = history.begin("mine", 1.0), history.begin("other", 2.0)
    history.add(mine, 1, "m", "m", 3.0)
    history.add(other, 1, "o", "o", 4.0)
    assert [text for _, _, text in history.tail(session=mine)] == ["o", "m"]
    assert [text for _, _, text in history.tail()] == ["m", "o"]


def test_a_line_told_twice_is_kept_once(history: History) -> None:
    number = history.begin("a", 1.0)
    history.add(number, 1, "x", "x", 1.0)
    history.add(number, 1, "x", "x", 1.0)
    history.add_output(number, 1, "5")
    history.add_output(number, 1, "5")
    assert history.tail(output=True) == [(number, 1, ("x", "5"))]


def test_lines_that_are_missing_from_the_current_session_are_skipped(history: History) -> None:
    number = history.begin("a", 1.0)
    for line in (1, 4):
        history.add(number, line, str(line), str(line), 1.0)
    assert history.range(current=number) == [(0, 1, "1"), (0, 4, "4")]
    assert history.range(start=-1, current=number) == [(0, 4, "4")]


@pytest.mark.parametrize("huge", [10**40, -(10**40)])
def test_absurd_numbers_from_a_client_are_answered(history: History, huge: int) -> None:
    number = history.begin("a", 1.0)
    history.add(number, 1, "x", "x", 1.0)
    everything = [(number, 1, "x")] if huge > 0 else []
    assert history.tail(huge) == history.search(n=huge) == everything
    assert history.range(huge, huge, huge, current=number) == []
    assert history.range(number, 1, huge, current=number + 1) == everything
    assert history.range(0, huge, None, current=number) == ([] if huge > 0 else [(0, 0, ""), (0, 1, "x")])


def test_the_history_is_there_after_reopening_and_private(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history.db"
    for number in (1, 2, 3):
        history = History.open(path)
        assert history.begin("a", 1.0) == number
        history.add(number, 1, "x", f"x{number}", 1.0)
        assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
        history.close()
    history = History.open(path)
    assert [text for _, _, text in history.tail()] == ["x1", "x2", "x3"]
    history.close()


def test_a_planted_link_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    (folder / "history.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedPath, match="symbolic link"):
        History.open(folder / "history.db")
    assert not (tmp_path / "elsewhere").exists()


def test_a_damaged_history_is_refused_and_not_touched(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    path = folder / "history.db"
    path.touch(mode=0o600)
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(JournalDamaged) as refusal:
        History.open(path)
    assert refusal.value.remedy
    assert path.read_bytes() == b"no database at all " * 100


@pytest.mark.parametrize(
    ("change", "reason"),
    [("PRAGMA user_version = 9", "version 9"), ("PRAGMA application_id = 9", "not a history of Holdfast")],
)
def test_a_foreign_or_newer_history_is_refused_and_not_touched(
    tmp_path: Path, change: str, reason: str
) -> None:
    path = tmp_path / "state" / "history.db"
    History.open(path).close()
    changed = sqlite3.connect(path)
    changed.execute(change)
    changed.close()
    before = path.read_bytes()
    with pytest.raises(JournalError, match=reason):
        History.open(path)
    assert path.read_bytes() == before


def test_a_history_that_lost_its_content_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history.db"
    History.open(path).close()
    path.write_bytes(b"")
    with pytest.raises(JournalDamaged, match="empty"):
        History.open(path)
