"""One session that a fault hits, with what is needed to make the fault and to look at what came of it."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from faults.held import Held, held
from faults.kind import DEATH_SECONDS, Kind, Level
from kit.deadline import Deadline
from kit.family import Family, about, family, wait_for_standby
from kit.kernel import Kernel
from kit.processes import kill, left_over
from kit.wire import Cell

SETUP = """
import random
shared = [1, 2]
alias = shared
holder = {"inside": shared}
itself = ["me"]
itself.append(itself)
square = lambda number: number * number

class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

point = Point(3, 4)
data = bytearray(range(256)) * 64
random.seed(20)

def count():
    number = 0
    while True:
        yield number
        number += 1

counter = count()
[next(counter) for _ in range(3)]
reading = open("numbers.txt")
[reading.readline() for _ in range(3)]
"""

MESS = """
shared.append("mess"); alias = None; holder.clear(); itself.clear(); square = None
point.x = None; del point; data[:] = b""; random.seed(1)
if "counter" in globals(): next(counter); counter.close(); reading.seek(0)
mess = object()
"""
"""What a cell does to the namespace before it dies."""

LEVELS = {Level.RESUME: "standby", Level.SALVAGE: "salvage", Level.DISK: "disk"}
"""A kind's level -> the word for it in a recovery."""

HERE = "print('here', flush=True)\n"
KEPT = 3
"""Generations of standbys: fewer than usual, so that their number is the same before and after."""
SETTLED_SECONDS = 10.0
"""For processes and descriptors of the dead to be gone."""


class Scene:
    """Made on a kernel that has just started."""

    def __init__(self, kernel: Kernel, kind: Kind, dice: random.Random, *, random_moments: bool) -> None:
        self.kernel = kernel
        self.kind = kind
        self.dice = dice
        self.random_moments = random_moments
        self.folder = kernel.folder / "work"
        self.slowest = 0.0  # seconds that a client waited for the answer of a cell that died
        self.things = ExitStack()  # closed after the fault, before the session
        self.said = ""  # of what happened, to its users
        self.kept: dict[str, Any] = {}  # what an act wants to find again in the next round
        (self.folder / "numbers.txt").write_text("".join(f"{n}\n" for n in range(50)))
        self.client = kernel.client()

    def set_up(self) -> None:
        """The state that must be there afterwards, and asleep."""
        self.client.ask("holdfast_info_request", {}, "control")  # so that all its sockets are connected
        self.client.do(SETUP)
        # The first big message makes the supervisor's ZeroMQ a helper with descriptors of its own, for good.
        self.client.do("print('x' * 300_000)")
        if self.kind.setup:
            self.client.do(self.kind.setup, within=60)
        self.before = self.digest()
        self.rest()
        self.held_before = self._held_at_rest()

    # --- looking

    def digest(self) -> dict[str, str]:
        """What the namespace holds."""
        path = str(Path(__file__).with_name("digest.py"))
        code = f"__import__('json').dumps(__import__('runpy').run_path({path!r})['digest'](globals()))"
        found: dict[str, str] = json.loads(self.client.value(code))
        return found

    def same_as_before(self) -> None:
        """AssertionError names each variable that is not what it was.

        One that did not come through a pickle may be away, if that was said.
        """
        now = self.digest()
        if self.kind.level in (Level.SALVAGE, Level.DISK):
            away = self.before.keys() - now.keys()
            silent = [name for name in away if name not in self.said]
            assert not silent, f"not back, and not named: {silent}: {self.said}"
            self.before = {name: what for name, what in self.before.items() if name not in away}
        wrong = {
            name: (self.before.get(name, "not there"), now.get(name, "not there"))
            for name in self.before.keys() | now.keys()
            if self.before.get(name) != now.get(name)
        }
        assert not wrong, f"name: (before, after) {wrong}"

    def held(self) -> Held:
        """Of the machine, by this session."""
        return held(self.kernel, self.client)

    def _held_at_rest(self) -> Held:
        """When nobody is on the way in or out any more."""
        deadline = Deadline(SETTLED_SECONDS)
        last = None
        while (now := self.held()) != last or now.standbys != KEPT:
            assert not deadline.passed, f"it does not come to rest: {last}, {now}"
            last = now
        return now

    def nothing_left_behind(self) -> None:
        """AssertionError says what is held beyond what was."""
        deadline = Deadline(SETTLED_SECONDS)
        while more := self.held().more_than(self.held_before):
            assert not deadline.passed, f"left behind: {more}"

    @property
    def family(self) -> Family:
        """Who is who now."""
        return family(self.kernel, self.client)

    def about(self) -> dict[str, Any]:
        """What the session says of itself."""
        return about(self.client)

    def rest(self) -> None:
        """Until the state after the last cell is asleep."""
        wait_for_standby(self.client, self.about()["execution_count"])

    # --- what acts are made of

    def start_busy(self, code: str = "") -> str:
        """A cell that makes its mess and goes on for ever; it runs when this returns."""
        msg_id = self.client.start(MESS + HERE + (code or "while True: pass"))
        self.client.text(msg_id, "here")
        self.moment()
        return msg_id

    def moment(self, longest: float = 0.1) -> None:
        """Let a random time pass, where moments are random."""
        if self.random_moments:
            self.client.listen(self.dice.uniform(0, longest))

    def finish(self, msg_id: str, code: str = "") -> Cell:
        """The end of a cell that a fault hits from now on."""
        return self.client.finish(msg_id, code, self.kind.within, time.monotonic())

    def die(self, code: str = "import ctypes; ctypes.string_at(0)") -> Cell:
        """A cell that kills the interpreter, whatever the kind is."""
        return self.client.run(MESS + code, within=self.kind.within)

    def kill_worker(self) -> None:
        os.kill(self.family.worker, signal.SIGKILL)

    def told(self, pattern: str, since: int, within: float = DEATH_SECONDS) -> str:
        """What is published, after so many messages, as soon as the pattern is found in it."""

        def found() -> list[str]:
            later = (json.dumps(message["content"]) for message in self.client.published[since:])
            return [content for content in later if re.search(pattern, content)]

        self.client.until(found, f"word of {pattern!r}", within)
        return found()[0]

    def kill_everything(self) -> None:
        """Every process of the session at once, the launcher too."""
        kill(self.kernel.mark)
        assert not left_over(self.kernel.mark, Deadline(SETTLED_SECONDS))
        self.kernel.process.wait()

    def relaunch(self) -> None:
        """Start the launcher again, with a new client, who hears what there is to say."""
        self.client.close()
        self.kernel.launch()
        self.client = self.kernel.client("successor")
        self.client.do("None")
        streams = [each["content"] for each in self.client.published if each["msg_type"] == "stream"]
        self.said = "".join(each["text"] for each in streams if each["name"] == "stderr")


def recovery_of(cell: Cell) -> dict[str, Any]:
    """The one object that says what happened, as programs get it."""
    recovery: dict[str, Any] = cell.reply_message["metadata"]["holdfast"]["recovery"]
    return recovery
