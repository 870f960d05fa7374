"""Running a program in a session that lives: as a cell of that session, which everybody there sees.

A file or module is a cell `%program …`, code is a cell as it stands. So errors look as they look in the
session, and a result is shown; the exit status is python's.
"""

from __future__ import annotations

import getpass
import json
import os
import shlex
import sys
import time
from argparse import Namespace
from pathlib import Path

from holdfast.cli import foreign, pick
from holdfast.cli.programs import ending
from holdfast.cli.programs.finding import Finding
from holdfast.cli.programs.output import Printed, Sink, finish
from holdfast.cli.programs.patience import TRIES, Patience, StillRunning
from holdfast.cli.programs.program import piped
from holdfast.cli.text import duration
from holdfast.cli.usage import UsageError, complain, tell
from holdfast.client import start
from holdfast.client.blocking import Client
from holdfast.client.doorbell import DoorbellClient
from holdfast.errors import HoldfastError, SessionNotRunning
from holdfast.protocol import connection

_STOPS = "holdfast interrupt {} --force"


def run(options: Namespace) -> int:
    """Run it, show what comes, leave; the exit status."""
    code = _cell(options)
    name, bell = _opened(options.session)
    with bell:
        info = bell.ask("info")
    if running := info["running"]:
        since = duration(time.time() - running["since"])
        who = running["client"] or "somebody"
        tell(
            f"{name} is busy: {who} runs [{running['count']}] for {since}; your code waits. Ctrl-C: it won't"
        )
    sink = Finding() if options.json else Printed()
    with Client(
        connection.read(Path(info["connection_file"])), username=getpass.getuser(), name=name
    ) as client:
        status = _run_on(client, name, code, sink, options)
    if isinstance(sink, Finding):
        print(json.dumps({"session": name, **sink.found(status)}))
    return status


def _run_on(client: Client, name: str, code: str, sink: Sink, options: Namespace) -> int:
    asker = None if options.file == "-" else _answer_on_stderr if options.json else _answer
    with Patience(client, options.timeout, force=options.force) as patience:
        for _ in range(TRIES):
            execution = client.execute(code, on_input=asker)
            patience.watch(execution, sink)
            try:
                reply, _ = finish(client, execution, patience, patience.interrupt)
            except StillRunning:
                complain(HoldfastError(f"it does not end; {name} goes on with it", _STOPS.format(name)))
                return patience.status or 1
            if reply.content.get("status") != "aborted" or patience.status is not None:
                break
            tell("a cell before it has failed: once more")
    return ending.status(reply) if patience.status is None else patience.status


def _cell(options: Namespace) -> str:
    """What is run, as a cell."""
    if options.module is not None:
        return _program(["-m", *options.module]) if options.module else _nothing("-m")
    if options.code is not None:
        code, *arguments = options.code or [_nothing("-c")]
        return _without(arguments, code)
    if options.file == "-":
        return _without(options.arguments, piped().rstrip("\n"))
    return _program([os.path.abspath(options.file), *options.arguments])


def _nothing(flag: str) -> str:
    raise UsageError(f"{flag} was given nothing to run", "holdfast run --help")


def _without(arguments: list[str], code: str) -> str:
    if arguments:
        raise UsageError(
            "code that runs in a session has no arguments", "holdfast run FILE ARGUMENT…   (or holdfast -c)"
        )
    return code


def _program(words: list[str]) -> str:
    line = shlex.join(words)
    return f"get_ipython().run_line_magic('program', {line!r})" if "\n" in line else f"%program {line}"


def _opened(name: str | None) -> tuple[str, DoorbellClient]:
    """The session that is meant; one that has ended is started again if it was named."""
    if name is None:
        running = [each for each in pick.candidates() if pick.is_running(each)]
        if not running:
            raise SessionNotRunning(
                "no session is running", "holdfast FILE   (on its own), or holdfast run -s NAME FILE"
            )
        name = max(running, key=start.last_use)
        tell(f"in session {name}")
        return name, start.ring(name)
    known = pick.is_running(name)
    bell = start.ensure(name)
    if not known:
        story = bell.ask("arrival", timeout=None)["story"]
        tell(f"{name}: {story}" if story else f"{name} is started again")
    return name, bell


def _answer(question: str, password: bool) -> str:
    """What our own user answers to `input()`."""
    if password and sys.stdin.isatty():
        return getpass.getpass(foreign.question(question, sys.stdin))
    sys.stdout.write(foreign.question(question, sys.stdout))
    return _line()


def _answer_on_stderr(question: str, password: bool) -> str:
    """The same, where only the object goes to stdout."""
    if password and sys.stdin.isatty():
        return getpass.getpass(foreign.question(question, sys.stdin))
    sys.stderr.write(foreign.question(question, sys.stderr))
    return _line()


def _line() -> str:
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.removesuffix("\n")
