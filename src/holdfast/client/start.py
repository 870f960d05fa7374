"""Find a session, and start its supervisor where there is none. Stdlib only: launchers pay for each import.

Only one process starts a session's supervisor at a time: who holds `start.lock` (flock(2)). The supervisor is
a daemon from its first moment (a session of its own, nothing of ours inherited but standard error and the
pipe on which it says that it is ready).
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import select
import signal
import socket
import sys
import time

from holdfast.client.doorbell import DoorbellClient
from holdfast.errors import (
    HungUp,
    NoAnswer,
    NoSuchSession,
    RefusedPath,
    SessionError,
    SessionExists,
    SessionNotRunning,
    StartFailed,
)
from holdfast.likeness import nearest
from holdfast.paths import (
    checked_name,
    elsewhere,
    private_folder,
    runtime_folder,
    session_cells,
    session_meeting,
    session_runtime,
    session_state,
    socket_path,
    state_folder,
)

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Any

START_SECONDS = 60.0
"""For a supervisor to come up with its first worker; slow disks and long start-up files fit."""

STOP_SECONDS = 20.0
"""For a supervisor to write its variables (at most 10 s), to end its worker (6 s), to close its journal."""

REVIVE_SECONDS = 5.0
"""So long supervisors that are killed one after the other are replaced."""

LOG_KEEP = 1024 * 1024
"""Bytes. A longer supervisor.log begins anew at the next start."""

_READY_FD, _TURN_FD, _LINK_FD = 3, 4, 5
_NOBODY_THERE = (FileNotFoundError, ConnectionRefusedError, NotADirectoryError)

given: list[str] = []
"""Settings from the command line of this process (`--set standby.keep=3`), for each supervisor it starts."""

_started: list[int] = []
"""Supervisors this process has started; their ends are taken note of at the next start (no zombies)."""


class _NothingLeft(Exception):
    """What a supervisor that was killed has left has ended, too."""


def ring(name: str) -> DoorbellClient:
    """A connection to the supervisor of session `name`. SessionNotRunning or NoSuchSession if it has none."""
    bell = _reach(name)
    if bell is not None:
        return bell
    if _is_left(name):  # a supervisor that was killed is replaced, whoever asks for it
        with contextlib.suppress(_NothingLeft):
            return _succeed(name)
    if exists(name):
        raise _not_running(name)
    raise no_such_session(name)


def ensure(
    name: str,
    *,
    named: bool = True,
    cwd: str | None = None,
    python: str = sys.executable,
    create: bool = False,
    flags: Sequence[str] = (),
) -> DoorbellClient:
    """A connection to the supervisor of `name`, which is started where there is none.

    `named` sessions outlive their clients. `cwd` is where a new session's first worker starts, `flags` are
    IPython's options for its workers. A session that is nowhere is made with `create`, else it is
    NoSuchSession. StartFailed if it does not come up.
    """
    bell = _reach(name)
    if bell is not None:
        return bell
    if not create and not exists(name):
        raise no_such_session(name)
    with _start_lock(name) as turn:
        return _reach(name) or _start(
            name, turn, named, cwd, python, flags
        )  # somebody else may have been quicker


def begin_again(name: str, *, fresh: bool = False, cwd: str | None = None) -> DoorbellClient:
    """Start the kept session `name`, which must not run (SessionExists); `fresh`: with nothing of before."""
    if not exists(name):
        raise no_such_session(name)
    with _start_lock(name) as turn:
        bell = _reach(name)
        if bell is not None:
            bell.close()
            raise SessionExists(f"session {name!r} is running", f"holdfast stop {name}, then the same again")
        return _start(name, turn, True, cwd, sys.executable, fresh=fresh)


def revive(name: str) -> DoorbellClient | None:
    """A connection to the supervisor that takes over from one that was killed; started if it is not there.

    None if nothing is left that could be taken over: then none is started. If that one is killed as well, the
    next one is sought, for some seconds.
    """
    deadline = time.monotonic() + REVIVE_SECONDS
    while True:
        try:
            bell = _reach(name)
            if bell is None:
                if not _is_left(name):
                    return None
                bell = _succeed(name)
            if bell.ask("info").get("adopted"):
                return bell
        except _NothingLeft:
            return None
        except (NoAnswer, StartFailed, SessionNotRunning):
            if time.monotonic() > deadline:
                raise
        else:
            bell.close()
            return None


def _succeed(name: str) -> DoorbellClient:
    """The supervisor that takes over. _NothingLeft if what was to be taken over has ended meanwhile."""
    with _start_lock(name) as turn:
        return _reach(name) or _start(name, turn, True, None, sys.executable, takes_over=True)


def create(
    name: str, *, named: bool = True, cwd: str | None = None, python: str = sys.executable
) -> DoorbellClient:
    """Make a new session; SessionExists if there is one of that name, running or kept."""
    if not exists(name):
        with _start_lock(name) as turn:
            if not exists(name):
                try:
                    return _start(name, turn, named, cwd, python)
                except StartFailed:
                    _delete(session_state(name))  # nothing was ever run in it
                    raise
    raise SessionExists(f"session {name!r} already exists", f"holdfast attach {name}   (or another name)")


class Hosted:
    """The supervisor, a child of ours, of a session whose worker this process is itself."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.connection_file = session_runtime(name) / "connection.json"
        self.cells = session_cells(name)
        self._pid = pid

    def await_end(self) -> None:
        """Wait until it has closed its journal, so that the session's name is free; not for ever."""
        with contextlib.suppress(ProcessLookupError):  # somebody else in this process has reaped it
            process = os.pidfd_open(self._pid)
            try:
                _readable(process, STOP_SECONDS)
            finally:
                os.close(process)
        _reap()


def host(link: int, name: str | None, stem: str) -> Hosted:
    """Start the supervisor of a session whose worker is this process, which has the other end of `link`.

    Without a `name` the session is called after `stem`, and a new one is made. SessionExists if one of that
    name is running.
    """
    if name is not None:
        return _host(checked_name(name), link, kept=True)
    for number in itertools.count(1):
        with contextlib.suppress(SessionExists):
            return _host(f"embed-{stem}-{number}", link, kept=False)
    raise AssertionError("numbers do not end")


def _host(name: str, link: int, *, kept: bool) -> Hosted:
    with _start_lock(name) as turn:
        bell = _reach(name)
        if bell is not None:
            bell.close()
            raise SessionExists(f"session {name!r} is running", "give embed() another name")
        if not kept and exists(name):
            raise SessionExists(f"session {name!r} already exists")
        _start(name, turn, True, None, sys.executable, link=link).close()
        return Hosted(name, _started[-1])


def exists(name: str) -> bool:
    """Whether a session of this name is kept on disk."""
    return session_state(name).is_dir()


def known() -> list[str]:
    """Names of all sessions kept on disk, sorted."""
    folder = state_folder() / "sessions"
    try:
        with os.scandir(folder) as found:
            return sorted(each.name for each in found if _is_name(each.name) and each.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RefusedPath(f"can't read {folder}: {error.strerror}", elsewhere()) from error


def last_use(name: str) -> float:
    """When the session's journal was written last, in seconds since the epoch; 0 if it has none."""
    times = [0.0]
    for file in ("journal.db", "journal.db-wal"):
        with contextlib.suppress(OSError):
            times.append(os.stat(session_state(name) / file).st_mtime)
    return max(times)


def stop(name: str, bell: DoorbellClient, *, for_good: bool = False) -> None:
    """End the processes of a running session and wait until they are gone. NoAnswer if they stay.

    `for_good`: its variables are not wanted back; without it they are written to disk first.
    """
    try:
        process = os.pidfd_open(bell.pid)
    except ProcessLookupError:
        raise _not_running(name) from None
    try:
        bell.ask("stop", for_good=for_good)
        if not _readable(process, STOP_SECONDS):
            raise NoAnswer(f"session {name!r} does not end", f"holdfast interrupt {name} --force, then again")
    except HungUp:  # it was just ending; unless it was killed
        if not _readable(process, STOP_SECONDS) or _is_left(name):
            raise
    finally:
        os.close(process)


def forget(name: str) -> None:
    """Delete what a session keeps. It must not be running (SessionExists)."""
    with _start_lock(name):
        bell = _reach(name)
        if bell is not None:
            bell.close()
        if bell is not None or _is_left(name):
            raise SessionExists(f"session {name!r} is running", f"holdfast stop {name}")
        _delete(session_state(name))
        _delete(session_runtime(name))
    if exists(name):
        raise SessionError(
            f"not all of {session_state(name)} could be deleted", f"rm -r {session_state(name)}"
        )


def no_such_session(name: str) -> NoSuchSession:
    """The error for a name that no session has, with the nearest name that one has."""
    near = nearest(name, known())
    remedy = f"holdfast attach {near}   (or: holdfast ls)" if near else f"holdfast new {name}"
    return NoSuchSession(f"no session named {name!r}", remedy, name=name, near=near)


def _not_running(name: str) -> SessionNotRunning:
    return SessionNotRunning(f"session {name!r} is not running; its state is kept", f"holdfast attach {name}")


def _reach(name: str) -> DoorbellClient | None:
    try:
        return DoorbellClient.connect(socket_path(session_runtime(name) / "doorbell"), name)
    except _NOBODY_THERE:
        return None


def _is_left(name: str) -> bool:
    """Whether the interpreter of a session waits for another supervisor (its template listens)."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            sock.connect(os.fspath(session_meeting(name)))
        except OSError:
            return False
        return True


@contextlib.contextmanager
def _start_lock(name: str) -> Iterator[int]:
    """One start at a time. The supervisor has the descriptor, too, and closes it when it can be reached."""
    private_folder(runtime_folder())
    path = private_folder(session_runtime(name)) / "start.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


def _start(
    name: str,
    turn: int,
    named: bool,
    cwd: str | None,
    python: str,
    flags: Sequence[str] = (),
    link: int | None = None,
    *,
    fresh: bool = False,
    takes_over: bool = False,
) -> DoorbellClient:
    log = session_runtime(name) / "supervisor.log"
    with _log_file(log) as log_end:
        written = os.fstat(log_end).st_size
        options = ["--cwd", cwd or os.getcwd(), *(["--named"] if named else [])]
        options += ["--fresh"] if fresh else []
        options += ["--takes-over"] if takes_over else []
        options += ["--link-fd", str(_LINK_FD)] if link is not None else []
        options += [f"--set={setting}" for setting in given]
        options += ["--", *flags] if flags else []
        passed = {_TURN_FD: turn} | ({} if link is None else {_LINK_FD: link})
        pid, ready = _spawn(name, options, python, log_end, passed)
    try:
        answer = _first_line(ready, time.monotonic() + START_SECONDS, name)
    except BaseException:  # also Ctrl-C: a supervisor that nobody waited for would go on unseen
        os.kill(pid, signal.SIGTERM)
        raise
    finally:
        os.close(ready)
    if answer.get("ok"):
        bell = _reach(name)
        if bell is None:  # killed already; whoever wants another one starts it, when our turn is over
            raise _not_running(name)
        return bell
    if takes_over and not _is_left(name):
        raise _NothingLeft
    what = answer.get("what") or _last_words(log, written) or "it ended without a word"
    session = f"session {name!r}" if named else "the session"  # whose name nobody has given it
    raise StartFailed(f"{session} did not start: {what}", answer.get("remedy") or f"see {log}")


def _delete(folder: Path) -> None:
    import shutil  # noqa: PLC0415 - rarely needed

    shutil.rmtree(folder, ignore_errors=True)


def _spawn(name: str, options: list[str], python: str, log: int, more: dict[int, int]) -> tuple[int, int]:
    """Start the supervisor; its pid, and the end of a pipe on which it will say one line when it is ready.

    `more`: descriptors that it gets, by the numbers that they have there.
    """
    _reap()
    ready, its_end = os.pipe()
    arguments = [python, "-P", "-m", "holdfast.supervisor", "--session", name, "--ready-fd", str(_READY_FD)]
    arguments += ["--turn-fd", str(_TURN_FD), *options]
    actions: list[tuple[Any, ...]] = [(os.POSIX_SPAWN_CLOSE, number) for number in _inheritable()]
    actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
    wanted = {1: log, 2: log, _READY_FD: its_end} | more
    above = max(wanted) + 1  # none of them may stand where another one is put
    passed = {number: fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, above) for number, each in wanted.items()}
    actions += [(os.POSIX_SPAWN_DUP2, each, number) for number, each in passed.items()]
    try:
        pid = os.posix_spawn(python, arguments, os.environ, file_actions=actions, setsid=True)
    except OSError as error:
        os.close(ready)
        raise StartFailed(f"can't run {python}: {error.strerror}") from error
    finally:
        for each in (its_end, *passed.values()):
            os.close(each)
    _started.append(pid)
    return pid, ready


def _inheritable() -> list[int]:
    """Descriptors beyond the standard ones that a child would get: a shell's, a make's, a test's."""
    found = []
    for number in map(int, os.listdir("/proc/self/fd")):
        with contextlib.suppress(OSError):  # the one that listed them is closed already
            if number > 2 and os.get_inheritable(number):
                found.append(number)
    return found


def _first_line(ready: int, deadline: float, name: str) -> dict[str, Any]:
    """What the supervisor says on its pipe; nothing if it ended before. StartFailed at the deadline."""
    line = b""
    while not line.endswith(b"\n"):
        if not _readable(ready, max(0.0, deadline - time.monotonic())):
            raise StartFailed(
                f"session {name!r} did not come up within {START_SECONDS:g} seconds",
                f"see {session_runtime(name) / 'supervisor.log'}",
            )
        piece = os.read(ready, select.PIPE_BUF)
        if not piece:
            return {}
        line += piece
    answer: dict[str, Any] = json.loads(line)
    return answer


def _readable(descriptor: int, seconds: float) -> bool:
    """Whether it is within so many seconds. A busy server has more descriptors than select(2) takes."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1e3))


@contextlib.contextmanager
def _log_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        if os.fstat(descriptor).st_size > LOG_KEEP:
            os.ftruncate(descriptor, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def _last_words(log: Path, since: int) -> str:
    """The last line that was written to `log` after its first `since` bytes."""
    lines = log.read_bytes()[since:].decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _reap() -> None:
    for pid in _started[:]:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                continue
        _started.remove(pid)


def _is_name(text: str) -> bool:
    try:
        return bool(checked_name(text))
    except SessionError:
        return False
