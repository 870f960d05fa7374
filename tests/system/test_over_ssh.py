"""Sessions on another host, over a real ssh to a real sshd: as those of this machine, also after a cut."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.processes import marked
from kit.sshd import Host, host, needs_sshd, new_key, numbers
from kit.terminal import CTRL_BACKSLASH, CTRL_C, CTRL_D, ENTER, TAB, Terminal

pytestmark = needs_sshd

COUNTING = "import time\nfor i in range({}): print('n', i); time.sleep(0.05)"


@pytest.fixture
def there() -> Iterator[Host]:
    """Another host, with a session named work."""
    with host() as made:
        made.serve()
        made.there("new", "work", "-d")
        yield made


@pytest.fixture
def empty() -> Iterator[Host]:
    """Another host, without sessions; whether sshd runs is the test's to say."""
    with host() as made:
        yield made


def typed(console: Terminal, code: str) -> None:
    """A cell, run."""
    console.paste(code)
    console.send(ENTER)


def ssh_of(there: Host) -> int:
    """The process of the ssh that a console has."""
    found = [
        pid for pid, command in marked(there.mark).items() if "__porter" in command and " -L " in command
    ]
    assert len(found) == 1, found
    return found[0]


def cut(there: Host, console: Terminal) -> None:
    """Cut the connection; nobody can be connected until `there.go_on`."""
    there.pause()
    there.hang_up()
    console.wait_for("it is tried again until you leave", 60)


def test_a_console_there_is_as_one_here(there: Host) -> None:
    there.there("run", "-s", "work", "-c", "x = 41")
    with there.console() as console:
        assert "session ssh://there/work · Python" in console.text
        assert "In [1]: x = 41" in console.text
        typed(console, "import os; x + 1")
        console.wait_for("Out[2]: 42")
        console.send("os.pathse" + TAB)
        console.wait_for("os.pathsep", 60)  # a session's first completion loads jedi
        console.send(CTRL_C)
        typed(console, COUNTING.format(400))
        console.wait_for("n 5")
        console.send(CTRL_C)
        console.wait_for("KeyboardInterrupt")
        console.wait_for_last_prompt()
        typed(console, "from PIL import Image; Image.effect_noise((32, 32), 90)")
        console.wait_for("▀▀▀")
        console.wait_for_last_prompt()
        console.send(CTRL_D)
        console.wait_for("left work on there; it goes on. back: holdfast attach ssh://there/work")
        assert console.wait_end() == 0
        assert not there.forwarded


def test_what_a_killed_console_has_left_is_removed_by_the_next_one(there: Host) -> None:
    with there.console() as console:
        os.kill(console.pid, signal.SIGKILL)
        console.wait_end()
    before = {path.parent for path in there.forwarded}
    assert len(before) == 1
    with there.console():
        after = {path.parent for path in there.forwarded}
        assert len(after) == 1
        assert after != before


def test_a_crash_there_costs_one_cell(there: Host) -> None:
    with there.console() as console:
        typed(console, "rows = list(range(10))")
        console.wait_for("In [2]:")
        typed(console, "import ctypes; ctypes.string_at(0)")
        console.wait_for("InterpreterDied")
        console.wait_for_last_prompt()
        typed(console, "len(rows)")
        console.wait_for(": 10")


def test_a_new_one_is_made_there(empty: Host) -> None:
    empty.serve()
    with empty.terminal("new", "ssh://there/made", "--cwd", "/tmp") as console:
        console.wait_for_last_prompt()
        typed(console, "import os; os.getcwd()")
        console.wait_for("Out[1]: '/tmp'")
        console.send(CTRL_D)
        console.wait_end()
    assert empty.there("ls", "-q") == "made\n"
    empty.there("keys", "authorize", empty.there("keys"))
    with empty.terminal("new", "ssh://there/open", "--listen", "tcp://127.0.0.1") as console:
        console.wait_for_last_prompt()
        assert re.search(
            r"to join: holdfast attach tcp://127\.0\.0\.1:\d+/open --host-key KEY   "
            r"\(to see it: ssh there holdfast keys host\)",
            console.unfolded,
        )
    again = empty.run("new", "-d", "ssh://there/made")
    assert again.returncode == 1
    assert "session 'made' already exists" in again.stderr


def test_commands_run_there(there: Host) -> None:
    assert there.run("ls", "-q", "ssh://there").stdout == "work\n"
    awkward = r"print(r'a\\b `x` $HOME !y', '''it's'''); 6*7"
    ran = there.run("run", "-s", "ssh://there/work", "-c", awkward)
    assert ran.stdout == "a\\\\b `x` $HOME !y it's\n42\n", ran.stderr
    assert there.run("run", "-s", "ssh://there/work", "-c", "raise SystemExit(7)").returncode == 7
    complaint = "import sys; print('git: Permission denied (publickey).', file=sys.stderr)"
    assert "git: Permission denied" in there.run("run", "-s", "ssh://there/work", "-c", complaint).stderr
    program = there.folder / "given.py"
    program.write_text("import sys; print(*sys.argv[1:])")
    given = there.run("run", "-s", there.url, str(program), there.url, "-s", there.url)
    assert given.stdout == f"{there.url} -s {there.url}\n", given.stderr
    assert there.run("run", f"--session={there.url}", "-c", "print(6 * 7)").stdout == "42\n"
    assert there.run("run", f"-s{there.url}", "-c", "print(6 * 7)").stdout == "42\n"
    assert "6*7" in there.run("log", "ssh://there/work").stdout
    assert json.loads(there.run("info", "ssh://there/work", "--json").stdout)["name"] == "work"
    assert "runs nothing" in there.run("interrupt", "ssh://there/work").stderr
    assert "work ended" in there.run("stop", "ssh://there/work").stdout
    bare = there.run("ssh://there/work")
    assert (bare.returncode, bare.stderr.splitlines()[1]) == (2, "try: holdfast attach ssh://there/work")
    mixed = there.run("stop", "ssh://there/work", "other")
    assert mixed.returncode == 2
    assert "one host at a time" in mixed.stderr


def test_one_that_has_ended_is_begun_again_and_says_what_is_back(there: Host) -> None:
    there.there("run", "-s", "work", "-c", "x = 7")
    there.there("stop", "work")
    with there.console() as console:
        assert "ssh://there/work: " in console.text
        assert "x" in console.text
        typed(console, "x")
        console.wait_for("Out[2]: 7")


def test_without_a_name_it_tells_what_is_there(there: Host) -> None:
    with there.terminal("attach", "ssh://there") as terminal:
        terminal.wait_for("to join one: holdfast attach ssh://there/NAME")
        assert "work  idle" in terminal.text
        assert terminal.wait_end() == 0


# When something is wrong: one line, and what to try


def failing(there: Host, *arguments: str, **variables: str) -> str:
    """What is said, with white space made even: lines break where the terminal ends."""
    with there.terminal(*arguments, **variables) as terminal:
        assert terminal.wait_end(60) == 1, terminal.text
        lines = terminal.text.splitlines()
        assert sum(line.startswith("holdfast: ") for line in lines) == 1, terminal.text
        assert sum(line.startswith("try: ") for line in lines) == 1, terminal.text
        assert "Traceback" not in terminal.text
        return terminal.text.replace("\n", "")


def test_a_name_that_is_nearly_one_is_put_right(there: Host) -> None:
    said = failing(there, "attach", "ssh://there/wrk")
    assert "no session named 'wrk' on there" in said
    assert "try: holdfast attach ssh://there/work   (or: holdfast ls ssh://there)" in said


def test_what_keeps_ssh_out_is_said_in_a_line(empty: Host) -> None:
    assert "there is no host nowhere.invalid" in failing(empty, "attach", "ssh://nowhere.invalid/work")
    assert "there can't be reached: Connection refused" in failing(empty, "attach", empty.url)
    empty.serve()
    new_key(empty.folder / "other")
    shutil.copy(empty.folder / "other.pub", empty.folder / "user_key.pub")  # sshd's list of who may come in
    empty.configure("BatchMode yes")
    assert "there lets you not in: Permission denied (publickey)" in failing(empty, "attach", empty.url)


def test_what_a_command_there_says_is_only_seen(empty: Host) -> None:
    empty.serve()
    says = empty.folder / "says"
    evil = r"\033]0;evil\007\033[6n\033[31mred\033[0m %s\n"
    says.write_text(f"#!/bin/sh\nprintf '{evil}' \"$1\" | tee /dev/stderr\nexit 3\n")
    says.chmod(0o700)
    with empty.terminal(f"--set=remote.command={says}", "ls", "ssh://there") as terminal:
        assert terminal.wait_end() == 3
        assert terminal.text.count("red ") == 2
        assert terminal.style_of("red")[0] == "red"
        assert b"\x1b]0" not in terminal.raw
        assert b"\x1b[6n" not in terminal.raw


def test_a_host_that_is_another_one_is_refused(there: Host) -> None:
    there.run("ls", "ssh://there")
    there.close()
    new_key(there.folder / "another")
    there.serve(f"HostKey {there.folder}/another", "HostKeyAlgorithms ssh-ed25519")
    (there.folder / "host_key").unlink()
    said = failing(there, "attach", there.url)
    assert "the key of there is not the one that ssh knows" in said


def test_no_ssh_and_no_holdfast_are_said(there: Host) -> None:
    (there.folder / "empty").mkdir()
    assert "there is no ssh on this machine" in failing(
        there, "attach", there.url, PATH=str(there.folder / "empty")
    )
    there.close()
    there.serve(f"SetEnv PATH={there.folder / 'empty'}:/bin HOME={there.folder} SHELL=/bin/sh")
    if not Path("/usr/bin/python3").exists() or not _has_holdfast("/usr/bin/python3"):
        said = failing(there, "attach", there.url)
        assert "there is no Holdfast on there, or it is not found there" in said
        assert "--set remote.command=" in said
    wrong = failing(there, "--set", "remote.command=/no/such/thing", "attach", there.url)
    assert "what remote.command names is not on there" in wrong


def test_one_that_can_not_be_talked_to_is_said(empty: Host) -> None:
    empty.serve()
    future = empty.folder / "future"
    future.write_text("#!/bin/sh\necho some junk of a shell\necho holdfast-porter 99 7.0.0\ncat\n")
    future.chmod(0o755)
    said = failing(empty, "--set", f"remote.command={future}", "attach", empty.url)
    assert "there has Holdfast 7.0.0; this one" in said
    assert "try: pip install -U holdfast, on both sides" in said


def test_a_server_that_forwards_nothing_is_said(empty: Host) -> None:
    empty.serve("AllowStreamLocalForwarding no")
    empty.there("new", "work", "-d")
    said = failing(empty, "attach", empty.url)
    assert "there forbids to forward sockets" in said
    assert "AllowStreamLocalForwarding yes in its sshd_config" in said


RUDE = {"what": "a\x1b[2J\x1b]0;b\x07c", "remedy": "d\x1b"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"ok": True, "refused": {"kind": ""} | RUDE}, "on there: a[2J]0;bc"),
        ({"ok": False} | RUDE, "on there: a[2J]0;bc"),
        ({"ok": True}, "there answers what can't be understood"),
        (3, "there"),
        ("ok", "there"),
    ],
)
def test_what_the_other_side_says_moves_no_cursor(empty: Host, words: object, said: str) -> None:
    empty.serve()
    rude = empty.folder / "rude"
    answer = json.dumps(words)
    rude.write_text(f"#!/bin/sh\necho holdfast-porter 1 7.0.0\nread line\ncat <<'E'\n{answer}\nE\ncat\n")
    rude.chmod(0o755)
    with empty.terminal("--set", f"remote.command={rude}", "attach", empty.url) as terminal:
        assert terminal.wait_end() == 1
        assert said in terminal.unfolded
        assert "internal error" not in terminal.text
        assert b"\x1b]0;b" not in terminal.raw


# ssh has the terminal until it is let in


def test_ssh_asks_on_the_terminal_and_the_console_follows(there: Host) -> None:
    there.configure("StrictHostKeyChecking ask")
    (there.folder / "user_key").unlink()
    (there.folder / "user_key.pub").unlink()
    new_key(there.folder / "user_key", "open sesame")
    with there.terminal("attach", there.url) as terminal:
        terminal.wait_for("Are you sure you want to continue connecting")
        terminal.send("yes" + ENTER)
        terminal.wait_for("Enter passphrase for key")
        terminal.send("open sesame" + ENTER)
        terminal.wait_for_last_prompt()
        assert "open sesame" not in terminal.text
        there.hang_up()
        terminal.wait_for("It needs you: holdfast attach ssh://there/work", 60)
        assert terminal.wait_end() == 1
        assert "back: holdfast attach ssh://there/work" in terminal.text


def test_ctrl_c_at_a_question_of_ssh_leaves(there: Host) -> None:
    there.configure("StrictHostKeyChecking ask")
    with there.terminal("attach", there.url) as terminal:
        terminal.wait_for("Are you sure you want to continue connecting")
        terminal.send(CTRL_C)
        assert terminal.wait_end() == 130


# The connection is cut


def test_a_cell_goes_on_while_the_connection_is_cut_and_each_line_is_shown_once(there: Host) -> None:
    with there.console() as console:
        typed(console, COUNTING.format(150))
        console.wait_for("n 10")
        os.kill(ssh_of(there), signal.SIGKILL)
        console.wait_for("n 149", 60)
        console.wait_for_last_prompt()
        gone = re.compile(r"the connection to there was gone for \d+\.\d s; nothing was lost")
        console.wait_until(lambda: gone.search(console.all_text) is not None, "that nothing was lost")
        assert numbers(console) == list(range(150))


def test_what_is_typed_while_it_is_cut_runs_once_when_it_is_back(there: Host) -> None:
    with there.console() as console:
        typed(console, "ran = []")
        console.wait_for("In [2]:")
        cut(there, console)
        typed(console, "ran.append(1); print('n', len(ran))")
        there.go_on()
        console.wait_for("the connection to there was gone", 60)
        console.wait_until(lambda: numbers(console) == [1], "what was typed")
        typed(console, "'la' + 'st', len(ran)")
        console.wait_for("('last', 1)")
    assert there.there("log", "work").count("ran.append(1)") == 1


def test_a_question_that_was_answered_into_the_void_is_asked_again(there: Host) -> None:
    with there.console() as console:
        typed(console, "name = input('who? ')")
        console.wait_for_last("who?")
        cut(there, console)
        console.wait_for_last("who?")
        console.send("lost" + ENTER)
        console.wait_for_last("who? lost")
        there.go_on()
        console.wait_for("the connection to there was gone", 60)
        console.wait_for_last("who?")
        console.send("ana" + ENTER)
        console.wait_for_last_prompt()
        typed(console, "name * 2")
        console.wait_for("'anaana'")


def test_a_question_that_stands_is_not_asked_twice(there: Host) -> None:
    with there.console() as console:
        typed(console, "name = input('who? ')")
        console.wait_for_last("who?")
        there.hang_up()
        console.wait_for("the connection to there was gone", 60)
        console.send("ana" + ENTER)
        console.wait_for_last_prompt()
        assert console.all_text.count("who? ana") == 1
        typed(console, "name * 2")
        console.wait_for("'anaana'")


def test_a_supervisor_that_is_killed_there_is_succeeded(there: Host) -> None:
    pid = int(json.loads(there.there("info", "work", "--json"))["pid"])
    with there.console() as console:
        typed(console, COUNTING.format(100))
        console.wait_for("n 10")
        os.kill(pid, signal.SIGKILL)
        console.wait_for("n 99", 60)
        console.wait_for_last_prompt()
        gone = "the supervisor was gone for"
        console.wait_until(lambda: gone in console.all_text, repr(gone))
        assert numbers(console) == list(range(100))


def test_one_that_has_ended_meanwhile_is_said_and_left(there: Host) -> None:
    with there.console() as console:
        cut(there, console)
        there.there("stop", "work")
        there.go_on()
        console.wait_for("the session ssh://there/work does not answer any more", 60)
        console.wait_for("work on there has ended; its state is kept. back: holdfast attach ssh://there/work")
        assert console.wait_end() == 1


def test_one_that_was_begun_again_meanwhile_says_so(there: Host) -> None:
    with there.console() as console:
        typed(console, "x = 1")
        console.wait_for("In [2]:")
        cut(there, console)
        there.there("stop", "work")
        there.there("run", "-s", "work", "-c", "y = 2")
        there.go_on()
        console.wait_for("ssh://there/work had ended, and was begun again elsewhere", 60)
        typed(console, "x + y")
        console.wait_for(": 3")


def test_it_can_be_left_while_the_connection_is_cut(there: Host) -> None:
    with there.console() as console:
        typed(console, COUNTING.format(20))
        console.wait_for("n 3")
        cut(there, console)
        console.send(CTRL_BACKSLASH)
        console.wait_for("back: holdfast attach ssh://there/work")
        console.wait_end()
        there.go_on()


def test_it_is_left_within_seconds_while_the_other_host_stands_still(there: Host) -> None:
    with there.console() as console:
        for pid in there.connections:
            os.kill(pid, signal.SIGSTOP)
        console.send(CTRL_D)
        farewell = "left work on there: no connection to there: it does not answer. back: holdfast attach"
        console.wait_until(lambda: farewell in console.unfolded, "the farewell", 20)
        assert console.wait_end() == 0
    there.hang_up()


def test_files_there_are_not_opened_here(there: Host) -> None:
    with there.console() as console:
        typed(console, f"%edit {there.folder}/x.py")
        console.wait_for("the file is on the other host")


def _has_holdfast(python: str) -> bool:
    import subprocess

    return subprocess.run([python, "-c", "import holdfast"], capture_output=True, check=False).returncode == 0
