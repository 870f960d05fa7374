"""Which file is a project's, and what a stranger's file can't do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast.config import project
from holdfast.config.given import Given


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "top" / "middle" / "here").mkdir(parents=True)
    return tmp_path


def keep(folder: Path) -> int | None:
    """What the project of `folder` says of standby.keep."""
    found = project.find(folder)
    assert all(isinstance(each, Given) for each in found.said), found.said
    return found.said[0].value if found.said else None  # type: ignore[union-attr]


def test_the_nearest_file_upwards_counts_alone(root: Path) -> None:
    here = root / "top" / "middle" / "here"
    assert keep(here) is None
    (root / "top" / "holdfast.toml").write_text("standby.keep = 1\nstandby.branches = 1")
    assert keep(here) == 1
    (root / "top" / "middle" / "pyproject.toml").write_text("[tool.holdfast.standby]\nkeep = 2")
    found = project.find(here)
    assert [each.name for each in found.said if isinstance(each, Given)] == ["standby.keep"]
    assert keep(here) == 2
    (root / "top" / "middle" / "holdfast.toml").write_text("[standby]\nkeep = 3")
    assert keep(here) == 3


def test_a_pyproject_that_is_about_something_else_is_passed_by(root: Path) -> None:
    (root / "top" / "holdfast.toml").write_text("standby.keep = 1")
    for text in ("[project]\nname = 'x'", "[project]\ndependencies = ['holdfast']\n[tool.ruff]"):
        (root / "top" / "middle" / "pyproject.toml").write_text(text)
        assert keep(root / "top" / "middle" / "here") == 1


def test_the_search_ends_at_the_top_of_a_repository(root: Path) -> None:
    (root / "holdfast.toml").write_text("standby.keep = 1")
    (root / "top" / ".git").write_text("gitdir: elsewhere")  # as in a worktree
    assert keep(root / "top" / "middle") is None
    (root / "top" / "holdfast.toml").write_text("standby.keep = 2")
    assert keep(root / "top" / "middle") == 2


def test_the_home_folder_is_no_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "holdfast.toml").write_text("standby.keep = 1")
    (root / "top" / "holdfast.toml").write_text("standby.keep = 2")
    monkeypatch.setenv("HOME", str(root / "top"))
    assert keep(root / "top" / "middle") is None
    assert keep(root / "top") is None


def test_a_folder_that_is_gone_has_no_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = project.Project(None, [], [])
    assert project.find(root / "gone") == nothing
    monkeypatch.chdir(root / "top" / "middle" / "here")
    (root / "top" / "middle" / "here").rmdir()
    assert project.find(Path(os.curdir)) == nothing


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_a_file_that_somebody_else_put_above_is_passed_by(root: Path) -> None:
    file = root / "holdfast.toml"
    file.write_text("standby.keep = 1")
    os.chown(file, 12345, 12345)
    found = project.find(root / "top")
    assert (found.said, found.passed_by) == ([], [file])
    os.chown(root / "top", 12345, 12345)  # a folder of theirs, and a user who works in it
    assert keep(root / "top") == 1


@pytest.mark.parametrize(
    "text",
    [
        "console.editing_mode = 'vi'",
        "wire.max_bytes = 1",
        "checkpoint.enabled = true",
        "standby.budget = '99%'",
        "standby.on_crash = 'exit'",
        "durability = 'process'",
        "project = true",
    ],
)
def test_what_is_the_users_to_decide_is_refused(root: Path, text: str) -> None:
    (root / "holdfast.toml").write_text(text)
    (said,) = project.find(root).said
    name = text.partition(" ")[0]
    assert not isinstance(said, Given)
    assert said.what == f"{root}/holdfast.toml:1: {name} is not for a project to set"


def test_a_file_that_can_not_be_read_is_named_and_does_not_hang(root: Path) -> None:
    os.mkfifo(root / "holdfast.toml")
    (said,) = project.find(root).said
    assert not isinstance(said, Given)
    assert said.what == f"{root}/holdfast.toml is not a file"
    (root / "holdfast.toml").unlink()
    (root / "pyproject.toml").write_text("[tool]\nholdfast = 5")
    (said,) = project.find(root).said
    assert not isinstance(said, Given)
    assert said.what == f"{root}/pyproject.toml: tool.holdfast is not a table"
