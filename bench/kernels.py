"""Kernels as Jupyter starts them: a connection file, a command, an environment, and an end to all of it."""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, Silence, end_of
from holdfast.protocol import connection
from holdfast.protocol.connection import CHANNELS, ConnectionInfo

MARK = "HOLDFAST_BENCH_MARK"
"""Variable that all processes of one kernel inherit, whatever they are forked or exec'ed from."""

END_SECONDS = 10.0

_PORTS = (20_000, 32_768)
"""Below those that Linux gives to connections that go out (ip(7), ip_local_port_range)."""

SETTLED_SECONDS, SETTLING = 4.0, 30
"""What is written in the background is there when nothing has come for so long; so often it is looked at."""

SUBSCRIBING = 100
"""Questions until one is answered on iopub too. Not every kernel welcomes its subscribers."""


@dataclass(frozen=True)
class Kind:
    """A kernel by name, and the command of its kernelspec."""

    name: str
    module: tuple[str, ...]
    python: str = sys.executable
    variables: tuple[tuple[str, str], ...] = ()
    """Of its environment."""
    settings: str = ""
    """Of a Holdfast that is not to be as it is by default: the content of its settings.toml."""

    def command(self, file: Path) -> list[str]:
        """What Jupyter runs."""
        return [self.python, *self.module, "-f", str(file)]


IPYKERNEL = Kind("ipykernel", ("-m", "ipykernel_launcher"))
HOLDFAST = Kind("Holdfast", ("-P", "-m", "holdfast.kernel"))


class Kernel:
    """One that was started just now; it may not be there yet."""

    def __init__(self, kind: Kind, folder: Path) -> None:
        self.kind = kind
        self._mark = secrets.token_hex(8)
        self._said = said_by(kind.name, folder)
        self.home = folder / self._mark[:6]
        """What it keeps is below this; the kernel works in it."""
        self.home.mkdir(mode=0o700)
        if kind.settings:
            (self.home / "config").mkdir(mode=0o700)
            (self.home / "config" / "settings.toml").write_text(kind.settings)
        self._info = _connection()
        self.environment = _environment(self.home, self._mark) | dict(kind.variables)
        self.file = self.home / f"kernel-{self._mark}.json"
        connection.write(self.file, self._info)
        self.start()

    def start(self) -> None:
        """Start it, or after `kill` start it again on the same connection file."""
        self.client = Client(self._info)
        with self._said.open("ab") as said:
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                self.kind.command(self.file),
                env=self.environment,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )

    def ready(self) -> Kernel:
        """Wait until it answers, is heard on iopub, and has run something."""
        client = self.client
        client.reply(client.send("kernel_info_request", {}))
        for _ in range(SUBSCRIBING):
            try:
                client.finish(client.send("kernel_info_request", {}), 0.1)
            except Silence:
                continue  # our subscription was on its way, and what was published before it is lost
            client.do("1")
            return self
        raise Silence("nothing is heard on iopub")

    def close(self) -> None:
        """End it in order, or else by force: nothing of it is left."""
        try:
            if self._process.poll() is None:
                self.client.reply(
                    self.client.send("shutdown_request", {"restart": False}, "control"), END_SECONDS
                )
                end_of(self._process.pid, END_SECONDS)
        except Silence:
            pass  # it is dead or hangs, and is killed below
        finally:
            self.client.close()
            self._kill()

    def processes(self) -> set[int]:
        """Ids of all its processes: the one that was started, and whatever that one started or forked."""
        wanted = f"{MARK}={self._mark}".encode()
        return {pid for pid in _all_processes() if wanted in _read(f"/proc/{pid}/environ").split(b"\0")}

    def memory(self) -> float:
        """Bytes of memory of all its processes, shared pages divided fairly (PSS, proc_pid_smaps(5))."""
        rollups = [_read(f"/proc/{pid}/smaps_rollup").split() for pid in self.processes()]
        return sum(int(words[words.index(b"Pss:") + 1]) * 1024 for words in rollups if b"Pss:" in words)

    def written(self) -> float:
        """Bytes of the files that it has left in its folder."""
        files = [path for path in self.home.rglob("*") if path.is_file() and not path.is_symlink()]
        return float(sum(path.stat().st_size for path in files))

    def settled(self) -> float:
        """The same, once nothing more comes."""
        size = -1.0
        for _ in range(SETTLING):
            if size == (size := self.written()):
                break
            self.client.pause(SETTLED_SECONDS)
        return size

    def kill(self) -> None:
        """End all its processes at once, without a word to any of them."""
        self.client.close()
        self._kill()

    def _kill(self) -> None:
        while living := self.processes():
            for pid in living:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                end_of(pid, END_SECONDS)
        self._process.wait()


class Lab:
    """The folder in which everything happens, and from which kernels are started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def kernel(self, kind: Kind) -> Iterator[Kernel]:
        """A kernel for a `with` block."""
        kernel = Kernel(kind, self._folder)
        try:
            yield kernel
        finally:
            kernel.close()

    def folder(self, kind: Kind) -> Path:
        """For what a program that is no kernel keeps; the same one each time."""
        folder = self._folder / kind.name.replace(" ", "-")
        folder.mkdir(exist_ok=True)
        return folder

    def said(self, name: str) -> str:
        """The last that kernels of this name wrote on stderr, supervisors included."""
        files = [said_by(name, self._folder), *self._folder.glob("*/run/*/supervisor.log")]
        return "".join(file.read_text(errors="replace")[-2000:] for file in files)


def said_by(name: str, folder: Path) -> Path:
    """Where the stderr of all kernels of one name goes."""
    return folder / f"{name}.log"


@contextmanager
def lab() -> Iterator[Lab]:
    """A lab in a folder of its own (with a short name: socket paths are short), removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="hfbench", dir="/tmp"))
    try:
        yield Lab(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, mark: str) -> dict[str, str]:
    """The user's own, less what belongs to somebody's Jupyter, with all files below `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JPY_", "JUPYTER"))}
    ours = {
        "HOLDFAST_HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder),
        MARK: mark,
    }
    return kept | ours


def _connection() -> ConnectionInfo:
    """A connection on free ports of the loopback interface: what Jupyter uses unless it is told otherwise."""
    free: list[int] = []
    while len(free) < len(CHANNELS):
        port = random.randrange(*_PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port), reuse_port=False):
            free.append(port)
    shell, iopub, stdin, control, heartbeat = free
    return ConnectionInfo(
        shell_port=shell,
        iopub_port=iopub,
        stdin_port=stdin,
        control_port=control,
        hb_port=heartbeat,
        key=connection.new_key(),
        kernel_name="bench",
    )


def _all_processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _read(path: str) -> bytes:
    """What a file of /proc says; nothing if its process is gone, or somebody else's."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
