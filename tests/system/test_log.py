"""`holdfast log` on real sessions: what it shows, follows and exports."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from holdfast.client.blocking import Client
from holdfast.protocol import connection
from kit.deadline import Deadline
from kit.gate import Gate
from kit.kernel import environment, scratch
from kit.processes import wait_for_end
from kit.shell import SECONDS, Shell
from kit.terminal import CTRL_C, Terminal

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one pixel."""

SHOWN = f"""\
from IPython.display import Image, Markdown, display
import sys
print('out')
print('err', file=sys.stderr)
handle = display('0 %', display_id=True)
handle.update('100 %')
display(Image({DOT!r}))
display(Markdown('*hello*'))
6 * 7"""


@pytest.fixture
def shell() -> Iterator[Shell]:
    with scratch() as home:
        shell = Shell(home)
        shell.good("new", "work", "-d")
        yield shell
        shell.close()


def somebody(shell: Shell, who: str) -> Client:
    file = shell.home / "run" / "work" / "connection.json"  # also of a supervisor that is about to come
    return Client(connection.read(file), username=who)


def run(client: Client, *cells: str) -> None:
    for code in cells:
        client.execute(code).reply()


def until(process: subprocess.Popen[str], line: str) -> list[str]:
    """The lines that a command prints up to this one; it must not end before."""
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    while lines[-1] != line:
        assert lines[-1], "".join(lines)
        lines.append(process.stdout.readline())
    return lines


def rest(process: subprocess.Popen[str]) -> tuple[str, str, int]:
    """What a command still says until it ends, here and on stderr, and its exit status."""
    assert process.stdout is not None
    assert process.stderr is not None
    return process.stdout.read(), process.stderr.read(), process.wait(SECONDS)


def test_one_clients_cells_are_shown_alone_and_a_misspelt_one_is_put_right(shell: Shell) -> None:
    with somebody(shell, "ana") as ana, somebody(shell, "bob") as bob:
        run(ana, "'first'")
        run(bob, "'second'")
        run(ana, "'third'")
    from_ana = shell.good("log", "--from", "ana")
    assert [word in from_ana for word in ("first", "second", "third")] == [True, False, True]
    assert "first" not in shell.good("log", "--from", "ana", "-n", "1")
    wrong = shell.run("log", "--from", "bobb")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == (
        "holdfast: 'bobb' has run nothing in work, only ana, bob\ntry: holdfast log work --from bob\n"
    )


def test_a_program_reads_it_as_objects_running_or_not(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, "print(1)", "1/0")
    running = json.loads(shell.good("log", "--json"))
    assert [(each["code"], each["status"]) for each in running] == [("print(1)", "ok"), ("1/0", "error")]
    outputs = running[0]["outputs"]
    assert {(each["msg_type"], each["content"]["name"]) for each in outputs} == {("stream", "stdout")}
    assert "".join(each["content"]["text"] for each in outputs) == "1\n"
    shell.good("stop", "work")
    assert json.loads(shell.good("log", "--json")) == running


def test_it_has_colours_on_a_terminal_unless_they_are_not_wanted(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, "for x in []: pass", "1/0")
    assert "\x1b" not in shell.good("log")
    env = environment(shell.home, shell.mark)
    for options, coloured in (([], True), (["--no-color"], False)):
        with Terminal([sys.executable, "-m", "holdfast", *options, "log"], env) as terminal:
            terminal.wait_end()
            assert "In [1]: for x in []: pass" in terminal.text
            assert (b"\x1b[" in terminal.raw) is coloured
    with Terminal([sys.executable, "-m", "holdfast", "log", "--no-color"], env) as terminal:
        terminal.wait_end()
        assert b"\x1b[" not in terminal.raw


def test_a_long_log_is_there_as_a_whole(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        ana.execute("big = 'x' * 1_000_000").reply()
        for number in range(120):
            ana.execute(f"print({number}, end=''); print(big[:{number} * 2000])").reply()
    assert shell.good("log").count("In [") == 20
    whole = shell.good("log", "-n", "all")
    assert whole.count("In [") == 121
    shell.good("stop", "work")
    assert shell.good("log", "-n", "all") == whole


def test_following_shows_what_comes_as_it_comes_and_ends_with_the_session(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    with somebody(shell, "ana") as ana, shell.start("log", "-f") as follower:
        ana.execute("print('before')").reply()
        first = ana.execute(f"print('half', end=' ', flush=True)\nprint('begun', flush=True)\n{gate.wait}")
        until(follower, "half begun\n")
        gate.open()
        first.reply()
        run(ana, "print('next')", "6 * 7")
        assert "# ana, " in "".join(until(follower, "Out[4]: 42\n"))
        shell.good("stop", "work")
        assert rest(follower) == ("\n", "work has ended\n", 0)


def test_what_was_begun_before_is_shown_once_and_whole(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    with somebody(shell, "ana") as ana:
        cell = ana.execute(f"print('early', flush=True)\n{gate.wait}\nprint('late')\n'result'")
        while next(cell).msg_type != "stream":
            pass
        with shell.start("log", "-f", "work") as follower:
            before = until(follower, "early\n")
            gate.open()
            after = until(follower, "Out[1]: 'result'\n")
            follower.send_signal(signal.SIGINT)
            assert rest(follower)[1:] == ("", 130)
    assert [line for line in before + after if "early" in line or "late" in line] == [
        "In [1]: print('early', flush=True)\n",
        "   ...: print('late')\n",
        "early\n",
        "late\n",
    ]


def test_after_ctrl_c_the_shells_prompt_begins_a_line(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    command = [sys.executable, "-m", "holdfast", "log", "-f", "work"]
    with shell.client("work") as client:
        client.execute(f"print('half a', 'line', end='', flush=True)\n{gate.wait}")
        with Terminal(command, environment(shell.home, shell.mark)) as terminal:
            terminal.wait_for("half a line")  # nothing more is there to be shown
            terminal.send(CTRL_C)
            assert terminal.wait_end() == 130
            assert terminal.raw.endswith(b"half a line^C\r\n")
        gate.open()


def test_following_goes_on_when_the_supervisor_is_killed(shell: Shell) -> None:
    with shell.start("log", "-f") as follower:
        with somebody(shell, "ana") as ana:
            run(ana, "print('one')")
        until(follower, "one\n")
        pid = int(str(shell.info("work")["pid"]))
        os.kill(pid, signal.SIGKILL)
        assert wait_for_end(pid, Deadline(SECONDS))
        with somebody(shell, "ana") as ana:
            run(ana, "print('two')")
        assert "one\n" not in until(follower, "two\n")
        shell.good("stop", "work")
        assert rest(follower)[1:] == ("work has ended\n", 0)


def test_following_for_a_program_is_one_ended_cell_a_line(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, "print('one')")
        with shell.start("log", "-f", "--json") as follower:
            assert follower.stdout is not None
            assert json.loads(follower.stdout.readline())["code"] == "print('one')"
            run(ana, "print('two')", "1/0")
            shell.good("stop", "work")
            told = [json.loads(line) for line in rest(follower)[0].splitlines()]
    assert [(each["code"], each["status"]) for each in told] == [("print('two')", "ok"), ("1/0", "error")]


def test_following_what_does_not_run_shows_its_log_and_says_so(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, "print('one')")
    shell.good("stop", "work")
    done = shell.run("log", "-f")
    assert "\none\n" in done.stdout
    assert (done.stderr, done.returncode) == ("work does not run: nothing more will come\n", 0)


def test_a_session_of_which_everything_was_killed_has_not_ended_properly(shell: Shell) -> None:
    with shell.start("log", "-f") as follower:
        with somebody(shell, "ana") as ana:
            run(ana, "print('one')")
            until(follower, "one\n")
            shell.lose(spared=follower.pid)
        assert rest(follower)[1:] == ("work was not closed properly\n", 0)


def test_a_notebook_has_the_outputs_as_they_stood_and_is_the_same_when_the_session_has_ended(
    shell: Shell,
) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, SHOWN, "1/0")
    assert shell.run("log", "--export", "a.ipynb").stderr == "wrote 2 cells of work to a.ipynb\n"
    notebook = json.loads((shell.work / "a.ipynb").read_text())
    good, bad = notebook["cells"]
    assert "".join(good["source"]) == SHOWN
    assert [each["output_type"] for each in good["outputs"]] == [
        "stream",
        "stream",
        "display_data",
        "display_data",
        "display_data",
        "execute_result",
    ]
    assert good["outputs"][2]["data"] == {"text/plain": ["'100 %'"]}
    assert base64.b64decode("".join(good["outputs"][3]["data"]["image/png"])) == DOT
    assert bad["outputs"][0]["ename"] == "ZeroDivisionError"
    shell.good("stop", "work")
    shell.good("log", "--export", "b.ipynb")
    assert json.loads((shell.work / "b.ipynb").read_text()) == notebook


def test_what_jupyter_reads_is_valid(shell: Shell) -> None:
    nbformat = pytest.importorskip("nbformat")
    with somebody(shell, "ana") as ana:
        run(ana, SHOWN, "1/0", "")
    shell.good("log", "--export", "a.ipynb")
    nbformat.validate(nbformat.read(shell.work / "a.ipynb", as_version=4))


def test_a_python_file_runs_as_the_session_did(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, "x = 6", "print('# not\\n%% a comment')\nprint(x * 7)", "x")
    shell.good("log", "--export", "a.py")
    text = (shell.work / "a.py").read_text()
    assert "print(x * 7)\n#> # not\n#> %% a comment\n#> 42\n" in text
    assert text.endswith("\nx\n#> 6\n")
    assert shell.python("a.py").stdout == "# not\n%% a comment\n42\n"
    assert shell.good("run", "-s", "again", "a.py") == "# not\n%% a comment\n42\nOut[3]: 6\n"
    assert [each["code"].partition("\n")[0] for each in json.loads(shell.good("log", "again", "--json"))] == [
        "x = 6",
        "print('# not\\n%% a comment')",
        "x",
    ]


def test_markdown_points_to_its_pictures(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, SHOWN, "print('```')", "print('0 %\\r100 %')")
    shell.good("log", "--export", "a.md")
    text = (shell.work / "a.md").read_text()
    assert f"```python\n{SHOWN}\n```\n" in text
    assert "````text\n```\n````\n" in text
    assert "\n*hello*\n" in text
    assert "```text\n100 %\n```\n" in text
    assert "](a_files/cell-1-4.png)" in text
    assert (shell.work / "a_files" / "cell-1-4.png").read_bytes() == DOT


def test_what_is_not_what_it_is_called_is_exported_all_the_same(shell: Shell) -> None:
    odd = "display({'text/plain': 5, 'image/png': 'x', 'image/svg+xml': '<svg>\\udc80'}, raw=True)"
    with somebody(shell, "ana") as ana:
        run(
            ana,
            "display({'text/plain': 5, 'image/png': 'x'}, raw=True)",
            odd,
            "print('9 %\\r99 %', end='\\r')",
        )
    for suffix in ("ipynb", "py", "md"):
        shell.good("log", "--export", f"a.{suffix}")
    assert "raw=True)\n#> 5\n" in (shell.work / "a.py").read_text()
    assert "end='\\r')\n#> 99 %\n" in (shell.work / "a.py").read_text()
    assert "```text\n5\n```\n" in (shell.work / "a.md").read_text()


def test_no_file_is_lost_by_an_export(shell: Shell) -> None:
    with somebody(shell, "ana") as ana:
        run(ana, "1")
    mine = shell.work / "mine.ipynb"
    mine.write_text("precious")
    mine.chmod(0o640)
    refused = shell.run("log", "--export", "mine.ipynb")
    assert refused.stderr == "holdfast: mine.ipynb is there already\ntry: another name, or --overwrite\n"
    assert (refused.returncode, mine.read_text()) == (1, "precious")
    shell.good("log", "--export", "mine.ipynb", "--overwrite")
    assert json.loads(mine.read_text())["nbformat"] == 4
    assert mine.stat().st_mode & 0o777 == 0o640
    unknown = shell.run("log", "--export", "mine.doc")
    assert (unknown.returncode, unknown.stderr.splitlines()[1]) == (2, "try: --export mine.ipynb")
    nowhere = shell.run("log", "--export", "nowhere/mine.py")
    assert nowhere.returncode == 1
    assert "No such file or directory" in nowhere.stderr
    with somebody(shell, "ana") as ana:
        run(ana, SHOWN)
    assert "can't write nowhere/" in shell.run("log", "--export", "nowhere/mine.md").stderr
    assert [each.name for each in shell.work.iterdir()] == ["mine.ipynb"]
