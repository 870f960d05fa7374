"""Whether the kernel has killed for lack of memory, read from files as it writes them."""

from __future__ import annotations

from pathlib import Path

from holdfast.supervisor.aftermath import oom
from holdfast.supervisor.aftermath.oom import OomCounter


def _count(path: Path, kills: int) -> Path:
    path.write_text(f"low 0\noom 3\noom_kill {kills}\noom_group_kill 0\n")
    return path


def test_a_kill_is_told_once(tmp_path: Path) -> None:
    counter = OomCounter([_count(tmp_path / "events", 4)])
    assert not counter.moved()
    _count(tmp_path / "events", 5)
    assert counter.moved()
    assert not counter.moved()


def test_a_kill_before_the_cell_began_is_not_its_own(tmp_path: Path) -> None:
    counter = OomCounter([_count(tmp_path / "events", 4)])
    counter._at -= 2 * oom.LOOK_SECONDS
    _count(tmp_path / "events", 5)
    counter.look()
    assert not counter.moved()


def test_kills_elsewhere_on_the_machine_prove_nothing_where_the_own_group_is_counted(tmp_path: Path) -> None:
    own, machine = _count(tmp_path / "own", 0), _count(tmp_path / "machine", 0)
    counter = OomCounter([tmp_path / "missing", own, machine])
    _count(machine, 1)
    assert not counter.moved()
    _count(own, 1)
    assert counter.moved()


def test_a_file_that_does_not_count_kills_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("oom_kill_disable 0\nunder_oom 0\n")
    counter = OomCounter([tmp_path / "old", _count(tmp_path / "machine", 0)])
    _count(tmp_path / "machine", 1)
    assert counter.moved()


def test_the_kernel_of_this_machine_counts() -> None:
    assert not OomCounter().moved()
