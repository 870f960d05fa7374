"""Which editor is started, and how."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from holdfast.console import editor
from holdfast.errors import HoldfastError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the PATH."""
    for name in ("vi", "nano", "code"):
        file = tmp_path / name
        file.write_text("#!/bin/sh\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("environ", "line", "command"),
    [
        ({}, 0, ["nano", "x.py"]),
        ({"EDITOR": "vi"}, 0, ["vi", "x.py"]),
        ({"EDITOR": "nano", "VISUAL": "vi -u 'my rc'"}, 7, ["vi", "-u", "my rc", "+7", "x.py"]),
        ({"EDITOR": "code --wait"}, 7, ["code", "--wait", "--goto", "x.py:7"]),
    ],
)
def test_the_users_editor_is_sent_to_the_line(
    programs: Path, environ: dict[str, str], line: int, command: list[str]
) -> None:
    assert editor.command(environ, Path("x.py"), line) == command


def test_an_editor_that_is_not_there_is_named(programs: Path) -> None:
    with pytest.raises(HoldfastError, match="EDITOR is 'emacs', and there is no such program"):
        editor.command({"EDITOR": "emacs"}, Path("x.py"), 0)


def test_no_editor_at_all_is_said(programs: Path) -> None:
    for file in programs.iterdir():
        file.unlink()
    with pytest.raises(HoldfastError, match="there is no editor here"):
        editor.command({}, Path("x.py"), 0)


def test_a_variable_that_is_no_command_is_named(programs: Path) -> None:
    with pytest.raises(HoldfastError, match="EDITOR is no command"):
        editor.command({"EDITOR": "vi 'open"}, Path("x.py"), 0)
