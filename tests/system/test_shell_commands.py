"""`!cmd`: programs print, ask, are answered and interrupted as in a shell, through any frontend."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.deadline import Deadline
from kit.gate import Gate
from kit.kernel import Kernel, only_holdfast, running
from kit.processes import wait_for_end
from kit.session import Session, session
from kit.terminal import CTRL_C, CTRL_D, ENTER, Terminal
from kit.wire import WITHIN, Client, Message

pytestmark = only_holdfast

PYTHON = sys.executable


def asked(client: Client, code: str, answers: list[str]) -> tuple[str, list[Message]]:
    """What the cell printed, and all that it asked."""
    seen = len(client.prompts)
    cell = client.run(code, answers)
    assert cell.status == "ok", cell.notice
    return cell.text(), [message["content"] for message in client.prompts[seen:]]


def printed(client: Client, msg_id: str) -> str:
    """What a cell that may still run has printed."""
    return "".join(each["content"].get("text", "") for each in client.of_parent[msg_id])


def listener(folder: Path, heard: str) -> str:
    """A program that says "here" and does `heard` at an interrupt, be it ever so early: a shell's trap may
    wait for the command that was about to begin. It takes the shell's place: dash would end before it."""
    code = f"""
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGINT}})
print("here", flush=True)
def interrupted():
    signal.sigwait({{signal.SIGINT}})
{heard}
"""
    return "exec " + file_with(folder, "listener.py", code)


def questions(found: list[Message]) -> list[str]:
    return [each["prompt"] for each in found]


def file_with(folder: Path, name: str, code: str) -> str:
    """A program of a test's own, as a command."""
    file = folder / name
    file.write_text(code)
    return f"{PYTHON} {file}"


def needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


# Output


def test_a_program_has_a_terminal_and_its_output_is_plain_lines(guest: Client) -> None:
    assert guest.do("!test -t 0 && test -t 1 && test -t 2 && stty size").text() == "24 80\n"


def test_a_program_learns_the_size_that_the_environment_tells(guest: Client) -> None:
    guest.do("import os; os.environ.update(COLUMNS='132', LINES='50')")
    size = guest.do("!stty size").text()
    guest.do("del os.environ['COLUMNS'], os.environ['LINES']")

    assert size == "50 132\n"


def test_output_comes_while_the_program_runs(guest: Client) -> None:
    msg_id = guest.start("!echo first; read x; echo $x", allow_stdin=True)
    guest.text(msg_id, "first\n")
    guest.prompt()
    guest.answer("second")

    assert guest.finish(msg_id).text() == "first\nsecond\n"


def test_half_a_line_is_shown_while_the_program_works_on(guest: Client) -> None:
    msg_id = guest.start("!printf working; exec sleep 60")
    guest.text(msg_id, "working")
    guest.send("interrupt_request", {}, "control")

    assert guest.finish(msg_id).text() == "working"


def test_much_output_comes_whole(guest: Client) -> None:
    lines = 500_000
    cell = guest.do(f"%%capture seen\n!seq {lines}", within=60.0)

    assert cell.text() == ""
    assert guest.value(f"seen.stdout == ''.join(f'{{n}}\\n' for n in range(1, {lines} + 1))") is True


def test_characters_in_pieces_come_whole(guest: Client, folder: Path) -> None:
    program = file_with(
        folder, "bytes.py", "import os\nfor b in 'naïve 🐍'.encode(): os.write(1, bytes([b]))"
    )

    assert guest.do(f"!{program}").text() == "naïve 🐍"


def test_a_pipe_that_is_closed_ends_who_writes_into_it(guest: Client) -> None:
    assert guest.do("!yes | head -n 2").text() == "y\ny\n"


def test_carriage_returns_of_a_program_are_its_own(guest: Client) -> None:
    assert guest.do(r"!printf '1%%\r2%%\nend\r\n'").text() == "1%\r2%\nend\r\n"


@needs("git")
def test_a_pager_is_not_waited_for(guest: Client, folder: Path) -> None:
    me = "-c user.name=me -c user.email=me@example.org"
    made = (
        f"cd {folder} && git init -q && git {me} commit -q --allow-empty -m 'a commit' && git log --oneline"
    )

    assert "a commit" in guest.do(f"!{made}").text()


def test_names_of_the_cell_are_put_into_the_command(guest: Client) -> None:
    cell = guest.do("def show(name):\n    !echo {name} $name\nshow('ann')")

    assert cell.text() == "ann ann\n"


# How it ended


@pytest.mark.parametrize(
    ("command", "code"),
    [("true", 0), ("exit 3", 3), ("kill -9 $$", -9), ("sh -c 'kill -15 $$'; exit $?", -15)],
)
def test_how_a_command_ended_is_in_exit_code(guest: Client, command: str, code: int) -> None:
    guest.do(f"!{command}")

    assert guest.value("_exit_code") == code


def test_a_failure_is_an_error_if_one_asked_for_that(guest: Client) -> None:
    guest.do("get_ipython().system_raise_on_error = True")
    cell = guest.run("!exit 3")
    guest.do("get_ipython().system_raise_on_error = False")

    assert cell.error["ename"] == "CalledProcessError"


def test_what_runs_in_the_background_is_not_waited_for_and_is_heard(guest: Client, folder: Path) -> None:
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    cell = guest.do(f"!(cat {fifo}; echo over) &")  # nobody has opened the other end yet

    fifo.write_text("now\n")
    guest.text(cell.msg_id, "now\nover\n")


def test_changing_the_folder_of_a_shell_is_said_to_be_in_vain(guest: Client) -> None:
    assert "%cd" in guest.do("!cd /").text("stderr")
    assert guest.do("!cd / && pwd").text("stderr") == ""


# Questions


def test_what_a_program_asks_is_asked_of_the_client(guest: Client) -> None:
    text, found = asked(guest, "!read -p 'Name: ' x; echo hello $$x", ["ann"])

    assert text == "hello ann\n"
    assert found == [{"prompt": "Name: ", "password": False}]


def test_one_question_comes_after_the_other(guest: Client) -> None:
    text, found = asked(guest, "!read -p 'a? ' a; read -p 'b? ' b; echo $$a$$b", ["1", "2"])

    assert (text, questions(found)) == ("12\n", ["a? ", "b? "])


def test_a_password_is_asked_for_unseen(guest: Client) -> None:
    text, found = asked(guest, f'!{PYTHON} -c "import getpass; print(getpass.getpass())"', ["secret"])

    assert text == "secret\n"
    assert found == [{"prompt": "Password: ", "password": True}]


def test_a_program_that_asks_after_a_while_is_heard(guest: Client) -> None:
    text, found = asked(guest, "!echo wait; sleep 0.7; read x; echo $$x", ["late"])

    assert (text, questions(found)) == ("wait\nlate\n", [""])


def test_ctrl_d_is_the_end_of_input(guest: Client) -> None:
    text, _ = asked(guest, "!cat; echo over", ["one", "two", "\x04"])

    assert text == "one\ntwo\nover\n"


def test_python_in_a_cell_is_talked_to_line_by_line(guest: Client) -> None:
    text, found = asked(guest, f"!{PYTHON} -qi", ["1 + 1", "print('x' * 3)", "\x04"])

    assert text.split() == ["2", "xxx"]
    assert questions(found) == [">>> "] * 3


def test_a_shell_in_a_cell_is_talked_to_line_by_line(guest: Client) -> None:
    text, found = asked(guest, "!PS1='$ ' sh -i", ["echo $((40 + 2))", "exit 4"])

    assert text.replace("exit\n", "") == "42\n"
    assert questions(found) == ["$ "] * 2
    assert guest.value("_exit_code") == 4


def test_a_program_that_reads_one_key_is_given_it(guest: Client) -> None:
    text, found = asked(guest, "!bash -c 'read -n1 -p \"sure? \" k; echo; echo key $k'", ["y"])

    assert (text, questions(found)) == ("key y\n", ["sure? "])


def test_a_key_comes_without_an_enter_for_what_is_asked_next(guest: Client) -> None:
    code = '!bash -c \'read -n1 -p "key? " k; echo; read -p "line? " x; echo $k $x\''
    text, found = asked(guest, code, ["y", "a line"])

    assert (text, questions(found)) == ("y a line\n", ["key? ", "line? "])


def test_a_program_that_goes_on_without_its_answer_ends_the_question(guest: Client, folder: Path) -> None:
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    code = f"""
import os, select, sys
waits_for = [sys.stdin, os.open({str(fifo)!r}, os.O_RDWR)]
print("quick? ", end="", flush=True)
select.select(waits_for, [], [], 60)
print("too late")
"""
    msg_id = guest.start("!" + file_with(folder, "quick.py", code), allow_stdin=True)
    guest.prompt()
    fifo.write_text("now")
    assert guest.finish(msg_id).text() == "too late\n"
    guest.answer("nobody asked")

    assert asked(guest, "!read x; echo $$x", ["mine"])[0] == "mine\n"


def test_output_goes_on_while_a_question_stands(guest: Client, folder: Path) -> None:
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    code = f"!(cat {fifo}) & read -p 'a? ' x; echo $$x"
    msg_id = guest.start(code, allow_stdin=True)
    guest.prompt()
    fifo.write_text("meanwhile\n")
    guest.text(msg_id, "meanwhile")
    guest.answer("b")

    assert guest.finish(msg_id).text() == "meanwhile\nb\n"


# Where nothing can be asked


def test_a_frontend_that_cannot_ask_is_told_so_and_the_program_goes_on(guest: Client) -> None:
    cell = guest.do("!read -p 'Name: ' x; echo status $?")

    assert cell.text() == "Name: status 1\n"
    assert "can't ask" in cell.text("stderr")


def test_a_program_is_named_whatever_bytes_its_name_is_cut_to(guest: Client, folder: Path) -> None:
    program = folder / "fourteen-bytesü"  # the system keeps fifteen bytes: half of the last letter
    shutil.copy(shutil.which("cat") or "", program)
    cell = guest.run(f"!{program}", allow_stdin=False)
    assert cell.status == "ok", cell.notice
    assert "fourteen-bytes\N{REPLACEMENT CHARACTER} waits for input" in cell.text("stderr")


def test_a_program_that_asks_for_ever_is_ended(guest: Client) -> None:
    cell = guest.do("!while :; do read x; done")

    assert "again and again" in cell.text("stderr")
    assert guest.value("_exit_code") == -1


def test_a_command_whose_output_is_kept_gets_no_input(guest: Client) -> None:
    cell = guest.run("got = !read x; echo status $?\nlist(got)", allow_stdin=True)
    assert cell.result == "['status 1']"
    assert guest.run("%sx cat", allow_stdin=True).result == "[]"


# Whole screens


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=needs(name)) for name in ("vim", "less", "top")]
)
def test_a_program_for_a_whole_screen_is_ended_with_a_word_and_draws_nothing(
    guest: Client, folder: Path, program: str
) -> None:
    file = folder / "file.txt"
    file.write_text("line\n" * 200)
    cell = guest.do(f"!{program} {file if program != 'top' else ''}", allow_stdin=True)

    assert cell.text("stderr").startswith(
        f"holdfast: {program} wants a whole terminal: run it in a shell, or "
    )
    assert cell.text() == ""


def test_clearing_the_screen_is_no_whole_screen(guest: Client) -> None:
    cell = guest.do(r"!printf '\033[H\033[2Jclear\n'")

    assert cell.text().endswith("clear\n")
    assert cell.text("stderr") == ""


# Interrupts


def test_an_interrupt_ends_the_program_and_the_cell(guest: Client) -> None:
    msg_id = guest.start("!echo here; exec sleep 60\nprint('never')")
    guest.text(msg_id, "here")
    guest.ask("interrupt_request", {}, "control")
    cell = guest.finish(msg_id)

    assert cell.error["ename"] == "KeyboardInterrupt"
    assert cell.text() == "here\n"
    assert guest.value("_exit_code") == -2


def test_an_interrupt_ends_a_row_of_quick_commands(guest: Client) -> None:
    msg_id = guest.start("while True:\n    !echo here")
    guest.text(msg_id, "here")
    guest.ask("interrupt_request", {}, "control")

    assert guest.finish(msg_id).error["ename"] == "KeyboardInterrupt"


def test_a_program_may_do_what_it_likes_with_an_interrupt(guest: Client, tmp_path: Path) -> None:
    command = listener(tmp_path, "interrupted()\nprint('caught')\nprint(input())")
    msg_id = guest.start(f"!{command}\nprint('next')", allow_stdin=True)
    guest.text(msg_id, "here")
    guest.ask("interrupt_request", {}, "control")
    guest.prompt()
    guest.answer("after")

    assert guest.finish(msg_id).text() == "here\ncaught\nafter\nnext\n"


def test_a_program_that_tidies_up_after_an_interrupt_ends_the_cell_as_well(
    guest: Client, tmp_path: Path
) -> None:
    command = listener(tmp_path, "interrupted()\nprint('tidy')")
    msg_id = guest.start(f"!{command}\nprint('never')")
    guest.text(msg_id, "here")
    guest.ask("interrupt_request", {}, "control")
    cell = guest.finish(msg_id)

    assert cell.error["ename"] == "KeyboardInterrupt"
    assert cell.text() == "here\ntidy\n"
    assert guest.value("_exit_code") == 0


def test_an_interrupt_at_a_question_is_the_programs(guest: Client) -> None:
    msg_id = guest.start(f"!{PYTHON} -qi", allow_stdin=True)
    guest.prompt()
    guest.ask("interrupt_request", {}, "control")
    guest.prompt()
    guest.answer("print('still here')")
    guest.prompt()
    guest.answer("\x04")
    cell = guest.finish(msg_id)

    assert "KeyboardInterrupt\nstill here" in cell.text()
    assert cell.status == "ok"


def test_a_program_that_reads_ctrl_c_as_a_key_gets_it(guest: Client) -> None:
    code = "!stty -isig -icanon; echo here; dd bs=1 count=1 2>/dev/null | od -An -tx1"
    msg_id = guest.start(code, allow_stdin=True)
    guest.text(msg_id, "here")
    guest.ask("interrupt_request", {}, "control")

    assert "03" in guest.finish(msg_id).text()


def test_a_third_interrupt_ends_a_program_that_does_not_listen(tmp_path: Path) -> None:
    """Before there was time to read what it would do to the interpreter, however slow the machine is."""
    command = listener(tmp_path, "for n in range(9):\n    interrupted()\n    print('caught', n, flush=True)")
    with running(settings="[interrupt]\nreading_seconds = 60.0\n") as kernel:
        client = kernel.client()
        msg_id = client.start(f"!{command}")
        client.text(msg_id, "here")
        for times in (0, 1):
            client.ask("interrupt_request", {}, "control")
            client.text(msg_id, f"caught {times}\n")
        client.ask("interrupt_request", {}, "control")

        assert client.finish(msg_id).error["ename"] == "KeyboardInterrupt"


def test_a_program_that_ignores_everything_is_ended_with_the_interpreter(guest: Client) -> None:
    guest.do("kept = [1]; same = kept")
    msg_id = guest.start("kept = None\n!trap '' INT HUP TERM; echo pid $$; exec sleep 60")
    guest.text(msg_id, "pid ")
    guest.ask("holdfast_interrupt_request", {"force": True}, "control")
    cell = guest.finish(msg_id)

    assert cell.error["evalue"] == "stopped on request, with 1 process it had started"
    assert guest.value("kept is same and kept") == [1]


def test_a_program_ends_with_the_interpreter_whose_terminal_it_has(kernel: Kernel) -> None:
    client, gate = kernel.client(), Gate(kernel.folder / "gate")
    client.do(f"import os, threading\ndef die():\n    {gate.wait}\n    os.abort()")
    msg_id = client.start("threading.Thread(target=die).start()\n!echo pid $$; exec sleep 60")
    client.until(lambda: re.search(r"pid (\d+)\n", printed(client, msg_id)) is not None, "its number")
    gate.open()

    assert client.finish(msg_id).error["ename"] == "InterpreterDied"
    pid = int(printed(client, msg_id).split()[1])
    assert wait_for_end(pid, Deadline(WITHIN))


# In the console


@pytest.fixture(scope="module")
def made() -> Iterator[Session]:
    with session() as found:
        yield found


@pytest.fixture
def console(made: Session) -> Iterator[Terminal]:
    with made.console() as terminal:
        yield terminal


TAKES_KEYS = b"\x1b[?2004h"
"""What a prompt writes as it begins to stand."""


def wait_for_question(console: Terminal, text: str) -> None:
    """Until the console's prompt stands over `text` and takes keys: what is typed before is echoed."""

    def stands() -> bool:
        _, prompt, since = console.raw.rpartition(TAKES_KEYS)
        return bool(prompt) and b"\x1b[?2004l" not in since and console.lines[-1:] == [text]

    console.wait_until(stands, f"the question {text!r}")


def test_a_question_stands_on_the_screen_as_in_a_shell(console: Terminal) -> None:
    console.send("!read -p 'Your name: ' x; echo hello $x" + ENTER)
    wait_for_question(console, "Your name:")
    console.send("ann" + ENTER)
    console.wait_for("\nYour name: ann\nhello ann\n\nIn [")


def test_a_password_is_not_on_the_screen(console: Terminal) -> None:
    console.send(f"!{PYTHON} -c 'import getpass; print(len(getpass.getpass()))'" + ENTER)
    wait_for_question(console, "Password:")
    console.send("secret" + ENTER)
    console.wait_for("\n6\n\nIn [")
    assert "secret" not in console.text


def test_ctrl_c_and_ctrl_d_mean_what_they_mean_to_the_program(console: Terminal) -> None:
    console.send(f"!{PYTHON} -qi" + ENTER)
    for _ in range(4):  # more than a cell that does not listen would be given
        wait_for_question(console, ">>>")
        prompts = console.raw.count(TAKES_KEYS)
        console.send(CTRL_C)
        console.wait_until(lambda asked=prompts: console.raw.count(TAKES_KEYS) > asked, "the next question")
    wait_for_question(console, ">>>")
    console.send("6 * 7" + ENTER)
    console.wait_for(">>> 6 * 7\n42\n>>>")
    console.send(CTRL_D)
    console.wait_for_last_prompt()


def test_an_editor_is_refused_and_the_screen_stays_as_it_was(console: Terminal) -> None:
    console.send("!vim" + ENTER)
    console.wait_for("holdfast: vim wants a whole terminal: run it in a shell")
    console.wait_for_last_prompt()
    assert "!vim" in console.text


# %%bash


def test_bash_cells_leave_no_thread_and_go_on_after_a_crash(client: Client) -> None:
    assert client.do("%%bash\necho one").text() == "one\n"
    died = client.run("import os; os.abort()")
    assert "thread" not in died.notice
    assert client.do("%%bash\necho two").text() == "two\n"
    assert client.do("import threading; threading.active_count()").result == "1"


def test_a_bash_cell_among_the_users_startup_files_harms_no_other(kernel: Kernel) -> None:
    startup = kernel.folder / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True, exist_ok=True)
    (startup / "00-first.ipy").write_text("%%bash\necho started\n")
    kernel.shut_down(restart=True)
    kernel.launch()
    client = kernel.client()
    assert client.do("%%bash\necho one").text().endswith("one\n")
    client.run("import os; os.abort()")
    assert client.do("%%bash\necho two").text() == "two\n"
    asked = {"x": "get_ipython().run_cell_magic('bash', '', 'echo aside')"}
    assert client.run("1", user_expressions=asked).status == "ok"
    assert client.value("6 * 7") == 42


def test_bash_cells_go_on_after_a_crash_that_took_the_ones_in_the_background(client: Client) -> None:
    client.do("%%bash --bg --proc program\nexec sleep 60")
    pid = int(client.do("program.pid").result)
    client.run("import os; os.abort()")
    assert client.do("%%bash\necho two").text() == "two\n"
    os.kill(pid, signal.SIGKILL)  # an interpreter's programs outlive it


def test_a_bash_cell_that_fails_says_so_and_the_next_one_runs(client: Client) -> None:
    failed = client.run("%%bash\nexit 3")
    assert failed.error["ename"] == "CalledProcessError"
    assert "scripts.py" not in failed.notice
    assert client.do("%%bash\necho on").text() == "on\n"
