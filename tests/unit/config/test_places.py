"""Whether any place of settings says something: seen without reading one."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.config import places
from holdfast.console.opening import Look, look_of
from holdfast.settings import Console


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "home"))
    project = tmp_path / "project"
    (project / "below").mkdir(parents=True)
    (project / ".git").mkdir()
    monkeypatch.chdir(project / "below")
    return project


def test_nothing_is_said_where_there_is_nothing(here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.others]\n")
    assert places.unsaid({"HOLDFAST_HOME": "/somewhere", "HOLDFAST_THEME": "", "PATH": "/bin"})


def test_a_variable_says_something() -> None:
    assert not places.unsaid({"HOLDFAST_CONSOLE_THEME": "nord"})
    assert not places.unsaid({"HOLDFAST_CONSOLE_THEEM": "a mistake is to be told"})


def test_the_users_file_says_something() -> None:
    places.user_file().parent.mkdir(parents=True)
    places.user_file().write_text("")
    assert not places.unsaid({})


@pytest.mark.parametrize("name", ["holdfast.toml", "pyproject.toml"])
def test_a_projects_file_above_says_something(here: Path, name: str) -> None:
    (here / name).write_text("[tool.holdfast]\n")
    assert not places.unsaid({})


def test_the_look_of_who_has_set_nothing_is_that_of_the_defaults() -> None:
    console = Console()
    assert look_of(console) == Look()
