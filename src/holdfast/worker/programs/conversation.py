"""A program in conversation with the client that runs the cell: printing, asking, hearing, interrupted.

One loop in the calling thread waits for whichever speaks next. The client is asked as by `input`; while it
thinks, the program may go on. An interrupt is the program's, as Ctrl-C in a shell is, and not the cell's.
"""

from __future__ import annotations

import codecs
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from holdfast.worker.programs import words
from holdfast.worker.programs.attention import Attention, attention, members
from holdfast.worker.programs.lines import Lines, Takeover, plain
from holdfast.worker.programs.terminal import Terminal
from holdfast.worker.programs.typist import Typist
from holdfast.worker.stdin import END_OF_INPUT, Keyboard

LOOK_SECONDS = 0.1
"""From output to the look whether the program waits for input: a prompt is there as one begins to read."""

LATEST_LOOK_SECONDS = 1.0
"""Between two looks at a silent program, each twice as long as the one before: `sleep 5; read x` asks."""

DOUBT_SECONDS = 0.5
"""Of silence after half a line, until a program that may wait for input or for something else is taken at its
word: ssh's next packet comes sooner."""

HANG_UP_SECONDS = 2.0
"""For a program to save what it wants to, after its terminal went away, before it is killed."""

PATIENT_INTERRUPTS = 2
"""That a program may ignore, or count by itself as `docker compose up` does; at one more it is hung up on."""

REACTION_SECONDS = 1.0
"""From an interrupt to the program's end, if that is why: it tidies up, and may call that a success."""

ENDS_OF_INPUT = 10
"""That a program may be told before it is ended: nested shells want some, a loop wants them for ever."""

LAST_BYTES = 1024 * 1024
"""Read after a program's end, more than Linux keeps of a terminal's output: what it had written, and not what
something that it left behind goes on writing."""

_BY_INTERRUPT = {-signal.SIGINT, 128 + signal.SIGINT}
"""How a program ends that does not catch it, and how its shell tells that."""


class Pace:
    """When to look whether the program waits for input."""

    def __init__(self) -> None:
        self._heard_at = self._held_at = time.monotonic()
        self._pause = LOOK_SECONDS
        self.next = self._heard_at + self._pause

    def heard(self, now: float, *, held: bool) -> None:
        """The program said something, or was told something. `held`: what it said before is held still."""
        self._heard_at = now
        if not held:
            self._held_at = now
        self._pause = LOOK_SECONDS
        self.next = min(self.next, now + LOOK_SECONDS)

    def looked(self, now: float) -> None:
        """And again later."""
        self.next = now + self._pause
        self._pause = min(2 * self._pause, LATEST_LOOK_SECONDS)

    def too_soon(self, now: float, *, held: bool) -> bool:
        """What is held is so young that its program may not have come to its question; then look again."""
        if not held or now >= self._held_at + LOOK_SECONDS:
            return False
        self.next = self._held_at + LOOK_SECONDS
        return True

    def in_doubt(self, now: float) -> bool:
        """It is too soon to say what half a line is; then look again when it is not."""
        left = self._held_at + DOUBT_SECONDS - now
        if left <= 0:
            return False
        self._pause = left
        return True

    def silent(self, now: float) -> bool:
        """Nothing was said for so long that half a line is a question."""
        return now - self._heard_at >= DOUBT_SECONDS


class Conversation:
    """One program, from its start to its end."""

    def __init__(self, terminal: Terminal, keyboard: Keyboard) -> None:
        self.interrupted = False
        """An interrupt has ended the program, or came too late for it."""
        self._terminal = terminal
        self._keyboard = keyboard
        self._program: subprocess.Popen[bytes]
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._lines, self._takeover = Lines(), Takeover()
        self._typist = Typist(terminal)
        self._pace = Pace()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._presses = 0  # interrupts that came and are not passed on
        self._interrupts = 0  # that were passed on since the last question
        self._interrupted_at = 0.0
        self._asked = False  # the client has a question of ours
        self._silent = False  # no output comes any more
        self._ended_inputs = 0
        self._refused = False  # hung up on: what it still says is about a screen that is not there
        self._kill_at: float | None = None

    def interrupt(self) -> None:
        """Ctrl-C, from a signal handler."""
        self._presses += 1
        os.eventfd_write(self._bell, 1)

    def hold(self, command: list[str], environment: Mapping[str, str]) -> int:
        """Start the program and see it to its end; how it ended, as `subprocess` says it."""
        self._program = self._terminal.start(command, environment)
        end = os.pidfd_open(self._program.pid)
        try:
            while not self._step(end):
                pass
            status = self._program.wait()
            self.interrupted = self._was_interrupted(status)
            self._hear_the_rest()
            return status
        finally:
            if self._program.poll() is None:  # what it printed could not be shown
                self._terminal.kill()
                self._program.wait()
            os.close(end)

    def close(self) -> None:
        """And its terminal."""
        os.close(self._bell)
        self._terminal.close()

    def _step(self, end: int) -> bool:
        """Wait until something happens and see to it; True: the program has ended."""
        ready = self._wait(end)
        now = time.monotonic()
        if self._presses:
            self._pass_on(now)
        if self._terminal.fileno() in ready:
            self._hear(now)
        if self._asked:
            self._take_answer(now)
        self._typist.go_on()
        if end in ready:
            return True
        if self._kill_at is not None and now >= self._kill_at:
            self._terminal.kill()
            self._kill_at = now + HANG_UP_SECONDS
        elif now >= self._pace.next and not self._pace.too_soon(now, held=bool(self._lines.held)):
            self._look(now)
            self._pace.looked(now)
        return False

    def _wait(self, end: int) -> set[int]:
        poll = select.poll()
        poll.register(end, select.POLLIN)
        poll.register(self._bell, select.POLLIN)
        if not self._silent:
            poll.register(self._terminal, select.POLLIN | (select.POLLOUT if self._typist.pending else 0))
        if self._asked:
            poll.register(self._keyboard, select.POLLIN)
        until = self._pace.next if self._kill_at is None else self._kill_at
        patience = max(0.0, until - time.monotonic())
        return {fd for fd, _ in poll.poll(patience * 1e3)}

    # --- what the program says

    def _hear(self, now: float) -> int:
        data = self._terminal.read()
        if data is None:
            self._silent = True
            return 0
        self._pace.heard(now, held=bool(self._lines.held))
        self._take(self._decoder.decode(data))
        return len(data)

    def _take(self, text: str) -> None:
        if self._refused:
            return
        self._typist.heard(text)
        text = self._typist.echo.without(text)
        keys = "\x1b" in text and not self._terminal.modes.canonical
        begins = self._takeover.find(text, keys=keys)
        self._show(self._lines.feed(text[:begins]))
        if begins is not None:
            self._show(plain(self._lines.take()))
            self._refuse(words.wants_a_screen(self._name()))

    def _hear_the_rest(self) -> None:
        read = 0
        while not self._silent and read < LAST_BYTES and (count := self._hear(0.0)):
            read += count
        self._take(self._decoder.decode(b"", final=True))
        self._show(self._lines.feed(self._typist.echo.give_up()) + self._lines.take())

    def _show(self, text: str) -> None:
        if text and not self._refused:
            sys.stdout.write(text)

    # --- whether it asks

    def _look(self, now: float) -> None:
        """Ask the client if the program waits for it; else what was held is no question."""
        if self._pace.silent(now):
            self._show(self._lines.feed(self._typist.echo.give_up()))
        if self._asked or self._refused or self._typist.is_unread():
            self._show(self._lines.take())
            return
        modes = self._terminal.modes
        hidden = modes.canonical and not modes.echo
        found = attention(self._program.pid, self._terminal.foreground, self._terminal.name)
        if found is not Attention.NONE and self._typist.press_enter():
            self._pace.heard(now, held=bool(self._lines.held))
            return
        self._typist.alone = found is Attention.CERTAIN
        if found is Attention.PERHAPS and (hidden or (self._lines.open and self._keyboard.reachable)):
            if self._pace.in_doubt(now):
                return
            found = Attention.CERTAIN if self._pace.silent(now) else Attention.NONE
        if found is not Attention.CERTAIN:
            self._show(self._lines.take())
        elif self._keyboard.reachable:
            self._ask(hidden=hidden)
        else:
            self._end_input(now)

    def _ask(self, *, hidden: bool) -> None:
        self._interrupts = 0
        self._show(self._lines.feed(self._typist.echo.give_up()))
        self._keyboard.put(plain(self._lines.take()), password=hidden)
        self._asked = True

    def _take_answer(self, now: float) -> None:
        answer = self._keyboard.answer()
        if answer is None:
            return
        self._asked = False
        self._lines.open = False
        self._typist.answer(answer)
        self._pace.heard(now, held=False)

    def _end_input(self, now: float) -> None:
        """The client can't be asked."""
        self._show(self._lines.take())
        if not self._ended_inputs:
            _say(words.gets_no_input(self._name()))
        self._ended_inputs += 1
        if self._ended_inputs > ENDS_OF_INPUT:
            self._refuse(words.does_not_end(self._name()))
        else:
            self._typist.answer(END_OF_INPUT)
            self._pace.heard(now, held=False)

    # --- how it is ended

    def _pass_on(self, now: float) -> None:
        """An interrupt has also taken the client's question away."""
        presses, self._presses = self._presses, 0
        os.eventfd_read(self._bell)
        self._asked = False
        self._interrupts += presses
        self._interrupted_at = now
        if self._interrupts > PATIENT_INTERRUPTS:
            self._hang_up()
        else:
            self._terminal.interrupt()
        self._pace.heard(now, held=bool(self._lines.held))

    def _was_interrupted(self, status: int) -> bool:
        soon = time.monotonic() - self._interrupted_at < REACTION_SECONDS
        ended_so = soon or status in _BY_INTERRUPT or self._interrupts > PATIENT_INTERRUPTS
        return self._presses > 0 or (self._interrupts > 0 and ended_so)

    def _refuse(self, why: str) -> None:
        self._refused = True
        _say(why)
        self._hang_up()

    def _hang_up(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + HANG_UP_SECONDS
            self._terminal.hang_up()

    def _name(self) -> str:
        """Of the program that has the terminal: the last one, if one has started the other."""
        group = members(self._program.pid, self._terminal.foreground)
        try:
            return Path(f"/proc/{group[-1]}/comm").read_text(errors="replace").strip()  # cut after 15 bytes
        except (IndexError, OSError):
            return "the program"


def _say(text: str) -> None:
    sys.stderr.write(f"holdfast: {text}\n")
