"""`holdfast FILE`, `-c`, `-m`, and piped input: a program, run as python would, in a session of its own.

It has our standard input, output and error themselves, our arguments, environment and folder; signals that
we get are for it. The exit status is python's, or 128 + signal if the process died; what is ours to say goes
to stderr. The session ends with the program and nothing of it is kept; with `-i` a console follows on it.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

from holdfast.cli import pick
from holdfast.cli.programs import ending
from holdfast.cli.programs.handover import HandOver
from holdfast.cli.programs.output import Printed, finish, interrupt
from holdfast.cli.programs.relay import Relay
from holdfast.cli.usage import UsageError, tell
from holdfast.client import start
from holdfast.client.blocking import Client
from holdfast.client.exchange import Incoming
from holdfast.errors import HoldfastError
from holdfast.protocol import connection
from holdfast.protocol.programs import MAGIC, Program, exit_status


def run(arguments: list[str]) -> int:
    """Run what the command line says: `[-i] FILE | -c CODE | -m MODULE | -`; the exit status."""
    interactive = arguments[:1] == ["-i"]
    program = read(arguments[interactive:])._replace(interactive=interactive)
    if interactive:
        return _then_a_console(program)
    name = pick.for_program()
    with Relay() as relay, _session(name) as file:
        status = run_on(name, file, program, relay)
    relay.die_as_it_did(status)
    return status


def read(arguments: list[str]) -> Program:
    """The program that the command line tells."""
    environment = dict(os.environ)
    if arguments[:1] in (["-c"], ["-m"]):
        flag, *rest = arguments
        if not rest:
            raise UsageError(*_NOTHING[flag])
        return Program("code" if flag == "-c" else "module", rest[0], [flag, *rest[1:]], environment)
    if arguments and arguments[0] != "-":
        check_readable(arguments[0])
        if arguments[0].endswith(".ipynb"):
            raise UsageError(f"{arguments[0]!r} is a notebook", f"holdfast run {arguments[0]}")
        return Program("file", arguments[0], arguments, environment)
    return Program("code", piped(), arguments or [""], environment, name="<stdin>")


_NOTHING = {
    "-c": ("-c was given no code", "holdfast -c 'print(6 * 7)'"),
    "-m": ("-m was given no module", "holdfast -m timeit 'sum(range(100))'"),
}


def check_readable(path: str) -> None:
    """UsageError if a program's file can't be opened; a folder may be a program, too. `-` is no file."""
    if path == "-":
        return
    try:
        with open(path, "rb"):
            return
    except IsADirectoryError:
        return
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"can't open {path!r}: {reason.replace('file or directory', 'file')}") from error


def run_on(name: str, file: Path, program: Program, relay: Relay) -> int:
    """Run a program in session `name` at the connection file `file`; its exit status."""
    info = connection.read(file)
    with (
        Client(info, username="program", name=name, hold=str(file)) as client,
        HandOver(file.parent, program, relay.begin) as hand_over,
    ):
        cell = client.execute(f"%{MAGIC} {hand_over.path}", silent=True)
        asides = _Asides(relay, on_death=hand_over.mend_terminal)
        reply, _ = finish(
            client, cell, asides, lambda _: relay.interrupt(otherwise=lambda: interrupt(client))
        )
        relay.over()
    told = exit_status(reply.content.get("payload"))
    if told is not None and told < 0:
        relay.passed.add(-told)
    return ending.status(reply)


class _Asides(Printed):
    """What the session has to say beside the program."""

    def __init__(self, relay: Relay, on_death: Callable[[], object]) -> None:
        super().__init__()
        self._relay = relay
        self._on_death = on_death

    def end(self, reply: Incoming) -> None:
        """Tell of the process's death, unless it died of what was sent to us."""
        died = ending.death(reply)
        if died is None:
            super().end(reply)
            return
        self._on_death()
        if died - 128 not in self._relay.passed and (words := ending.last_words(reply)):
            tell(words)


def piped() -> str:
    """The program on standard input."""
    source = sys.stdin.buffer.read() if sys.stdin is not None else b""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return io.TextIOWrapper(io.BytesIO(source), encoding).read()  # universal newlines, as python's parser
    except (SyntaxError, UnicodeDecodeError) as error:
        raise HoldfastError(f"can't read the program on standard input: {error}") from error


def _then_a_console(program: Program) -> int:
    """Run it, then open a console on what it has left; the console's exit status."""
    if not os.isatty(0):
        raise UsageError("-i needs a terminal to read from", "holdfast FILE   (without -i)")
    from holdfast.cli import console  # noqa: PLC0415 - heavy

    name, bell = console.start_new(os.getcwd())
    file = Path(bell.ask("info")["connection_file"])
    try:
        with Relay() as relay:
            run_on(name, file, program, relay)
    except BaseException:
        with bell:
            start.stop(name, bell, for_good=True)
        start.forget(name)
        raise
    return console.open_on(name, bell, created=True, may_end=True)


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
