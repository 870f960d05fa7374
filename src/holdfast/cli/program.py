"""`holdfast -c CODE` and piped input: a whole program, run as python would, in a session of its own.

Output comes on stdout and stderr as the program wrote it; the exit status is python's: 0, 1 after an
exception, that of SystemExit, 130 after Ctrl-C, 128 + signal if the process died. What is ours to say goes to
stderr. The session ends with the program, and nothing of it is kept.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from holdfast.cli.output import exit_number, finish
from holdfast.cli.usage import UsageError
from holdfast.client import start
from holdfast.client.blocking import Client
from holdfast.client.exchange import Incoming
from holdfast.errors import HoldfastError
from holdfast.protocol import connection

PRELUDE = """\
__import__('sys').argv[:] = {arguments!r}
exit = quit = __import__('sys').exit
__import__('warnings').filterwarnings('ignore', message='To exit: use ', category=UserWarning)
"""
"""What an interactive shell has otherwise than python: its arguments, and an `exit` that does not stop."""

EPILOGUE = """\
for thread in __import__('threading').enumerate():
    if thread is not __import__('threading').main_thread() and not thread.daemon:
        thread.join()
"""
"""python waits for threads before it ends (threading, "daemon")."""

INTERRUPTED = 128 + signal.SIGINT


def run(arguments: list[str]) -> int:
    """Run `-c CODE ARGUMENT…`, or standard input (`- ARGUMENT…`); the exit status."""
    code, its_arguments = _program(arguments)
    if not code.strip():
        return 0
    name = f"run-{os.getpid()}-{os.urandom(3).hex()}"
    with _signals(), _session(name) as file:
        info = connection.read(file)
        with Client(info, username="program", name=name, hold=str(file)) as client:
            return run_on(client, code, its_arguments)


def run_on(client: Client, code: str, arguments: list[str]) -> int:
    """Run a program on the kernel of `client`; print what it prints, return its exit status."""
    finish(client, client.execute(PRELUDE.format(arguments=arguments), silent=True))
    reply, interrupted = finish(client, client.execute(code, silent=True))
    died = _death(reply)
    if died is not None:
        return INTERRUPTED if interrupted else died
    finish(client, client.execute(EPILOGUE, silent=True))
    return 0 if reply.content.get("status") == "ok" else _status(reply.content)


def _death(reply: Incoming) -> int | None:
    """The exit status of the process if it died in the program (see `Recovery`)."""
    ours = reply.metadata.get("holdfast")
    recovery = ours.get("recovery") if isinstance(ours, dict) else None
    if not isinstance(recovery, dict):
        return None
    status = recovery.get("exit_status")
    return status if isinstance(status, int) else 1


def _status(error: dict[str, Any]) -> int:
    """The exit status for the exception that ended the program."""
    if error.get("ename") == "KeyboardInterrupt":
        return INTERRUPTED
    if error.get("ename") == "SystemExit":
        number = exit_number(str(error.get("evalue", "")))
        return 1 if number is None else number & 0xFF
    return 1


def _program(arguments: list[str]) -> tuple[str, list[str]]:
    """The code, and what it finds as sys.argv."""
    if arguments and arguments[0] == "-c":
        if len(arguments) == 1:
            raise UsageError("-c was given no code", "holdfast -c 'print(6 * 7)'")
        return arguments[1], ["-c", *arguments[2:]]
    source = sys.stdin.buffer.read()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        code = io.TextIOWrapper(io.BytesIO(source), encoding).read()  # universal newlines, as python's parser
    except (SyntaxError, UnicodeDecodeError) as error:
        raise HoldfastError(f"can't read the program on standard input: {error}") from error
    return code, arguments or [""]


@contextlib.contextmanager
def _session(name: str) -> Iterator[Path]:
    """A session for one program, gone afterwards."""
    try:
        with start.create(name, named=False, cwd=os.getcwd()) as bell:
            file = bell.ask("info")["connection_file"]
            bell.ask("open_door", file=file, hold=True)  # if we are killed, the session ends by itself
            yield Path(file)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # impatience now would leave the session behind
        with contextlib.suppress(HoldfastError), start.ring(name) as bell:
            start.stop(name, bell, for_good=True)
        with contextlib.suppress(HoldfastError):
            start.forget(name)


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """A hang-up or a polite kill ends us as it would end python, but the session with us."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, _leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _leave(number: int, _: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
