"""`holdfast rm`: the one command that loses something, and how hard it is to lose it by mistake."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from kit.kernel import environment, scratch
from kit.shell import Shell
from kit.terminal import Terminal


@pytest.fixture
def shell() -> Iterator[Shell]:
    with scratch() as home:
        shell = Shell(home)
        shell.good("new", "work", "-d")
        yield shell
        shell.close()


def terminal(shell: Shell, *arguments: str) -> Terminal:
    return Terminal([sys.executable, "-m", "holdfast", *arguments], environment(shell.home, shell.mark))


def test_it_shows_what_would_be_lost_and_takes_anything_but_yes_for_no(shell: Shell) -> None:
    with shell.client("work") as client:
        client.execute("1").reply()
    shell.good("stop", "work")
    for answer in ("\r", "n\r", "x\r", "\x04"):
        with terminal(shell, "rm", "work") as screen:
            screen.wait_for("[y/N]")
            assert "work  1 cell  used now" in screen.text
            screen.send(answer)
            assert screen.wait_end() == 1
            assert "nothing was deleted" in screen.text
    assert shell.good("ls", "-q") == "work\n"
    with terminal(shell, "rm", "work") as screen:
        screen.wait_for("delete it for good, with all that was run and printed? [y/N]")
        screen.send("y\r")
        assert screen.wait_end() == 0
        assert screen.lines[-1] == "work is deleted"
    assert shell.good("ls", "-q") == ""
    assert list((shell.home / "run").iterdir()) == []
    shell.good("new", "work", "-d")
    with shell.client("work") as client:
        assert client.execute("2").reply().content["execution_count"] == 1


def test_what_runs_is_not_deleted_and_the_rest_is(shell: Shell) -> None:
    shell.good("new", "old", "-d")
    shell.good("stop", "old")
    done = shell.run("rm", "-y", "work", "old", "wrok", "old")
    assert (done.returncode, done.stdout) == (1, "old is deleted\n")
    assert done.stderr == (
        "holdfast: session 'work' is running\ntry: holdfast stop work, then the same again\n"
        "holdfast: no session named 'wrok'\ntry: holdfast rm work   (or: holdfast ls)\n"
    )
    assert shell.info("work")["state"] == "idle"


def test_where_nobody_can_answer_it_does_not_ask(shell: Shell) -> None:
    shell.good("stop", "work")
    done = shell.run("rm", "work", piped="y\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "holdfast: rm asks before it deletes, and nobody can answer\ntry: holdfast rm -y work\n"
    )
    assert shell.good("ls", "-q") == "work\n"


def test_a_session_that_can_not_be_rung_at_is_running_all_the_same(shell: Shell) -> None:
    bell = shell.home / "run" / "work" / "doorbell"
    bell.rename(bell.with_name("elsewhere"))
    (bell.with_name("template")).rename(bell.with_name("template-elsewhere"))
    refused = shell.run("rm", "-y", "work")
    assert (refused.returncode, "is running" in refused.stderr) == (1, True)
    (bell.with_name("template-elsewhere")).rename(bell.with_name("template"))
    bell.with_name("elsewhere").rename(bell)
    assert shell.info("work")["state"] != "does not answer"
