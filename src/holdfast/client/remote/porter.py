"""The process on the other host, started by ssh: it finds or starts a session, and tells how to come in.

    here ──▶ {"op": "attach", "name": "work", …}     a request a line, on standard input
    here ◀── {"ok": true, "key": "…", …}             its answer, on standard output; see `_refusal`

sshd is told beforehand to which paths the sockets that it forwards lead, when nobody knows yet where those of
the session are. So the porter makes a private folder with a name that was drawn at the other end, and links
in it to the session's sockets. The folder goes when standard input ends: with the connection.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from holdfast import __version__
from holdfast.client import start
from holdfast.errors import HoldfastError, NoSuchSession, SessionError, SessionNotRunning
from holdfast.paths import session_runtime
from holdfast.protocol.connection import CHANNELS, ConnectionInfo

PROTOCOL = 1
"""Of what is said between the two ends. Other numbers don't understand each other."""

GREETING = f"holdfast-porter {PROTOCOL} {__version__}"
"""The first line that is ours: a shell's start-up files may have printed others before it."""

BELL = "bell"
"""Name of the link to the doorbell; those to a door's sockets are their channel's names."""

MOST_LINE = 64 * 1024
"""Bytes of a request: a name, a folder, some settings."""

PID = "porter"
"""Name of the file, beside the links, that says which process we are."""

_TOKEN = re.compile(r"[0-9a-f]{32}")

LINGERING = Path("/var/lib/systemd/linger")
"""Who has a file of their name here keeps /run/user/UID when they log out (loginctl(1), enable-linger)."""


def links(token: str) -> Path:
    """The folder with the links. It is made for its owner alone, or not at all."""
    if not _TOKEN.fullmatch(token):
        raise SessionError("the other end has named no folder")
    return Path("/tmp") / f"hf-{token}"  # noqa: S108 - mkdir(2) makes it or fails, and nobody can guess it


def serve() -> int:
    """Greet, and answer until standard input ends."""
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(0))
    signal.signal(signal.SIGTERM, _replaced)
    porter = Porter()
    try:
        _say(GREETING)
        while line := sys.stdin.buffer.readline(MOST_LINE):
            _say(json.dumps(porter.answer(line)))
    except BrokenPipeError:
        pass
    finally:
        porter.close()
    return 0


class Porter:
    """For one connection."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._operations = {"attach": self._attach, "new": self._new, "find": self._find}

    def answer(self, line: bytes) -> dict[str, Any]:
        """Do what one request asks for."""
        try:
            request = json.loads(line)
            done = self._operations[request["op"]](request)
        except HoldfastError as error:
            return {"ok": True, "refused": _refusal(error)}
        except (ValueError, KeyError, TypeError) as error:
            return {"ok": True, "refused": {"kind": "", "what": f"no request of ours: {error!r}"}}
        return {"ok": True, **done}

    def close(self) -> None:
        """Nobody comes in by us any more."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _attach(self, request: dict[str, Any]) -> dict[str, Any]:
        name, again = request["name"], request.get("again")
        start.given[:] = request.get("given", ())
        begun = bool(again)
        if again:
            bell = start.begin_again(name, fresh=again == "fresh")
        else:
            try:
                bell = start.ring(name)
            except SessionNotRunning:
                bell, begun = start.ensure(name), True
        with bell:
            return self._let_in(request, bell.ask("info")) | {"begun": begun, "lingers": _lingers()}

    def _new(self, request: dict[str, Any]) -> dict[str, Any]:
        folder = os.path.expanduser(request.get("cwd") or "~")
        if not os.path.isdir(folder):
            raise SessionError(f"{folder} is not a folder there")
        start.given[:] = request.get("given", ())
        with start.create(request["name"], cwd=os.path.abspath(folder)) as bell:
            return self._let_in(request, bell.ask("info")) | {"begun": False, "lingers": _lingers()}

    def _find(self, request: dict[str, Any]) -> dict[str, Any]:
        """Whoever serves it now, which may be another supervisor than before."""
        from holdfast.client.succession import successor  # noqa: PLC0415 - only when a connection was lost

        for token in request.get("instead", ()):
            _end(links(token))
        found = successor(request["name"])
        if found is None:
            return {"found": False}
        told = {"epoch": found.epoch, "story": found.story}
        return self._admit(request["token"], request["name"], found.connection) | told | {"found": True}

    def _let_in(self, request: dict[str, Any], info: dict[str, Any]) -> dict[str, Any]:
        from holdfast.protocol import connection  # noqa: PLC0415 - as it is read

        found = connection.read(Path(info["connection_file"]))
        return self._admit(request["token"], request["name"], found) | {"epoch": info["epoch"]}

    def _admit(self, token: str, name: str, found: ConnectionInfo) -> dict[str, Any]:
        """Have the links lead to this session; the key to its door."""
        folder = links(token)
        if self._folder is None:
            os.mkdir(folder, 0o700)
            self._folder = folder
            (folder / PID).write_text(str(os.getpid()))
        if folder != self._folder:
            raise SessionError("the other end has named two folders")
        ways = {str(channel): found.url(channel).removeprefix("ipc://") for channel in CHANNELS}
        for link, target in (ways | {BELL: str(session_runtime(name) / "doorbell")}).items():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(folder / link)
            os.symlink(target, folder / link)
        return {"key": found.key, "scheme": found.signature_scheme}


def _end(folder: Path) -> None:
    """End an earlier porter of the same client, which has come by another way: its own one is cut.

    sshd would hold on to it for hours, if nothing at all comes from there any more.
    """
    with contextlib.suppress(OSError, ValueError):
        if folder.lstat().st_uid == os.getuid():
            pid = int((folder / PID).read_text())
            if b"__porter" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)


def _replaced(*_: object) -> None:
    """End, and have our own sshd end, too: it holds what it has forwarded."""
    with contextlib.suppress(OSError):
        if re.match(rb"sshd[-a-z]*: .*@notty", Path(f"/proc/{os.getppid()}/cmdline").read_bytes()):
            os.kill(os.getppid(), signal.SIGTERM)
    sys.exit(0)


def _refusal(error: HoldfastError) -> dict[str, Any]:
    near = error.near if isinstance(error, NoSuchSession) else None
    return {"kind": type(error).__name__, "what": error.what, "remedy": error.remedy, "near": near}


def _lingers() -> bool:
    """Whether the sockets' folder stays when the user's last connection ends."""
    import pwd  # noqa: PLC0415 - here only

    mine = f"/run/user/{os.getuid()}"
    if os.environ.get("HOLDFAST_HOME") or os.environ.get("XDG_RUNTIME_DIR") != mine:
        return True
    try:
        return (LINGERING / pwd.getpwuid(os.getuid()).pw_name).exists()
    except (KeyError, OSError):
        return True  # not to be known


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
