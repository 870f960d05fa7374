"""What ssh is told, and what a shell on the other side makes of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.remote import command
from holdfast.client.remote.address import parse
from holdfast.settings import Remote

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish", "csh", "tcsh") if shutil.which(shell)]


def there(words: list[str], **settings: str) -> str:
    """The command that sshd gives to the user's shell."""
    return command.of(parse("ssh://host"), words, Remote(**settings))[-1]


@given(st.lists(st.text()))
def test_any_words_come_out_as_they_went_in(words: list[str]) -> None:
    what, encoded = command.encoded(words)
    assert what == command.WORDS
    assert command.decoded(encoded) == words
    assert there([what, encoded]).endswith(f" sh {what} {encoded}")  # nothing had to be quoted


@pytest.mark.parametrize("junk", ["", "%%%", "bm90IGpzb24", "WzFd", "e30"])
def test_what_is_no_command_line_is_refused(junk: str) -> None:
    with pytest.raises(ValueError, match=r"\w|line"):
        command.decoded(junk)


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_finds_what_is_in_the_path(shell: str, tmp_path: Path) -> None:
    fake = tmp_path / "holdfast"
    fake.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    fake.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path)}
    line = there(["__porter", "x"])
    assert (
        subprocess.run([shell, "-c", line], env=env, capture_output=True, text=True, check=False).stdout
        == "__porter|x|"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_who_logs_in_may_have_more_in_the_path(shell: str, tmp_path: Path) -> None:
    place = tmp_path / "bin"
    place.mkdir()
    (place / "holdfast").write_text('#!/bin/sh\nprintf "found %s" "$1"\n')
    (place / "holdfast").chmod(0o755)
    (tmp_path / ".profile").write_text(f"echo hello there; PATH={place}:$PATH\n")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SHELL": "/bin/sh"}
    done = subprocess.run([shell, "-c", there(["ls"])], env=env, capture_output=True, text=True, check=False)
    assert done.stdout == "found ls", done.stderr


def test_where_there_is_none_it_is_said(tmp_path: Path) -> None:
    for program in ("sh", "tail"):
        (tmp_path / program).symlink_to(shutil.which(program) or "")
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "SHELL": "/bin/sh"}
    done = subprocess.run(
        ["/bin/sh", "-c", there(["ls"])], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == command.NOT_FOUND_STATUS
    assert done.stderr == f"{command.NOT_FOUND}\n"


def test_the_users_own_command_is_a_shells(tmp_path: Path) -> None:
    line = there(["ls", "-q"], command="~/venv/bin/echo say")
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "echo").symlink_to("/bin/echo")
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    assert (
        subprocess.run(["sh", "-c", line], env=env, capture_output=True, text=True, check=False).stdout
        == "say ls -q\n"
    )


def test_one_that_is_alone_asks_nobody_and_each_hears_of_a_cut() -> None:
    alone = command.of(parse("ssh://host"), ["x"], Remote(alive_seconds=7, alive_count=2), alone=True)
    asking = command.of(parse("ssh://host"), ["x"], Remote())
    assert "BatchMode=yes" in alone
    assert not any(word.startswith("BatchMode") for word in asking)
    assert {"ServerAliveInterval=7", "ServerAliveCountMax=2", "ControlPath=none"} <= set(alone)
