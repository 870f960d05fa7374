"""A session that can be joined over TCP, and people with keys of their own who come in, or try to."""

from __future__ import annotations

import random
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import Any, NamedTuple

import zmq

from kit.deadline import Deadline
from kit.kernel import CHANNELS, PORTS, scratch
from kit.shell import Shell
from kit.wire import WITHIN, Client, Message

NAME = "work"


class Keys(NamedTuple):
    """A key pair, in Z85."""

    public: str
    secret: str


def new_keys() -> Keys:
    public, secret = zmq.curve_keypair()
    return Keys(public.decode(), secret.decode())


class Host:
    """The session `work`, its folder, and who may come in."""

    def __init__(self, shell: Shell, base: int) -> None:
        self.shell = shell
        self.base = base
        self.keys: dict[str, Keys] = {}
        self.lines: list[str] = []
        self._stack = ExitStack()

    @property
    def file(self) -> Any:
        return self.shell.home / "config" / "keys" / "authorized_keys"

    def let_in(self, name: str, options: str = "role=run") -> Keys:
        """Authorize somebody, with keys that are made now."""
        self.keys[name] = new_keys()
        self.lines.append(f"curve:{self.keys[name].public} {name} {options}")
        self.write()
        return self.keys[name]

    def remove(self, name: str) -> None:
        """Take the line away."""
        self.lines = [line for line in self.lines if line.split()[1] != name]
        self.write()

    def write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new = self.file.with_suffix(".new")
        new.write_text("\n".join(self.lines) + "\n")
        new.chmod(0o600)
        new.replace(self.file)

    def start(self) -> None:
        """Begin the session."""
        arguments = ("--listen", "tcp://127.0.0.1", "--port", str(self.base))
        self.shell.good("new", NAME, "-d", *arguments)

    @cached_property
    def key(self) -> str:
        """By which the host is known."""
        return self.shell.good("keys", "host").strip().removeprefix("curve:")

    def info(self, keys: Keys, **more: Any) -> Message:
        """The connection of somebody with these keys."""
        ports = {f"{channel}_port": self.base + number for number, channel in enumerate(CHANNELS)}
        key = self.key
        return {
            "transport": "tcp",
            "ip": "127.0.0.1",
            "key": key,
            "signature_scheme": "hmac-sha256",
            "identity": secrets.token_bytes(16),
            "curve_serverkey": key,
            "curve_publickey": keys.public,
            "curve_secretkey": keys.secret,
            **ports,
            **more,
        }

    def guest(self, name: str, **more: Any) -> Client:
        """Somebody who may come in, and has."""
        client = Client(self.info(self.keys[name], **more), username="root")
        self._stack.callback(client.close)
        client.wait_for_welcome()
        client.wait_for_stdin()
        return client

    def supervisor(self) -> int:
        deadline = Deadline(WITHIN)
        while "pid" not in (told := self.shell.info(NAME)):  # one has ended, and the next is not there yet
            assert not deadline.passed, told
        pid = told["pid"]
        assert isinstance(pid, int)
        return pid

    def said(self) -> str:
        """What the supervisor has written on its standard error."""
        return (self.shell.home / "run" / NAME / "supervisor.log").read_text()

    def close(self) -> None:
        self._stack.close()
        self.shell.close()


@contextmanager
def host() -> Iterator[Host]:
    """A session that listens; ana may run, bo may watch, zoe owns it."""
    with scratch() as folder:
        made = Host(Shell(folder), free_block())
        made.let_in("ana")
        made.let_in("bo", "role=watch")
        made.let_in("zoe", "role=own")
        try:
            made.start()
            yield made
        finally:
            made.close()


def free_block() -> int:
    """The first of five ports, one after the other, that nobody listens on."""
    while True:
        base = random.randrange(PORTS[0], PORTS[1] - len(CHANNELS) + 1)
        try:
            with ExitStack() as held:
                for number in range(len(CHANNELS)):
                    held.enter_context(socket.create_server(("127.0.0.1", base + number)))
        except OSError:
            continue
        return base


REFUSED = "refused"


def knock(info: Message, channel: str = "control", within: float = WITHIN) -> str:
    """What becomes of a connection: the name of the event that says so."""
    with zmq.Context() as context, context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER) as door:
        door.linger = 0
        if "curve_serverkey" in info:
            for name in ("serverkey", "publickey", "secretkey"):
                setattr(door, f"curve_{name}", info[f"curve_{name}"].encode())
        watch = door.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED
            | zmq.EVENT_HANDSHAKE_FAILED_AUTH
            | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        )
        door.connect(f"tcp://{info['ip']}:{info[f'{channel}_port']}")
        event = 0
        for _ in range(2):  # hung up on without a reason: perhaps as somebody else at that address had to go
            if event in (0, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL) and watch.poll(within * 1000):
                event = int.from_bytes(watch.recv_multipart()[0][:2], "little")
        door.disable_monitor()
        watch.close(linger=0)
    if event in (zmq.EVENT_HANDSHAKE_FAILED_AUTH, zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL):
        return REFUSED  # told why, or hung up on before that arrived
    return zmq.Event(event).name.removeprefix("HANDSHAKE_") if event else "nothing"
