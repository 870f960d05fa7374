"""A real kernel in processes of its own, and the assertion that none of them outlives it.

HOLDFAST_TEST_KERNEL=ipykernel runs the same tests against ipykernel, as far as it can pass them: a test of
something that every Jupyter kernel must do should not fail there.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from kit.deadline import Deadline
from kit.processes import MARK, kill, left_over, wait_for_end
from kit.wire import Client, Message

HOLDFAST = os.environ.get("HOLDFAST_TEST_KERNEL", "holdfast") == "holdfast"

COMMAND = [sys.executable, "-m", "holdfast.kernel" if HOLDFAST else "ipykernel_launcher", "-f"]

only_holdfast = pytest.mark.skipif(not HOLDFAST, reason="ipykernel can't, by design")

CHANNELS = ("shell", "iopub", "stdin", "control", "hb")

START_SECONDS = 30.0
END_SECONDS = 10.0


def _own_ports() -> tuple[int, int]:
    """Of all below those that Linux gives to connections that go out (ip(7), ip_local_port_range), a share.

    Who runs tests at the same time has another one (pytest-xdist): a free port is free until it is bound.
    """
    first, end = 20_000, 32_768
    share = (end - first) // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    first += share * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return first, first + share


PORTS = _own_ports()


class Kernel:
    """One launcher of a session, with its folder, its connection file and the clients that tests make."""

    def __init__(self, folder: Path, info: Message, *arguments: str, mark: str, cwd: Path) -> None:
        self.folder = folder
        self.info = info
        self.mark = mark
        self.file = folder / f"kernel-{secrets.token_hex(4)}.json"
        self.file.write_text(json.dumps(info))
        self.file.chmod(0o600)
        self.clients: list[Client] = []
        self._arguments = arguments
        self._cwd = cwd
        self.launch()

    def launch(self) -> None:
        """Start the launcher on the connection file; again, after an earlier one has ended."""
        log = self.folder / "launcher.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [*COMMAND, str(self.file), *self._arguments],
                env=environment(self.folder, self.mark),
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # as jupyter_client does
            )

    def client(self, username: str = "tester") -> Client:
        """A client that hears everything from now on."""
        client = Client(self.info, username)
        self.clients.append(client)
        if HOLDFAST:
            client.wait_for_welcome(START_SECONDS)
            assert client.published[0]["msg_type"] == "iopub_welcome", client.published[0]
        else:
            _wait_for_ipykernel(client)
        client.wait_for_stdin()
        deadline = Deadline(START_SECONDS)
        while not self._holds_its_door() and not deadline.passed:
            client.settle()  # the door of a launcher that died is open before its successor holds it
        return client

    def shut_down(self, *, restart: bool = False) -> None:
        """Ask for the end on control, as Jupyter does, and wait until the launcher has ended."""
        client = Client(self.info, "closer")
        try:
            reply = client.reply(
                client.send("shutdown_request", {"restart": restart}, "control"), END_SECONDS
            )
            assert reply["content"]["status"] == "ok", reply
            assert reply["content"]["restart"] is restart, reply
        finally:
            client.close()
        assert self.wait(END_SECONDS) == 0

    def wait(self, seconds: float = END_SECONDS) -> int:
        """The exit status of the launcher, which must end within so many seconds."""
        assert wait_for_end(self.process.pid, Deadline(seconds)), f"launcher still there after {seconds:g} s"
        return self.process.wait()

    def interrupt(self) -> None:
        """SIGINT to the launcher's process group, as Jupyter does it (interrupt_mode "signal")."""
        os.killpg(self.process.pid, signal.SIGINT)

    def lose(self) -> None:
        """Kill the session's processes, and see the launcher fail."""
        kill(self.mark, spared=self.process.pid)
        assert self.wait() == 1

    def close(self) -> None:
        """End in order, whatever has become of it; AssertionError if anything is left behind."""
        for client in self.clients:
            client.close()
        try:
            if self.process.poll() is None:
                self.shut_down()
            left = left_over(self.mark, Deadline(END_SECONDS))
            assert not left, f"processes left behind: {left}"
        finally:
            kill(self.mark)
            self.process.wait()
            print(self.said())

    def _holds_its_door(self) -> bool:
        """Whether the launcher is connected to the session that it started or found, or has ended."""
        try:
            descriptors = list(Path(f"/proc/{self.process.pid}/fd").iterdir())
            return any(os.readlink(each).startswith("socket:") for each in descriptors)
        except OSError:  # one was closed while we looked, or all of them
            return self.process.poll() is not None

    def said(self) -> str:
        """What launcher and supervisor wrote on stderr: pytest shows it beside a failure."""
        logs = [self.folder / "launcher.log", *sorted(self.folder.glob("run/*/supervisor.log"))]
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-4000:]}" for log in logs)


@contextmanager
def scratch() -> Iterator[Path]:
    """A private folder with a short name (socket paths are short), removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hf", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Place = Callable[[Path], AbstractContextManager[object]]
"""What is done to a kernel's folder before anything starts, and undone when all has ended."""


@contextmanager
def running(
    *arguments: str, transport: str = "ipc", settings: str = "", place: Place = nullcontext, **more: Any
) -> Iterator[Kernel]:
    """A kernel for a `with` block. `more`: fields of the connection file that differ from the usual.

    `settings`: the content of its settings.toml.
    """
    with scratch() as folder, place(folder):
        if settings:
            (folder / "config").mkdir(mode=0o700)
            (folder / "config" / "settings.toml").write_text(settings)
        work = folder / "work"
        work.mkdir()
        info = connection(folder, transport) | more
        kernel = Kernel(folder, info, *arguments, mark=secrets.token_hex(8), cwd=work)
        try:
            yield kernel
        finally:
            kernel.close()


def connection(folder: Path, transport: str = "ipc") -> Message:
    """Content of a connection file: sockets in `folder`, or free ports of the loopback interface."""
    info: Message = {
        "transport": transport,
        "ip": str(folder / secrets.token_hex(3)) if transport == "ipc" else "127.0.0.1",
        "key": secrets.token_hex(16),
        "signature_scheme": "hmac-sha256",
        "kernel_name": "test",
    }
    ports = range(1, 6) if transport == "ipc" else free_ports(5)
    return info | {f"{channel}_port": port for channel, port in zip(CHANNELS, ports, strict=True)}


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on, nor is given to who connects (ip(7))."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(*PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port), reuse_port=False):
            if port not in found:
                found.append(port)
    return found


def environment(folder: Path, mark: str) -> dict[str, str]:
    """Everything that a kernel or its user's own files could be found by, moved below `folder`."""
    ours = {
        "HOLDFAST_HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "OPENBLAS_NUM_THREADS": "2",
        MARK: mark,
    }
    foreign = ("JPY_", "PYTEST_", "IPYKERNEL_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | ours


def _wait_for_ipykernel(client: Client) -> None:
    """Ask until an answer is heard on iopub: a second subscriber gets no welcome (libzmq's XPUB default)."""
    for _ in range(int(START_SECONDS)):
        msg_id = client.send("kernel_info_request")
        try:
            client.idle(msg_id, 1.0)
        except AssertionError:
            continue
        return
    raise AssertionError("ipykernel does not answer")
