"""One history for all sessions: many supervisors write it at once, and none of them can spoil it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from holdfast.journal.history import History

LINES = 100

WRITER = """
import os, sys
from pathlib import Path
from holdfast.journal.history import History

path, gate, lines = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
print("ready", flush=True)
os.read(gate, 1)
history = History.open(path)
number = history.begin("a", 1.0)
line = 0
while line != lines:
    line += 1
    history.add(number, line, "x", f"x = {line}", 1.0)
    history.add_output(number, line, str(line))
    history.flush()
    os.write(1, f"{number} {line}\\n".encode())
    if line % 20 == 0:
        assert history.tail(5, session=number)[-1] == (number, line, f"x = {line}")
history.close()
"""


def started(stack: ExitStack, path: Path, gate: int, lines: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), str(gate), str(lines)]
    process = stack.enter_context(
        subprocess.Popen(command, stdout=subprocess.PIPE, pass_fds=[gate], text=True, bufsize=1)
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def test_sessions_that_make_and_write_the_history_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history.db"
    waiting, opener = os.pipe()
    with ExitStack() as stack:
        writers = [started(stack, path, waiting, LINES) for _ in range(8)]
        os.write(opener, bytes(len(writers)))
        numbers = set()
        for writer in writers:
            said, _ = writer.communicate(timeout=60)
            assert writer.returncode == 0
            lines = [line.split() for line in said.splitlines()]
            assert [line for _, line in lines] == [str(line) for line in range(1, LINES + 1)]
            numbers.add(int(lines[0][0]))
    os.close(waiting)
    os.close(opener)
    assert numbers == set(range(1, 9))
    history = History.open(path)
    for number in numbers:
        assert history.range(number, output=True) == [
            (number, line, (f"x = {line}", str(line))) for line in range(1, LINES + 1)
        ]
    history.close()


def test_a_session_killed_while_it_writes_leaves_the_history_to_the_others(tmp_path: Path) -> None:
    path = tmp_path / "state" / "history.db"
    waiting, opener = os.pipe()
    for _ in range(6):
        with ExitStack() as stack:
            victim, other = (started(stack, path, waiting, lines) for lines in (-1, 300))
            os.write(opener, bytes(2))
            assert victim.stdout is not None
            for _ in range(20):
                last = victim.stdout.readline()
            victim.kill()
            last = [last, *victim.stdout.read().splitlines(keepends=True)][-1]
            other.communicate(timeout=60)
            assert other.returncode == 0
        number, line = map(int, last.split())
        history = History.open(path)
        kept = [entry[1] for entry in history.range(number)]
        assert kept[:line] == list(range(1, line + 1))
        history.close()
    os.close(waiting)
    os.close(opener)
