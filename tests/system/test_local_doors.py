"""Which doors a session has where nobody asked for more, and that only its own user comes in by them."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jupyter_client.session
import pytest
import zmq

from kit.deadline import Deadline
from kit.kernel import CHANNELS, END_SECONDS, Kernel, connection, running, scratch
from kit.listeners import listeners
from kit.processes import left_over, wait_for_end
from kit.session import Session, session
from kit.shell import Shell
from kit.wire import url

CRASH = "import ctypes; ctypes.string_at(0)"
QUIET_MS = 300
WITHIN_MS = 10_000

only_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else for a while")


@pytest.fixture
def work() -> Iterator[Session]:
    with session() as running_session:
        yield running_session


def doors(folder: Path) -> set[str]:
    return {str(folder / f"door-{number}") for number in range(1, 6)}


def test_nothing_listens_but_seven_unix_sockets_in_the_sessions_own_folder(work: Session) -> None:
    folder = work.folder / "run" / "work"
    declared = doors(folder) | {str(folder / "doorbell"), str(folder / "template")}
    with closing(work.client("ana")) as client:
        assert listeners(work.mark) == declared
        client.do("x = 1")
        client.run(CRASH)  # a standby has taken over
        client.do("x")
    assert listeners(work.mark) == declared
    pid = work.info()["pid"]
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(END_SECONDS))
    assert work.info()["adopted"]  # another supervisor has opened the same
    assert listeners(work.mark) == declared
    for path in map(Path, declared):
        status = path.lstat()
        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
    assert stat.S_IMODE(folder.lstat().st_mode) == 0o700


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_of_a_jupyter_connection_file_its_five_endpoints_listen_as_well(transport: str) -> None:
    with running(transport=transport) as kernel:
        kernel.client().do("1")
        (own,) = (kernel.folder / "run").iterdir()
        theirs = {
            f"{kernel.info['ip']}-{kernel.info[f'{channel}_port']}"
            if transport == "ipc"
            else f"tcp:{kernel.info[f'{channel}_port']}"
            for channel in CHANNELS
        }
        declared = doors(own) | {str(own / "doorbell"), str(own / "template")} | theirs
        assert listeners(kernel.mark) == declared
        told = Shell(kernel.folder).good("info", own.name)
        who = "every user of it can read what is put out" if transport == "tcp" else "only your own processes"
        assert f"{kernel.file}: " in told
        assert who in told


def test_after_the_end_no_socket_is_left(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    shell.good("stop", "work")
    left = [path for path in (shell.home / "run" / "work").iterdir() if stat.S_ISSOCK(path.lstat().st_mode)]
    assert left == []


@only_root
def test_another_user_comes_in_by_no_door_even_where_folder_and_files_let_him(kernel: Kernel) -> None:
    """The system says who he is: that counts, also if modes were changed."""
    client = kernel.client()
    (own,) = (kernel.folder / "run").iterdir()
    for path in (kernel.folder, kernel.folder / "run", own):
        path.chmod(0o711)
    sockets = [own / f"door-{number}" for number in range(1, 6)]
    sockets += [Path(f"{kernel.info['ip']}-{kernel.info[f'{channel}_port']}") for channel in CHANNELS]
    for path in [*sockets, own / "doorbell"]:
        path.chmod(0o666)
    info = json.loads((own / "connection.json").read_text())
    heard = as_somebody_else(lambda: tried(info, kernel.info, own / "doorbell"))
    assert heard == "nothing"
    assert client.do("'intruder' in globals()").result == "False"


def as_somebody_else(act: Callable[[], str]) -> str:
    """What it returns in a process of another user. Forked: he could not read our packages."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(1234)
            os.setuid(1234)
            os.write(theirs, act().encode())
        finally:
            os._exit(0)
    os.close(theirs)
    with open(ours) as told:
        said = told.read()
    os.waitpid(pid, 0)
    return said


def tried(own: dict[str, Any], theirs: dict[str, Any], bell: Path) -> str:
    """What is heard by who knows all keys, subscribes, and sends a cell on every channel."""
    heard = []
    for info in (own, theirs):
        poller, known = zmq.Poller(), jupyter_client.session.Session(key=info["key"].encode())
        for channel in CHANNELS:
            socket_ = zmq.Context.instance().socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
            socket_.connect(url(info, channel))
            if channel == "iopub":
                socket_.subscribe(b"")
            else:
                message = known.msg("execute_request", {"code": "intruder = True"})
                socket_.send_multipart(known.serialize(message))
            poller.register(socket_, zmq.POLLIN)
        heard += poller.poll(2 * QUIET_MS)
    with socket.socket(socket.AF_UNIX) as ringing:
        ringing.settimeout(QUIET_MS / 1000)
        ringing.connect(str(bell))
        try:
            ringing.sendall(b'{"op": "info"}\n')
            heard += ringing.recv(100)
        except OSError:
            pass
    return "something" if heard else "nothing"


# --- what stands where a socket is to be made


@pytest.mark.parametrize("kind", ["file", "link", "folder"])
@pytest.mark.parametrize("name", ["door-1", "door-5", "doorbell", "template"])
def test_what_is_planted_where_a_socket_is_to_be_is_refused_and_left(
    shell: Shell, name: str, kind: str
) -> None:
    folder = shell.home / "run" / "work"
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    target = shell.home / "target"
    target.write_text("precious")
    planted = folder / name
    if kind == "file":
        planted.write_text("precious")
    elif kind == "link":
        planted.symlink_to(target)
    else:
        planted.mkdir()
    refused = shell.run("new", "work", "-d")
    assert refused.returncode == 1
    assert f"{planted} is there, and no socket of ours" in refused.stderr
    assert f"try: remove {planted}" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert target.read_text() == "precious"
    assert os.path.lexists(planted)


@only_root
def test_a_socket_of_somebody_else_is_refused(shell: Shell) -> None:
    folder = shell.home / "run" / "work"
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as planted:
        planted.bind(str(folder / "door-1"))
        os.chown(folder / "door-1", 1234, -1)
        refused = shell.run("new", "work", "-d")
    assert refused.returncode == 1
    assert "no socket of ours" in refused.stderr


def test_a_folder_that_others_could_replace_is_refused_with_what_to_do() -> None:
    with scratch() as outer:
        shared = outer / "shared"
        shared.mkdir()
        shared.chmod(0o777)
        home = shared / "home"
        home.mkdir(mode=0o700)
        shell = Shell(home)
        refused = shell.run("new", "work", "-d")
        assert refused.returncode == 1
        assert f"others may write in {shared} (mode 777)" in refused.stderr
        assert f"try: chmod go-w {shared}" in refused.stderr
        shared.chmod(0o1777)  # sticky, as /tmp: nobody can touch what is not his
        assert shell.good("new", "work", "-d") == "work\n"
        shell.close()


@pytest.mark.parametrize("umask", ["000", "027", "077"])
def test_sockets_are_private_under_every_umask(shell: Shell, umask: str) -> None:
    command = f"umask {umask}; exec {sys.executable} -m holdfast new work -d"
    subprocess.run(["bash", "-c", command], env=shell.environment(), check=True, timeout=60)
    modes = {
        stat.S_IMODE(path.lstat().st_mode)
        for path in (shell.home / "run" / "work").iterdir()
        if stat.S_ISSOCK(path.lstat().st_mode)
    }
    assert modes == {0o600}


# --- connection files that ask for what may not be


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"transport": "ipc", "ip": "@kernel"}, "no owner"),
        ({"transport": "tcp", "ip": "0.0.0.0"}, "only loopback"),
        ({"transport": "tcp", "ip": "*"}, "only loopback"),
        ({"transport": "tcp", "ip": "::"}, "only loopback"),
        ({"key": ""}, "anybody could run code"),
    ],
)
def test_a_connection_file_that_would_let_others_in_opens_no_door(
    more: dict[str, str], complaint: str
) -> None:
    with scratch() as folder:
        shell = Shell(folder)
        file = folder / "kernel.json"
        file.write_text(json.dumps(connection(folder) | more))
        launcher = subprocess.run(
            [sys.executable, "-m", "holdfast.kernel", "-f", str(file)],
            env=shell.environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert launcher.returncode == 1
        assert complaint in launcher.stderr
        assert not {each for each in listeners(shell.mark) if not each.startswith(str(folder / "run"))}
        assert not left_over(shell.mark, Deadline(END_SECONDS)), "an unused session ends by itself"


def test_while_nobody_answers_who_comes_in_nobody_does() -> None:
    """ZeroMQ lets everybody in whose doorman is missing, unless it is told not to."""
    from holdfast import settings
    from holdfast.access import doorman, doors
    from holdfast.access.sockets import Sockets
    from holdfast.protocol import connection as files

    with scratch() as folder, zmq.Context() as context:
        file = folder / "door.json"
        doors.open_own(folder / "door", file)
        opened = Sockets(file, files.read(file), context, settings.Wire())
        door, url = opened.by_channel["shell"], opened.info.url("shell")
        client = context.socket(zmq.DEALER)
        client.linger = 0
        client.connect(url)
        client.send(b"let me in")
        assert not door.poll(QUIET_MS)
        asked = doorman.Doorman(context)
        with context.socket(zmq.DEALER) as another:
            another.linger = 0
            another.connect(url)
            another.send(b"me, too")
            assert asked.socket.poll(WITHIN_MS)
            assert not door.poll(0)
            asked.answer()
            assert door.poll(WITHIN_MS)
            assert door.recv_multipart()[1] == b"me, too"
        asked.close()
        opened.close()
        client.close()
