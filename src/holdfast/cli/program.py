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

from holdfast.cli import text
from holdfast.cli.usage import UsageError
from holdfast.client import start
from holdfast.client.blocking import Client, Execution
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

FORCED_SECONDS = 30.0
"""For a forced interrupt to be told: the worker is killed at once, the state before comes back."""


def run(arguments: list[str]) -> int:
    """Run `-c CODE ARGUMENT…`, or standard input (`- ARGUMENT…`); the exit status."""
    code, its_arguments = _program(arguments)
    if not code.strip():
        return 0
    name = f"run-{os.getpid()}-{os.urandom(3).hex()}"
    with _signals(), _session(name) as file, Client(connection.read(file), username="program") as client:
        return run_on(client, code, its_arguments)


def run_on(client: Client, code: str, arguments: list[str]) -> int:
    """Run a program on the kernel of `client`; print what it prints, return its exit status."""
    _finish(client, client.execute(PRELUDE.format(arguments=arguments), silent=True))
    reply, interrupted = _finish(client, client.execute(code, silent=True))
    died = _death(reply)
    if died is not None:
        return INTERRUPTED if interrupted else died
    _finish(client, client.execute(EPILOGUE, silent=True))
    return 0 if reply.content.get("status") == "ok" else _status(reply.content)


def _finish(client: Client, execution: Execution) -> tuple[Incoming, bool]:
    """Show what comes until the end; the reply, and whether Ctrl-C interrupted it (twice: by force)."""
    interrupts, told = 0, False
    while True:
        try:
            for message in execution:
                _show(message)
                told = told or message.msg_type == "error"
            reply = execution.reply()
            break
        except KeyboardInterrupt:
            interrupts += 1
            _interrupt(client, force=interrupts > 1)
    while client.foreign:
        late = client.foreign.popleft()
        if late.mine:
            _show(late)
    if reply.content.get("status") == "error" and not told:
        _write(sys.stderr, _last_words(reply.content))
    return reply, interrupts > 0


def _interrupt(client: Client, *, force: bool) -> None:
    if force:
        client.request(
            "holdfast_interrupt_request", {"force": True}, channel="control", timeout=FORCED_SECONDS
        )
    else:
        client.interrupt()


def _show(message: Incoming) -> None:
    content = message.content
    if message.msg_type == "stream":
        _write(sys.stderr if content.get("name") == "stderr" else sys.stdout, str(content.get("text", "")))
    elif message.msg_type in ("display_data", "execute_result"):
        _write(sys.stdout, str(content.get("data", {}).get("text/plain", "")) + "\n")
    elif message.msg_type == "error":
        _write(sys.stderr, _last_words(content))


def _write(file: Any, words: str) -> None:
    file.write(words)
    file.flush()


def _last_words(error: dict[str, Any]) -> str:
    """What python prints of an uncaught exception: a traceback; of SystemExit its text, if it has one."""
    if error.get("ename") == "SystemExit":
        value = str(error.get("evalue", ""))
        return "" if _exit_number(value) is not None else f"{value}\n"
    words = "\n".join(error.get("traceback") or [f"{error.get('ename')}: {error.get('evalue')}"]) + "\n"
    return words if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else text.plain(words)


def _death(reply: Incoming) -> int | None:
    """The exit status of the process if it died in the program (Recovery of supervisor/recovery.py)."""
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
        number = _exit_number(str(error.get("evalue", "")))
        return 1 if number is None else number & 0xFF
    return 1


def _exit_number(value: str) -> int | None:
    """The number that SystemExit's text stands for (sys.exit); None if it is a message."""
    known = {"": 0, "None": 0, "False": 0, "True": 1}
    if value in known:
        return known[value]
    return int(value) if value.lstrip("-").isdecimal() else None


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
            start.stop(name, bell)
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
