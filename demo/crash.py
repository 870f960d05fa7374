"""`make demo`: a session whose interpreter is killed by a cell, for real, and what is there afterwards.

Plays cells through the client library, as any frontend would, and prints what comes back. Everything it
starts is ended and everything it writes is removed when it is done.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.client import start
from holdfast.client.blocking import Client
from holdfast.client.exchange import Incoming
from holdfast.errors import HoldfastError
from holdfast.protocol import connection

NAME = "demo"

FILL = """\
import itertools, os
rows = [n * n for n in range(1_000_000)]
squares = (n * n for n in itertools.count(1))
double = lambda x: 2 * x
print('three squares:', next(squares), next(squares), next(squares))
print('this is process', os.getpid())"""

CRASH = """\
import ctypes
print('printed just before the end')
ctypes.string_at(0)"""

LOOK = """\
print('rows:', len(rows), 'of them, the last is', rows[-1])
print('the next square:', next(squares))
print('twice 21:', double(21))
print('this is process', os.getpid())"""

SCENES = [
    ("A list of a million, a generator that is half-way, a function without a name:", FILL),
    ("Now a cell reads memory at address 0. No Python survives that:", CRASH),
    ("The next cell, sent at once:", LOOK),
]
"""What the narrator says, and the cell that is played then."""

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def main() -> int:
    """Play all scenes; 1 if the session can't be started or a cell is not answered."""
    try:
        with scratch(), session() as client:
            for words, code in SCENES:
                print(f"\n{_bright(words)}\n")
                play(client, code)
    except HoldfastError as error:
        print(f"holdfast: {error.what}", f"try: {error.remedy}", sep="\n", file=sys.stderr)
        return 1
    print(f"\n{_bright('Another process, the same variables. No cell was run again.')}\n")
    return 0


@contextmanager
def scratch() -> Iterator[None]:
    """A home for Holdfast's files that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hf", dir="/tmp"))  # short: unix sockets live in it
    os.environ["HOLDFAST_HOME"] = str(folder)
    try:
        yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def session() -> Iterator[Client]:
    """A client of a new session, which ends with it."""
    with start.create(NAME) as bell:
        try:
            file = Path(bell.ask("info")["connection_file"])
            with Client(connection.read(file), username="demo") as client:
                yield client
        finally:
            start.stop(NAME, bell)


def play(client: Client, code: str) -> None:
    """Run a cell as a frontend does: show what was typed, what comes back, and how long it took."""
    begun = time.monotonic()
    cell = client.execute(code)
    shown = [text for message in cell if (text := _shown(message))]
    count = cell.reply().content.get("execution_count", "*")
    took = (time.monotonic() - begun) * 1000
    prompt = f"In [{count}]: "
    print(prompt + code.replace("\n", "\n" + " " * len(prompt)) + "\n")
    print(*shown, sep="\n")
    print(_faint(f"({took:.0f} ms)"))


def _shown(message: Incoming) -> str:
    content = message.content
    if message.msg_type == "stream":
        return str(content["text"]).rstrip("\n")
    if message.msg_type == "error":
        text = "\n".join(content["traceback"])
        return text if sys.stdout.isatty() else COLOURS.sub("", text)
    return ""


def _bright(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() else text


def _faint(text: str) -> str:
    return f"\x1b[2m{text}\x1b[0m" if sys.stdout.isatty() else text


if __name__ == "__main__":
    sys.exit(main())
