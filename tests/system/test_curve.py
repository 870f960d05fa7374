"""With Curve keys in the connection file nobody reads along, and nobody without them gets in."""

from __future__ import annotations

import json
import secrets
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest
import zmq
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from holdfast.client.blocking import Client as OurClient
from holdfast.jupyter import kernelspec
from holdfast.protocol import connection
from kit.deadline import Deadline
from kit.kernel import CHANNELS, END_SECONDS, START_SECONDS, environment, free_ports, scratch
from kit.processes import kill, left_over
from kit.wire import url

SECRET = "a text that nobody else may read"
QUIET_MS = 300


class Encrypted:
    """A kernel as Jupyter starts it with `transport_encryption = "required"`."""

    def __init__(self, folder: Path, transport: str) -> None:
        self.mark = secrets.token_hex(8)
        self._folder = folder
        kernelspec.install(prefix=folder)
        ports = {f"{name}_port": port for name, port in zip(CHANNELS, free_ports(len(CHANNELS)), strict=True)}
        self.manager = KernelManager(
            kernel_name="holdfast",
            kernel_spec_manager=KernelSpecManager(
                kernel_dirs=[str(folder / "share" / "jupyter" / "kernels")]
            ),
            connection_file=str(folder / "kernel-1.json"),
            transport=transport,
            ip="127.0.0.1" if transport == "tcp" else str(folder / "k"),
            transport_encryption="required",
            cache_ports=False,  # those that it finds may be given to a connection that goes out
            **(ports if transport == "tcp" else {}),
        )
        self.manager.start_kernel(env=environment(folder, self.mark), cwd=str(folder))
        self.file = folder / "kernel-1.json"

    @property
    def info(self) -> dict[str, Any]:
        return json.loads(self.file.read_text())

    @contextmanager
    def client(self, **ports: int) -> Iterator[BlockingKernelClient]:
        """Jupyter's own client, by the connection file; `ports` lead elsewhere."""
        client = BlockingKernelClient()
        client.load_connection_info(self.info | ports)
        client.hb_channel.time_to_dead = START_SECONDS  # after a second a kernel that starts would be dead
        client.start_channels()
        try:
            client.wait_for_ready(timeout=START_SECONDS)
            yield client
        finally:
            client.stop_channels()
            client.context.destroy(linger=0)

    def close(self) -> None:
        try:
            self.manager.shutdown_kernel()
            left = left_over(self.mark, Deadline(END_SECONDS))
            assert not left, f"processes left behind: {left}"
        finally:
            kill(self.mark)


@pytest.fixture(params=["tcp", "ipc"])
def kernel(request: pytest.FixtureRequest) -> Iterator[Encrypted]:
    with scratch() as folder:
        kernel = Encrypted(folder, request.param)
        try:
            yield kernel
        finally:
            kernel.close()


def printed(client: BlockingKernelClient, code: str) -> str:
    texts: list[str] = []

    def heard(message: dict[str, Any]) -> None:
        texts.append(message["content"].get("text", ""))

    reply = client.execute_interactive(code, output_hook=heard, timeout=START_SECONDS)
    assert reply["content"]["status"] == "ok", reply
    return "".join(texts)


def test_jupyters_client_works_as_without_keys_also_after_a_crash_and_a_restart(kernel: Encrypted) -> None:
    assert len(kernel.info["curve_secretkey"]) == 40
    with kernel.client() as client:
        assert printed(client, f"x = 1; print({SECRET!r})") == SECRET + "\n"
        client.execute_interactive("import ctypes; ctypes.string_at(0)", output_hook=lambda _: None)
        assert printed(client, "print(x)") == "1\n"
    before = kernel.info
    kernel.manager.restart_kernel()

    assert kernel.info == before  # the same keys, the same doors
    with kernel.client() as client:
        assert printed(client, "print('x' in globals())") == "False\n"


def test_our_own_client_uses_the_keys_too(kernel: Encrypted) -> None:
    with OurClient(connection.read(kernel.file)) as client:
        execution = client.execute("6 * 7")
        messages = list(execution)

    assert any(message.header.msg_type == "execute_result" for message in messages)


def test_without_keys_no_channel_says_or_takes_anything(kernel: Encrypted) -> None:
    kinds = dict.fromkeys(CHANNELS, zmq.DEALER) | {"iopub": zmq.SUB, "hb": zmq.REQ}
    with kernel.client() as client, zmq.Context() as context:
        poller = zmq.Poller()
        sockets = []
        for channel, kind in kinds.items():
            socket_ = context.socket(kind)
            socket_.linger = 0
            if channel == "iopub":
                socket_.subscribe(b"")
            socket_.connect(url(kernel.info, channel))
            poller.register(socket_, zmq.POLLIN)
            sockets.append(socket_)
            if channel == "hb":
                socket_.send(b"anybody there?", zmq.NOBLOCK)
            elif channel != "iopub":
                message = client.session.msg("execute_request", {"code": "intruder = True"})
                socket_.send_multipart(client.session.serialize(message))
        assert printed(client, f"print({SECRET!r})") == SECRET + "\n"

        assert poller.poll(QUIET_MS) == []
        assert printed(client, "print('intruder' in globals())") == "False\n"
        for socket_ in sockets:
            socket_.close(linger=0)


def test_what_travels_cannot_be_read_on_the_way() -> None:
    with scratch() as folder:
        kernel = Encrypted(folder, "tcp")
        try:
            with kernel.client():
                pass  # from now on its doors are open
            with Tap(kernel.info["iopub_port"]) as iopub, Tap(kernel.info["shell_port"]) as shell:
                with kernel.client(iopub_port=iopub.port, shell_port=shell.port) as client:
                    assert printed(client, f"print({SECRET!r})") == SECRET + "\n"
                for tap in (iopub, shell):
                    assert len(tap.seen) > 1000
                    assert SECRET.encode() not in tap.seen
                    assert b"msg_type" not in tap.seen
        finally:
            kernel.close()


class Tap:
    """Sits between a client and a port of this machine, and keeps all that passes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.seen = bytearray()
        self._end, self._ended = socket.socketpair()
        self._thread = threading.Thread(target=self._relay)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
        self._thread.join()

    def _passes(self, source: socket.socket, other: socket.socket) -> bool:
        """Whether both ends are still there; one that leaves with something unread resets the connection."""
        try:
            data = source.recv(65536)
            self.seen += data
            other.sendall(data)
        except ConnectionError:
            return False
        return bool(data)

    def _relay(self) -> None:
        pairs: dict[socket.socket, socket.socket] = {}
        try:
            while True:
                ready, _, _ = select.select([self._listener, self._ended, *pairs], [], [])
                if self._ended in ready:
                    return
                if self._listener in ready:
                    near, _ = self._listener.accept()
                    far = socket.create_connection(("127.0.0.1", self._target))
                    pairs |= {near: far, far: near}
                for source in [each for each in ready if each in pairs]:
                    if source in pairs and not self._passes(source, pairs[source]):
                        other = pairs.pop(source)
                        pairs.pop(other)
                        source.close()
                        other.close()
        finally:
            for each in [self._listener, self._ended, *pairs]:
                each.close()
