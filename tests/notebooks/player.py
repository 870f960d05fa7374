"""A kernel, started as Jupyter starts it, in which a notebook is played; what a client hears of each cell.

Messages belong to the cell that is their parent, whenever they come. Nothing here compares.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager

from kit.deadline import Deadline
from kit.processes import MARK, kill
from notebooks.book import Cell

Message = dict[str, Any]

COMMANDS = {
    "ipykernel": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    "holdfast": [sys.executable, "-P", "-m", "holdfast.kernel", "-f", "{connection_file}"],
}
CELL_SECONDS = 25.0
START_SECONDS = 60.0


@dataclass
class Heard:
    """What came of one cell."""

    cell: Cell
    replies: list[Message] = field(default_factory=list)
    """To the cell itself, then to what was asked after it."""
    published: list[Message] = field(default_factory=list)
    asked: list[Message] = field(default_factory=list)
    """The kernel's own questions: input."""


class Player:
    """Plays cells in one kernel."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client
        self._heard: dict[str, Heard] = {}
        self._models: dict[str, str] = {}  # name of a widget's model → id of the comm opened last for it

    def play(self, cell: Cell) -> Heard:
        """Run a cell and do what its client does then. More of it may be heard while later ones run."""
        heard = Heard(cell)
        content = {
            "code": cell.code,
            "silent": cell.silent,
            "store_history": cell.store_history,
            "user_expressions": cell.expressions,
            "allow_stdin": bool(cell.answers),
            "stop_on_error": False,  # ipykernel loses, at times, what comes right behind an error
        }
        self._request(heard, "execute_request", content)
        for kind, body in cell.ask:
            self._request(heard, kind, body)
        for model, state in cell.widgets:
            data = {"method": "update", "state": state, "buffer_paths": []}
            body = {"comm_id": self._models[model], "data": data}
            self._request(heard, "comm_msg", body, replies=False)
        return heard

    def settle(self) -> None:
        """Hear what is still under way: output that was late for its cell."""
        self._request(Heard(Cell("")), "kernel_info_request", {})

    def _request(self, heard: Heard, kind: str, content: Message, *, replies: bool = True) -> None:
        """Send a request; until its reply and its end are there take whatever comes."""
        message = self._client.session.msg(kind, content)
        request = message["header"]["msg_id"]
        self._heard[request] = heard
        self._client.shell_channel.send(message)
        answers = iter(heard.cell.answers)
        deadline, idle, reply = Deadline(CELL_SECONDS), False, not replies
        while not (idle and reply):
            ready = self._ready(deadline)
            if not ready:
                raise TimeoutError(f"no end of {kind} {content.get('code', '')!r}")
            if self._client.iopub_channel.socket in ready:
                idle |= self._take_published(request)
            if self._client.stdin_channel.socket in ready:
                heard.asked.append(self._client.get_stdin_msg(timeout=0))
                self._client.input(next(answers))
            if self._client.shell_channel.socket in ready:
                answer = self._client.get_shell_msg(timeout=0)
                if answer["parent_header"]["msg_id"] == request:  # else: of what the client asked at first
                    heard.replies.append(answer)
                    reply = True

    def _ready(self, deadline: Deadline) -> list[zmq.Socket[bytes]]:
        poller = zmq.Poller()
        channels = self._client.iopub_channel, self._client.stdin_channel, self._client.shell_channel
        for channel in channels:
            poller.register(channel.socket, zmq.POLLIN)
        return [socket for socket, _ in poller.poll(deadline.left_ms())]

    def _take_published(self, request: str) -> bool:
        """Keep one message for the cell that it belongs to; whether it is this request's end."""
        message = self._client.get_iopub_msg(timeout=0)
        parent = message["parent_header"].get("msg_id", "")
        if parent in self._heard:
            self._heard[parent].published.append(message)
        content = message["content"]
        if message["msg_type"] == "comm_open":
            name = content["data"].get("state", {}).get("_model_name")
            self._models[str(name)] = content["comm_id"]
        return bool(parent == request and content.get("execution_state") == "idle")


@contextmanager
def playing(name: str, folder: Path) -> Iterator[Player]:
    """A new kernel of this name for a `with` block; all its files are below `folder`."""
    mark = secrets.token_hex(8)
    work = folder / "work"
    work.mkdir(parents=True)
    manager = KernelManager(
        kernel_name=name,
        kernel_spec_manager=_Specs(),
        connection_file=str(folder / "kernel.json"),
        transport="ipc",
        shutdown_wait_time=20.0,
    )
    try:
        manager.start_kernel(
            cwd=str(work),
            env=_environment(folder, mark),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # ipykernel repeats there what programs write
        )
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=START_SECONDS)
            yield Player(client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel()
    finally:
        kill(mark)


class _Specs(KernelSpecManager):
    """The two kernels, wherever Jupyter would look."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """How to start it."""
        return KernelSpec(argv=COMMANDS[kernel_name], language="python", display_name=kernel_name)


def _environment(folder: Path, mark: str) -> dict[str, str]:
    """The same for both: nothing of the user's own files, nothing left to chance."""
    foreign = ("JPY_", "PYTEST_", "IPYKERNEL_", "PYTHON", "HOLDFAST_", "JUPYTER_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)} | {
        "HOLDFAST_HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "MPLCONFIGDIR": str(folder.parent / "matplotlib"),  # a cache of fonts, made once for both
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "TZ": "UTC",
        "COLUMNS": "80",
        MARK: mark,
    }
