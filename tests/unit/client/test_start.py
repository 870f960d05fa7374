"""Starting a supervisor. Its part is played by a script, so that it can fail in every way."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast import paths
from holdfast.client import start
from holdfast.errors import NoSuchSession, SessionError, SessionExists, SessionNotRunning, StartFailed
from kit.gate import Gate
from kit.kernel import scratch

COMES_UP = """
import contextlib, json, os, socket, sys
name = sys.argv[sys.argv.index("--session") + 1]
home = os.environ["HOLDFAST_HOME"]
os.makedirs(f"{home}/state/sessions/{name}", exist_ok=True)
bell = socket.socket(socket.AF_UNIX)
bell.bind(f"{home}/run/{name}/doorbell")
bell.listen()
open(f"{home}/starts", "a").write("start ")
about = {
    "ok": True,
    "arguments": sys.argv[1:],
    "descriptors": [int(n) for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")],
    "leads_its_session": os.getsid(0) == os.getpid(),
    "pid": os.getpid(),
}
with contextlib.suppress(BrokenPipeError):
    os.write(3, b'{"ok": true}\\n')
os.close(3)
os.close(4)
while True:
    caller, _ = bell.accept()
    for line in caller.makefile():
        if json.loads(line)["op"] == "stop":
            os.unlink(f"{home}/run/{name}/doorbell")
            caller.sendall(b'{"ok": true}\\n')
            sys.exit()
        caller.sendall(json.dumps(about).encode() + b"\\n")
"""


MANY_DESCRIPTORS = 1024
"""More than select(2) can look at, with the few that a process has anyway."""

DIES = """
import os, sys
os.makedirs(os.environ["HOLDFAST_HOME"] + "/state/sessions/work")
sys.exit({!r})
"""


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with scratch() as folder:
        monkeypatch.setenv("HOLDFAST_HOME", str(folder))
        yield folder
        for name in start.known():
            try:
                with start.ring(name) as bell:
                    start.stop(name, bell)
            except SessionError:
                continue


@pytest.fixture
def python(home: Path) -> Callable[[str], str]:
    """Makes an interpreter that runs this script whatever it is told to run."""

    def make(script: str) -> str:
        path = home / "python"
        path.write_text(f"#!{sys.executable}\n{script}")
        path.chmod(0o700)
        return str(path)

    return make


def kept(home: Path, name: str) -> None:
    (home / "state" / "sessions" / name).mkdir(parents=True)


def test_a_new_session_is_started_as_a_daemon_of_its_own(home: Path, python: Callable[[str], str]) -> None:
    spare, _ = ends = os.pipe()
    os.set_inheritable(spare, True)
    with start.ensure("work", create=True, cwd="/", python=python(COMES_UP)) as bell:
        about = bell.ask("info")
    assert about["leads_its_session"]
    assert {0, 1, 2} <= set(about["descriptors"])
    assert spare not in about["descriptors"]
    expected = ["-P", "-m", "holdfast.supervisor", "--session", "work", "--ready-fd", "3", "--turn-fd", "4"]
    assert about["arguments"] == [*expected, "--cwd", "/", "--named"]
    for end in ends:
        os.close(end)


def test_options_for_ipython_reach_the_supervisor(home: Path, python: Callable[[str], str]) -> None:
    flags = ["--profile", "lab", "--debug"]
    with start.ensure("work", create=True, flags=flags, python=python(COMES_UP)) as bell:
        assert bell.ask("info")["arguments"][-4:] == ["--", *flags]


def test_settings_of_the_command_line_reach_the_supervisor(
    home: Path, python: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "given", ["standby.keep=3"])
    with start.ensure("work", create=True, flags=["--debug"], python=python(COMES_UP)) as bell:
        assert bell.ask("info")["arguments"][-3:] == ["--set=standby.keep=3", "--", "--debug"]


def test_an_unnamed_session_is_not_called_named(home: Path, python: Callable[[str], str]) -> None:
    with start.create("work", named=False, python=python(COMES_UP)) as bell:
        assert "--named" not in bell.ask("info")["arguments"]


def test_many_who_want_one_session_start_it_once(home: Path, python: Callable[[str], str]) -> None:
    interpreter, found = python(COMES_UP), []

    def attach() -> None:
        with start.ensure("work", create=True, python=interpreter) as bell:
            found.append(bell.ask("info")["pid"])

    threads = [threading.Thread(target=attach) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 5
    assert len(set(found)) == 1
    assert (home / "starts").read_text() == "start "


def test_a_supervisor_whose_starter_was_killed_is_waited_for(
    home: Path, python: Callable[[str], str]
) -> None:
    gate, there = Gate(home / "gate"), home / "there"
    os.mkfifo(there)
    interpreter = python(f"open({str(there)!r}, 'w').close()\n{gate.wait}\n{COMES_UP}")
    begins = f"from holdfast.client import start; start.ensure('work', create=True, python={interpreter!r})"
    starter = subprocess.Popen([sys.executable, "-c", begins])
    there.read_text()
    starter.kill()
    starter.wait()

    opening = threading.Thread(target=gate.open)
    opening.start()
    with start.ensure("work", create=True, python=interpreter) as bell:
        assert bell.ask("info")["pid"]
    opening.join()
    assert (home / "starts").read_text() == "start "


def test_a_session_that_ended_is_started_again(home: Path, python: Callable[[str], str]) -> None:
    interpreter = python(COMES_UP)
    with start.create("work", python=interpreter) as bell:
        first = bell.ask("info")["pid"]
        start.stop("work", bell)
    with pytest.raises(SessionNotRunning, match="its state is kept"):
        start.ring("work")
    with start.ensure("work", python=interpreter) as bell:
        assert bell.ask("info")["pid"] != first


def test_a_name_can_be_given_once(home: Path) -> None:
    kept(home, "work")
    with pytest.raises(SessionExists, match="'work' already exists"):
        start.create("work")


def test_a_missing_session_is_not_made_and_the_nearest_name_is_offered(home: Path) -> None:
    kept(home, "work")
    with pytest.raises(NoSuchSession, match="no session named 'wrok'") as caught:
        start.ensure("wrok")
    assert "holdfast attach work" in str(caught.value.remedy)
    assert not (home / "run").exists()


@pytest.mark.parametrize("name", ["../evil", "", "a/b", ".hidden", "x" * 61])
def test_a_name_that_could_be_a_path_is_refused(home: Path, name: str) -> None:
    with pytest.raises(SessionError, match="can't name a session"):
        start.ensure(name, create=True)


def test_a_refusal_at_the_start_is_told_in_its_own_words(home: Path, python: Callable[[str], str]) -> None:
    line = json.dumps({"ok": False, "what": "the journal is damaged", "remedy": "move it"}).encode() + b"\n"
    with pytest.raises(StartFailed, match="the journal is damaged") as caught:
        start.create("work", python=python(f"import os; os.write(3, {line!r})"))
    assert caught.value.remedy == "move it"


def test_a_death_at_the_start_is_told_with_its_last_words(home: Path, python: Callable[[str], str]) -> None:
    for words in ("no module named msgspec", "no module named zmq"):
        with pytest.raises(StartFailed, match=words) as caught:
            start.create("work", python=python(DIES.format(words)))
        assert str(caught.value.remedy).endswith("supervisor.log")
        assert start.known() == []


def test_a_python_that_can_not_run_is_told(home: Path) -> None:
    with pytest.raises(StartFailed, match="can't run /nowhere/python: No such file"):
        start.create("work", python="/nowhere/python")


def test_a_start_that_hangs_is_given_up_and_ended(
    home: Path, python: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "START_SECONDS", 0.5)
    script = f"import os, signal; open({str(home / 'pid')!r}, 'w').write(str(os.getpid())); signal.pause()"
    with pytest.raises(StartFailed, match="did not come up within"):
        start.create("work", python=python(script))
    written = home / "pid"
    if written.exists():  # else it was ended before it came so far
        assert os.waitstatus_to_exitcode(os.waitpid(int(written.read_text()), 0)[1]) == -15


def test_a_doorbell_left_behind_does_not_count(home: Path, python: Callable[[str], str]) -> None:
    kept(home, "work")
    folder = paths.private_folder(paths.runtime_folder()) / "work"
    folder.mkdir(mode=0o700)
    (folder / "doorbell").write_text("")
    with pytest.raises(SessionNotRunning):
        start.ring("work")


def test_a_forgotten_session_leaves_nothing_behind(home: Path, python: Callable[[str], str]) -> None:
    with start.create("work", python=python(COMES_UP)) as bell:
        with pytest.raises(SessionExists, match="is running"):
            start.forget("work")
        start.stop("work", bell)
    start.forget("work")
    assert start.known() == []
    assert list((home / "run").iterdir()) == []


def left_template(name: str) -> socket.socket:
    """Listens where the interpreter of a session waits whose supervisor was killed."""
    kept(paths.state_folder().parent, name)
    paths.private_folder(paths.runtime_folder())
    paths.private_folder(paths.session_runtime(name))
    template = socket.socket(socket.AF_UNIX)
    template.bind(str(paths.session_meeting(name)))
    template.listen()
    return template


def test_a_session_that_waits_for_another_supervisor_is_not_forgotten(home: Path) -> None:
    with left_template("work"), pytest.raises(SessionExists, match="is running"):
        start.forget("work")
    assert start.known() == ["work"]


def test_a_supervisor_that_is_killed_the_moment_it_is_ready_is_told(
    home: Path, python: Callable[[str], str]
) -> None:
    interpreter = python("import os; os.write(3, b'{\"ok\": true}\\n')")
    with left_template("work"), pytest.raises(SessionNotRunning, match="is not running"):
        start.ensure("work", python=interpreter)


def test_a_process_with_very_many_descriptors_starts_one(home: Path, python: Callable[[str], str]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY_DESCRIPTORS + 100:
        pytest.skip("this system allows no process so many descriptors")
    with contextlib.ExitStack() as held:
        resource.setrlimit(resource.RLIMIT_NOFILE, (MANY_DESCRIPTORS + 100, hard))
        held.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(MANY_DESCRIPTORS):
            held.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        with start.create("work", python=python(COMES_UP)) as bell:
            start.stop("work", bell)


def test_only_folders_that_can_be_sessions_are_listed(home: Path) -> None:
    for name in ("b", "a", ".trash"):
        kept(home, name)
    assert start.known() == ["a", "b"]
