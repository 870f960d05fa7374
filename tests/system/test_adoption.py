"""A supervisor that is killed: another one takes over, and no client loses anything or sees it twice."""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient

from holdfast import processes
from holdfast.client import blocking
from holdfast.client.doorbell import DoorbellClient
from holdfast.errors import HoldfastError
from holdfast.protocol import connection
from kit.deadline import Deadline
from kit.gate import Gate
from kit.kernel import Kernel, environment, only_holdfast
from kit.processes import MARK, left_over, marked, wait_for_end
from kit.travel import back
from kit.wire import Cell, Client, Message

pytestmark = only_holdfast

SLOW = "import time\nfor i in range({}):\n    print(i)\n    time.sleep({})\n'end'"

MOMENTS = 12
"""Random ones at which a supervisor is killed."""

PR_SET_CHILD_SUBREAPER = 36
"""linux/prctl.h"""

DIE = "import ctypes; ctypes.string_at(0)"

END_SECONDS = 15.0
"""For a process that was killed, or has nothing more to do, to be gone: a busy machine takes its time."""


def about(client: Client) -> Message:
    return client.ask("holdfast_info_request", {}, "control")


def kill(client: Client) -> int:
    """Kill the supervisor; its process id."""
    pid: int = about(client)["pid"]
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(END_SECONDS))
    return pid


def numbers(cell: Cell) -> list[int]:
    return [int(word) for word in cell.text().split()]


def wait_for_standby(client: Client, after: int) -> None:
    client.until_told(lambda: (about(client)["standby"] or {}).get("after") == after, "a standby")


# --- at any moment


def test_between_cells_it_is_as_if_nothing_had_happened(kernel: Kernel, client: Client) -> None:
    client.do("kept = 5")
    killed = kill(client)
    assert client.value("kept") == 5
    now = about(client)
    assert now["pid"] != killed
    assert now["adopted"]
    assert now["unclean"] is None
    assert now["execution_count"] == 2
    assert kernel.process.poll() is None


def test_a_cell_that_is_silent_goes_on_and_is_answered(client: Client) -> None:
    running_cell = client.start("import time; time.sleep(1.5); 42")
    client.until_busy(running_cell)
    kill(client)
    cell = client.finish(running_cell)
    assert (cell.status, cell.result) == ("ok", "42")
    assert client.value("1 + 1") == 2


def test_a_cell_that_prints_goes_on_and_nothing_of_it_is_missing(client: Client, folder: Path) -> None:
    """It rests at that moment: what is on its way to such a client then may be lost, which is said."""
    gate = Gate(folder / "gate")
    running_cell = client.start(f"print(-1)\n_ = {gate.wait}\n{SLOW.format(200, 0.01)}")
    client.text(running_cell, "-1\n")
    kill(client)
    gate.open()
    cell = client.finish(running_cell)
    assert (cell.status, cell.result) == ("ok", "'end'")
    assert numbers(cell) == list(range(-1, 200))


def test_what_a_subprocess_prints_meanwhile_arrives(client: Client, folder: Path) -> None:
    gate = Gate(folder / "gate")
    program = f"cat {folder / 'gate'}; seq 2000"
    code = f"import subprocess\nprint('go', flush=True)\nsubprocess.run(['sh', '-c', {program!r}])\n1"
    running_cell = client.start(code)
    client.text(running_cell, "go\n")
    kill(client)
    gate.open()
    cell = client.finish(running_cell)
    assert cell.text() == "go\n" + "".join(f"{number}\n" for number in range(1, 2001))


def test_cells_that_wait_run_in_their_order(client: Client) -> None:
    first = client.start("import time; order = []; print('go'); time.sleep(1); order.append(1)")
    rest = [client.start(f"order.append({number})") for number in (2, 3, 4)]
    client.text(first, "go\n")
    client.settle()  # all have arrived: what is on its way to who is killed is lost
    kill(client)
    for each in (first, *rest):
        assert client.finish(each).status == "ok"
    assert client.value("order") == [1, 2, 3, 4]


def test_an_error_aborts_what_waited_before_the_supervisor_was_killed(client: Client) -> None:
    first = client.start("import time; print('go'); time.sleep(1); 1 / 0")
    second = client.start("2")
    client.text(first, "go\n")
    client.settle()  # the second has arrived, too
    kill(client)
    assert client.finish(first).error["ename"] == "ZeroDivisionError"
    assert client.finish(second).status == "aborted"


def test_a_question_is_still_answered(client: Client) -> None:
    asking = client.start("answer = input('? ')", allow_stdin=True)
    client.prompt()
    kill(client)
    about(client)
    client.answer("yes")
    assert client.finish(asking).status == "ok"
    assert client.value("answer") == "yes"


def test_it_may_be_killed_again_and_again(client: Client) -> None:
    client.do("kept = 5")
    running_cell = client.start(SLOW.format(300, 0.01))
    client.text(running_cell, "20\n")
    for _ in range(3):
        kill(client)
    cell = client.finish(running_cell)
    assert_complete_or_told(cell, 300)
    assert client.value("kept") == 5
    assert about(client)["epoch"] == 4


def assert_complete_or_told(cell: Cell, count: int) -> None:
    """Nothing comes twice. What was being sent in the moment of a kill may be missing: then that is said."""
    there = numbers(cell)
    assert there == sorted(set(there))
    if there != list(range(count)):
        assert cell.text("stderr").count("may be missing here") in (1, 2, 3)
        assert count - len(there) < 100


def test_one_that_is_killed_while_it_waits_for_the_clients_loses_nothing(
    kernel: Kernel, client: Client
) -> None:
    """It does not hear the worker before they are there: what it has not heard, the next one hears."""
    running_cell = client.start(SLOW.format(250, 0.01))
    client.text(running_cell, "20\n")
    client.settle()
    kill(client)
    for _ in range(2):
        client.until_told(lambda: _rings(kernel), "the next supervisor")
        kill_quickly(kernel)
    cell = client.finish(running_cell)
    assert_complete_or_told(cell, 250)
    assert about(client)["epoch"] == 4


def test_a_cell_that_arrives_once_more_at_the_next_supervisor_is_not_run_again(client: Client) -> None:
    """A client's socket may still have it, and connects anew by itself; nor does a stranger's copy count."""
    client.do("count = 0")
    message = client.session.msg("execute_request", {"code": "count += 1", "silent": False})
    frames = client.session.serialize(message)
    client.sent.add(message["header"]["msg_id"])
    client.send_frames(frames)
    assert client.finish(message["header"]["msg_id"]).status == "ok"
    kill(client)
    client.send_frames(frames)
    assert client.value("count") == 1


def test_an_interrupt_reaches_the_cell_that_another_supervisor_has_started(client: Client) -> None:
    running_cell = client.start("import time; print('go'); time.sleep(60)")
    client.text(running_cell, "go")
    kill(client)
    assert client.ask("interrupt_request", {}, "control")["status"] == "ok"
    assert client.finish(running_cell).error["ename"] == "KeyboardInterrupt"


# --- our own clients


@contextmanager
def own_client(kernel: Kernel, client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[blocking.Client]:
    """A client of ours at the session's own door. It starts supervisors itself, in the kernel's folder."""
    monkeypatch.setenv("HOLDFAST_HOME", str(kernel.folder))
    monkeypatch.setenv(MARK, kernel.mark)
    info = about(client)
    file = Path(info["connection_file"])
    with blocking.Client(connection.read(file), username="own", name=info["name"]) as own:
        yield own


def shown(run: blocking.Execution) -> list[int]:
    """The numbers that a cell printed, in the order they came."""
    texts = [str(message.content["text"]) for message in run if message.msg_type == "stream"]
    return [int(word) for word in "".join(texts).split()]


def test_our_own_client_hears_each_number_of_a_dense_output_once(
    kernel: Kernel, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_client(kernel, client, monkeypatch) as own:
        run = own.execute("for i in range(300_000):\n    print(i)\n'end'")
        first = next(message for message in run if message.msg_type == "stream")
        kill_quickly(kernel)
        numbers = [int(word) for word in str(first.content["text"]).split()]
        assert numbers + shown(run) == list(range(300_000))
        assert run.reply().content["status"] == "ok"


def test_our_own_client_that_has_just_come_is_told_nothing_of_before_it(
    kernel: Kernel, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.do("print('of before')")
    with own_client(kernel, client, monkeypatch) as own:
        kill_quickly(kernel)
        run = own.execute("print(7)")
        assert shown(run) == [7]
        assert not [each for each in own.foreign if each.msg_type == "stream"]


def test_whatever_is_the_moment_no_number_is_missing_and_none_comes_twice(
    kernel: Kernel, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = random.Random(1)
    with own_client(kernel, client, monkeypatch) as own:
        for _ in range(MOMENTS):
            # Who had all of the last cell before that moment need not have noticed it.
            client.until_told(lambda: _rings(kernel), "the next supervisor")
            run = own.execute("for i in range(40):\n    print(i)\ncount = globals().get('count', 0) + 1")
            own.listen(chosen.uniform(0, 0.004))
            kill_quickly(kernel)
            assert shown(run) == list(range(40))
            assert run.reply().content["status"] == "ok"
        run = own.execute("print(count)")
        assert shown(run) == [MOMENTS]


def test_the_client_of_others_hears_what_is_published_after_it(kernel: Kernel, client: Client) -> None:
    """jupyter_client's sockets connect anew by themselves, and what is said meanwhile waits for them."""
    theirs = BlockingKernelClient(connection_file=str(kernel.file))
    theirs.load_connection_file()
    theirs.start_channels()
    try:
        theirs.wait_for_ready(timeout=15)
        running_cell = client.start("import time; print('go'); time.sleep(1)")
        client.text(running_cell, "go")
        texts: list[str] = []

        def hear(message: Message) -> None:
            if message["msg_type"] == "stream":
                texts.append(message["content"]["text"])

        kill(client)
        reply = theirs.execute_interactive(
            "for i in range(1000): print(i)", timeout=20, output_hook=hear, allow_stdin=False
        )
        assert reply["content"]["status"] == "ok"
        assert [int(word) for word in "".join(texts).split()] == list(range(1000))
    finally:
        theirs.stop_channels()


def kill_quickly(kernel: Kernel) -> None:
    """Kill the supervisor without a word to it."""
    pid = _supervisor(kernel)
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(END_SECONDS))


# --- the standbys


def test_a_crash_under_the_new_supervisor_costs_one_cell_as_ever(client: Client) -> None:
    client.do("kept = 5")
    wait_for_standby(client, 1)
    kill(client)
    crashed = client.run(DIE)
    assert crashed.error["ename"] == "InterpreterDied"
    assert "every variable as before" in crashed.notice
    assert client.value("kept") == 5


def test_a_worker_that_dies_while_nobody_looks_is_replaced_by_its_standby(
    client: Client, folder: Path
) -> None:
    gate = Gate(folder / "gate")
    client.do("kept = 5")
    wait_for_standby(client, 1)
    running_cell = client.start(f"import os; print('go'); {gate.wait}; os._exit(3)")
    client.text(running_cell, "go\n")
    now = about(client)
    os.kill(now["pid"], signal.SIGSTOP)
    gate.open()
    assert wait_for_end(now["worker_pid"], Deadline(END_SECONDS))
    os.kill(now["pid"], signal.SIGKILL)
    crashed = client.finish(running_cell)
    assert "exit status 3" in crashed.notice
    assert client.value("kept") == 5


@contextmanager
def orphans_are_ours() -> Iterator[None]:
    """Whose parent ends is our child, to be waited for at once, as by a system's first process."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def test_a_worker_that_dies_together_with_the_template_is_replaced_by_its_standby(client: Client) -> None:
    client.do("kept = 5")
    wait_for_standby(client, 1)
    with orphans_are_ours():
        kill(client)
        supervisor = kill_template_and_worker(client)
    os.kill(supervisor, signal.SIGCONT)
    assert client.value("kept") == 5
    assert about(client)["pid"] == supervisor  # it was not killed by that itself


def test_a_worker_that_dies_while_nobody_is_there_who_could_hear_of_it_is_replaced(
    kernel: Kernel, client: Client
) -> None:
    """Its template was killed, so it is no child of the next one, which the next supervisor relies on."""
    client.do("kept = 5")
    wait_for_standby(client, 1)
    now = about(client)
    worker = processes.look(now["worker_pid"])
    assert worker is not None
    before = meeting(kernel)
    os.kill(worker.parent, signal.SIGKILL)
    client.until_told(lambda: meeting(kernel) - before and about(client), "another template")
    for pid in (now["pid"], worker.pid):
        os.kill(pid, signal.SIGKILL)
    client.until(lambda: said(client, "InterpreterDied"), "notice")
    assert client.value("kept") == 5
    assert not said(client, "Child processes")  # those of the system's first process are not its own


def test_one_that_is_to_take_over_begins_nothing_of_its_own(kernel: Kernel, client: Client) -> None:
    """What it was started for may have ended while it started: it would be a session that nobody wanted."""
    name = about(client)["name"]
    kernel.lose()
    supervisor = subprocess.run(
        [sys.executable, "-P", "-m", "holdfast.supervisor", "--session", name, "--takes-over", "--named"],
        env=environment(kernel.folder, kernel.mark),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert supervisor.returncode == 1
    assert "nothing of session" in json.loads(supervisor.stdout)["what"]


def meeting(kernel: Kernel) -> set[tuple[int, int]]:
    """Where the template waits for who takes over: another socket for each; none in between."""
    found = set()
    for path in kernel.folder.glob("run/*/template"):
        with suppress(FileNotFoundError):
            status = path.stat()
            found.add((status.st_ino, status.st_ctime_ns))
    return found


def said(client: Client, words: str) -> bool:
    """Whether it was said on stderr."""
    return any(words in str(m["content"]) for m in client.published if m["msg_type"] == "stream")


def kill_template_and_worker(client: Client) -> int:
    """While the supervisor, whose process id this is, stands still."""
    supervisor = about(client)["pid"]
    worker = about(client)["worker_pid"]
    found = processes.look(worker)
    assert found is not None
    os.kill(supervisor, signal.SIGSTOP)
    for pid in (found.parent, worker):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return supervisor


def test_a_cell_that_had_not_begun_when_both_were_killed_just_runs(client: Client) -> None:
    client.do("kept = [1]")
    wait_for_standby(client, 1)
    now = about(client)
    os.kill(now["worker_pid"], signal.SIGSTOP)
    running_cell = client.start("kept.append(2)\nkept")
    client.until_busy(running_cell)
    for pid in (now["pid"], now["worker_pid"]):
        os.kill(pid, signal.SIGKILL)
    cell = client.finish(running_cell)
    assert (cell.status, cell.result) == ("ok", "[1, 2]"), cell.notice
    assert "between cells" in cell.text("stderr")


def test_a_copy_that_was_asked_something_endless_ends_with_who_asked(
    kernel: Kernel, client: Client, folder: Path
) -> None:
    asked = folder / "asked"
    client.do(f"""
import ctypes, os
class Endless:
    def __dir__(self):
        with open({str(asked)!r}, "w") as asked: print(os.getpid(), file=asked)
        ctypes.PyDLL(None).sleep(300)
endless = Endless()
""")
    wait_for_standby(client, 1)
    running_cell = client.start("print('go'); __import__('threading').Event().wait(60)")
    client.text(running_cell, "go")
    client.send("complete_request", {"code": "endless.", "cursor_pos": 8})
    client.until_told(lambda: asked.exists() and asked.read_text(), "a copy that answers")
    kill_quickly(kernel)
    assert wait_for_end(int(asked.read_text()), Deadline(END_SECONDS))
    client.send("interrupt_request", {}, "control")
    assert client.finish(running_cell).error["ename"] == "KeyboardInterrupt"


def test_earlier_states_can_still_be_gone_back_to(client: Client) -> None:
    client.do("kept = 1")
    wait_for_standby(client, 1)
    client.do("kept = 2")
    wait_for_standby(client, 2)
    kill(client)
    back(client)
    assert client.value("kept") == 1


def test_comms_go_on_and_survive_a_crash_after_it(client: Client) -> None:
    client.do("import comm; one = comm.create_comm(target_name='early')")
    wait_for_standby(client, 1)
    known = client.ask("comm_info_request", {})["comms"]
    kill(client)
    assert client.ask("comm_info_request", {})["comms"] == known
    client.run(DIE)
    assert not [each for each in client.published if each["msg_type"] == "comm_close"]
    assert client.value("one.comm_id in comm.get_comm_manager().comms")


def test_a_restart_after_it_gives_a_fresh_namespace(kernel: Kernel, client: Client) -> None:
    client.do("kept = 5")
    kill(client)
    about(client)
    kernel.shut_down(restart=True)
    kernel.launch()
    assert kernel.client().run("kept").error["ename"] == "NameError"


# --- a supervisor that only stands still


def test_one_that_is_stopped_for_a_while_loses_nothing(client: Client, folder: Path) -> None:
    pid = about(client)["pid"]
    begin, end = folder / "begin", folder / "end"
    for sign in (begin, end):
        os.mkfifo(sign)
    code = f"""
print(-1)
open({str(begin)!r}).close()
for i in range(100_000):
    print(i)
open({str(end)!r}, "w").close()
"""
    running_cell = client.start(code)
    client.text(running_cell, "-1")
    os.kill(pid, signal.SIGSTOP)
    begin.write_text("")
    end.read_text()
    os.kill(pid, signal.SIGCONT)
    assert numbers(client.finish(running_cell)) == list(range(-1, 100_000))
    assert about(client)["pid"] == pid


# --- launchers


def test_a_launcher_that_was_killed_with_it_is_replaced_and_finds_the_session(
    kernel: Kernel, client: Client
) -> None:
    client.do("kept = 5")
    kernel.process.kill()
    kernel.process.wait()
    os.kill(_supervisor(kernel), signal.SIGKILL)
    kernel.launch()
    assert kernel.client("successor").value("kept") == 5


def test_a_launcher_that_comes_while_the_killed_supervisor_is_still_dying_begins_anew(
    kernel: Kernel, client: Client
) -> None:
    """Its socket takes connections for as long as it takes to die; nobody is left that could take over."""
    client.do("x = 5")
    supervisor = _supervisor(kernel)
    os.kill(supervisor, signal.SIGSTOP)
    for pid in marked(kernel.mark):
        if pid != supervisor:
            os.kill(pid, signal.SIGKILL)
    kernel.process.wait()
    client.close()
    kernel.launch()
    deadline = Deadline(END_SECONDS)
    while not _is_connected(kernel.process.pid):
        assert not deadline.passed
    os.kill(supervisor, signal.SIGKILL)
    again = kernel.client("again")
    assert "not closed properly" in again.run("1").text("stderr")


def _is_connected(launcher: int) -> bool:
    """Whether it has a socket of its own."""
    for descriptor in Path(f"/proc/{launcher}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            if os.readlink(descriptor).startswith("socket:"):
                return True
    return False


# --- nobody comes


def test_nobody_comes_and_nothing_is_left(kernel: Kernel, client: Client) -> None:
    config = kernel.folder / "config"
    config.mkdir()
    (config / "settings.toml").write_text("[life]\nadopt_seconds = 0.5\n")
    kernel.shut_down()
    kernel.launch()
    kernel.client().do("kept = 5")
    kernel.process.kill()
    kernel.process.wait()
    os.kill(_supervisor(kernel), signal.SIGKILL)
    assert left_over(kernel.mark, Deadline(END_SECONDS)) == {}


def test_everything_is_killed_and_the_session_begins_anew_and_says_so(kernel: Kernel, client: Client) -> None:
    client.do("kept = 5")
    kernel.lose()
    kernel.launch()
    successor = kernel.client("successor")
    assert "not closed properly" in successor.run("1").text("stderr")
    assert successor.run("kept").error["ename"] == "NameError"


def test_a_cell_that_ended_with_everything_is_not_taken_up_by_a_later_supervisor(
    kernel: Kernel, client: Client
) -> None:
    client.until_busy(client.start("while True: pass"))
    kernel.lose()
    kernel.launch()
    successor = kernel.client("successor")
    successor.do("x = 5")
    kill(successor)
    assert successor.value("x") == 5


def _supervisor(kernel: Kernel) -> int:
    (pid,) = (pid for pid, command in marked(kernel.mark).items() if "holdfast.supervisor" in command)
    return pid


def _rings(kernel: Kernel) -> bool:
    """Whether somebody answers at the session's doorbell."""
    for bell in kernel.folder.glob("run/*/doorbell"):  # there is none while one is made
        with suppress(OSError, HoldfastError), DoorbellClient.connect(bell, "work") as doorbell:
            return bool(doorbell.ask("info"))
    return False
