"""One ssh: started, waited for until its other end greets, asked things, and ended. Blocking.

The first one has the terminal until it is let in: ssh asks there for passwords and about keys of hosts. Those
after it have none, and can ask nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from holdfast import __version__
from holdfast.client.doorbell import DoorbellClient
from holdfast.client.remote import command, complaints, porter
from holdfast.client.remote.address import Address
from holdfast.client.remote.complaints import Failed, harmless
from holdfast.errors import HoldfastError, NoAnswer, NoSuchSession, SessionError, SessionExists
from holdfast.paths import MAX_SOCKET_PATH, private_folder, runtime_folder
from holdfast.protocol.connection import CHANNELS, ConnectionInfo
from holdfast.protocol.told import answer
from holdfast.settings import Remote

ANSWER_SECONDS = 90.0
"""For the porter to answer: it may have to start the session, which has 60 s for that."""

GREET_SECONDS = 60.0
"""For an ssh that asks nobody to be connected, and its other end to greet: slow hosts and jump hosts fit."""

END_SECONDS = 3.0
"""For ssh to end when it was told to: it has nothing to finish."""

REASON_SECONDS = 1.0
"""For ssh to say why, when it is heard first that something does not go."""

MOST_JUNK = 256 * 1024
"""Bytes that the start-up files of a shell may print before we are greeted."""

LINES_KEPT = 40
"""Of what ssh says: the reason of its end is among the last."""

_OURS, _LOCK = ".ssh-", "lock"
"""What our folders' names begin with, and the file in each that its owner holds locked."""

_PLAIN = re.compile(r"[A-Za-z0-9/._+-]+")
"""What may stand in a path that ssh is given: it reads others as variables, or as ends of paths."""

_GREETING = re.compile(rb"holdfast-porter (\d{1,9}) (\S{1,40})\r?\n")

_KEPT_FROM = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""What keys send to all who share the terminal. They are meant for us: ssh is to live on."""


class Tunnel:
    """A connection to `address`."""

    def __init__(self, address: Address, settings: Remote, *, alone: bool) -> None:
        """Connect. `alone`: without asking anybody. Failed says why there is no connection."""
        self.address = address
        self.version = ""
        """Of Holdfast there."""
        self._moves = 0
        self.token = secrets.token_hex(16)
        """By which the porter is found."""
        self._alone = alone
        self._said: deque[str] = deque(maxlen=LINES_KEPT)
        self._reason = threading.Event()  # there is one among it
        self._quiet = alone  # what ssh says is not for the terminal
        self._folder = _Folder()
        with contextlib.ExitStack() as undone:
            undone.callback(self._folder.close)
            self._place.mkdir(mode=0o700)
            ours, its = socket.socketpair()
            undone.callback(ours.close)
            with its:
                self._process = self._start(its, settings)
            undone.pop_all()
        self._porter = DoorbellClient(ours, address.host)
        self._listener = threading.Thread(target=self._listen, name="ssh", daemon=True)
        self._listener.start()
        try:
            self._await_greeting(ours)
        except BaseException:  # also Ctrl-C, while it asks
            self.close()
            raise
        self._quiet = True
        self._said.clear()  # nothing of it has kept us out

    @property
    def lives(self) -> bool:
        """Whether ssh has not ended."""
        return self._process.poll() is None

    @property
    def prefix(self) -> Path:
        """What the paths of a door's sockets begin with (`ConnectionInfo.url`)."""
        return self._place / "door"

    def move(self) -> None:
        """Give all forwarded sockets new paths: who knows the old ones finds nobody there any more."""
        before = self._place
        self._moves += 1
        before.rename(self._place)

    def ask(self, op: str, *, timeout: float = ANSWER_SECONDS, **arguments: object) -> dict[str, Any]:
        """Have the porter do something. SessionError in its words, NoAnswer if it gives no answer."""
        try:
            told = self._porter.ask(op, timeout=timeout, token=self.token, **arguments)
        except NoAnswer:
            raise self.failure() from None
        except SessionError as error:  # in words of the other side's that are yet to be looked at
            raise self._refusal({"what": error.what, "remedy": error.remedy}) from None
        if isinstance(refused := told.get("refused"), dict):
            raise self._refusal(refused)
        return told

    def ring(self) -> DoorbellClient:
        """A connection to the session's doorbell. NoAnswer or Failed if there is none."""
        try:
            bell = DoorbellClient.connect(self._place / porter.BELL, str(self.address))
        except OSError:
            raise self.failure() from None
        bell.understand = answer
        return bell

    def failure(self) -> Failed:
        """Why nothing comes from there."""
        status = self._process.poll()
        if status is not None:
            self._listener.join(END_SECONDS)
        else:
            self._reason.wait(REASON_SECONDS)
        return complaints.failure(self.address, list(self._said), status)

    def close(self) -> None:
        """End the connection."""
        self._porter.close()
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.close()

    @property
    def _place(self) -> Path:
        return self._folder.path / str(self._moves)

    def _start(self, its: socket.socket, settings: Remote) -> subprocess.Popen[bytes]:
        there = porter.links(self.token)
        sockets = {f"door-{number}": str(channel) for number, channel in enumerate(CHANNELS, 1)}
        sockets[porter.BELL] = porter.BELL
        words = command.of(
            self.address,
            [command.PORTER],
            settings,
            forwarded={str(self._place / here): str(there / link) for here, link in sockets.items()},
            alone=self._alone,
        )
        try:
            with contextlib.nullcontext() if self._alone else _ignored(_KEPT_FROM):
                return subprocess.Popen(
                    words,
                    stdin=its.fileno(),
                    stdout=its.fileno(),
                    stderr=subprocess.PIPE,
                    start_new_session=self._alone,
                )
        except FileNotFoundError as error:
            raise no_ssh() from error

    def _listen(self) -> None:
        """What ssh says goes to the terminal while it is being let in; why it fails is told by us."""
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            for line in iter(lambda: stream.readline(MOST_JUNK), b""):
                text = line.decode(errors="replace")
                self._said.append(text)
                if complaints.is_reason(text):
                    self._reason.set()
                elif not self._quiet:
                    sys.stderr.write(text)
                    sys.stderr.flush()

    def _await_greeting(self, ours: socket.socket) -> None:
        deadline = time.monotonic() + GREET_SECONDS
        heard = b""
        while (found := _GREETING.search(heard)) is None:
            # A user who types a password may take as long as they like.
            ours.settimeout(max(deadline - time.monotonic(), 0.001) if self._alone else None)
            try:
                piece = ours.recv(4096)
            except TimeoutError:
                raise self.failure() from None
            if not piece:
                self._await_end()
                raise self.failure()
            heard += piece
            if len(heard) > MOST_JUNK:
                raise Failed(f"{self.address.host} says much, and nothing of Holdfast's", self.address.login)
        self.version = harmless(found[2].decode(errors="replace"))
        if int(found[1]) != porter.PROTOCOL:
            raise Failed(
                f"{self.address.host} has Holdfast {self.version}; this one, {__version__}, can't talk to it",
                "pip install -U holdfast, on both sides",
                lasting=True,
            )

    def _await_end(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)

    def _refusal(self, refused: dict[str, Any]) -> SessionError:
        """What the other side refuses, with what to type here."""
        address = self.address
        what = harmless(str(refused.get("what", "refused")))
        if refused.get("kind") == "NoSuchSession":
            near = str(refused.get("near") or "")
            look = f"holdfast ls {address.place}"
            remedy = f"holdfast attach {address.of(near)}   (or: {look})" if _PLAIN.fullmatch(near) else look
            return NoSuchSession(f"no session named {address.name!r} on {address.host}", remedy)
        if refused.get("kind") == "SessionExists":
            return SessionExists(f"on {address.host}, {what}", f"holdfast attach {address}")
        remedy = harmless(str(refused.get("remedy") or ""))
        return SessionError(f"on {address.host}: {what}", f"there: {remedy}" if remedy else None)


def door(prefix: Path, told: dict[str, Any]) -> ConnectionInfo:
    """The way in: our own paths, the key that was told. HoldfastError if that is none."""
    key, scheme = told.get("key"), told.get("scheme")
    if not (isinstance(key, str) and key and scheme == "hmac-sha256"):
        raise HoldfastError("the other side has told no key that could be used")
    ports = {f"{channel}_port": number for number, channel in enumerate(CHANNELS, 1)}
    return ConnectionInfo(transport="ipc", ip=str(prefix), key=key, signature_scheme=scheme, **ports)  # type: ignore[arg-type]


def no_ssh() -> Failed:
    """There is no such program."""
    return Failed("there is no ssh on this machine", "apt install openssh-client", lasting=True)


class _Folder:
    """A new one, for sockets: with a short name in which nothing means anything to ssh. Held by a lock."""

    def __init__(self) -> None:
        within = private_folder(runtime_folder())
        longest = len(f"{within}/{_OURS}xxxxxxxx/1000/door-5".encode())
        if longest > MAX_SOCKET_PATH or not _PLAIN.fullmatch(str(within)):
            within = Path("/tmp")  # noqa: S108 - mkdtemp(3) makes a folder that is ours alone
        _clear(within)
        self.path = Path(tempfile.mkdtemp(prefix=_OURS, dir=within))
        made = tempfile.mkstemp(
            dir=self.path
        )  # locked before it has its name: nobody takes it for left behind
        self._lock = made[0]
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        os.rename(made[1], self.path / _LOCK)

    def close(self) -> None:
        """Remove it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):  # closed already
            os.close(self._lock)
        self._lock = -1


def _clear(within: Path) -> None:
    """Remove what consoles have left that were killed, or whose window was closed."""
    for folder in within.glob(f"{_OURS}*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:  # somebody else's, or just being made
            continue
        with open(lock), contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _ignored(numbers: tuple[signal.Signals, ...]) -> Iterator[None]:
    """What is started meanwhile ignores these signals, as it inherits that from us."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
