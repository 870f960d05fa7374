"""The terminal of one program: a pseudo-terminal (pty(7)) whose other end is ours.

The program is started as a login would start it: in a session of its own, with this as its controlling
terminal, so `/dev/tty`, Ctrl-C and job control are what it knows. Nothing here says what it is told or asked.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
from collections.abc import Mapping
from typing import NamedTuple

READ_BYTES = 64 * 1024
"""Of one read(2): more than Linux hands out at once (4 KB), should that change."""

_START = 'exec "$@" <>"$0"'
"""For /bin/sh: who leads a session and opens a terminal has it as its own from then on. This way nothing of
ours runs between fork and exec, so the namespace's page tables need not be copied (vfork(2))."""

_TIOCSIG = 0x40045436
"""Of ioctl_tty(2), on all but some old machines: a signal for the foreground group, whoever's it is."""

_OUTPUT, _LOCAL, _CHARACTERS = 1, 3, 6  # what termios.tcgetattr returns, by place


class Modes(NamedTuple):
    """How a program has set its terminal."""

    canonical: bool
    """It is given lines; else each key as it is pressed, and edits by itself."""
    echo: bool
    """What is typed is shown."""
    signals: bool
    """Ctrl-C is a signal; else a character like others."""
    interrupt: bytes
    end_of_input: bytes


class Terminal:
    """One pseudo-terminal. Close it."""

    def __init__(self, columns: int, lines: int) -> None:
        """OSError if the system has none left."""
        self._master, self._slave = os.openpty()
        self.name = os.ttyname(self._slave)
        self._leader = 0
        termios.tcsetwinsize(self._master, (lines, columns))
        attributes = termios.tcgetattr(self._slave)
        attributes[_OUTPUT] &= ~termios.ONLCR  # the output is text for a frontend, as out of a pipe
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        os.set_blocking(self._master, False)

    def fileno(self) -> int:
        """Our end."""
        return self._master

    def start(self, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a program on the terminal. Once."""
        end = self._slave
        program = subprocess.Popen(
            ["/bin/sh", "-c", _START, self.name, *command],
            stdin=end,
            stdout=end,
            stderr=end,
            env=environment,
            start_new_session=True,
        )
        self._leader = program.pid
        os.close(self._slave)  # the program's end is the program's alone: we see when it is closed
        self._slave = -1
        return program

    def read(self) -> bytes | None:
        """What the program has written; b"": nothing just now, None: nothing will come any more."""
        try:
            return os.read(self._master, READ_BYTES) or None
        except BlockingIOError:
            return b""
        except OSError:  # EIO: nobody has the other end
            return None

    def write(self, data: bytes) -> int:
        """Type; how many bytes the terminal has taken."""
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0
        except OSError:  # nobody is there to read it
            return len(data)

    @property
    def unread(self) -> bool:
        """What was typed waits to be read (poll(2) has the terminal digest it before it says so)."""
        try:
            end = os.open(self.name, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            poll = select.poll()
            poll.register(end, select.POLLIN)
            return bool(poll.poll(0))
        finally:
            os.close(end)

    @property
    def modes(self) -> Modes:
        """As the program has set them."""
        attributes = termios.tcgetattr(self._master)
        local, characters = attributes[_LOCAL], attributes[_CHARACTERS]
        return Modes(
            bool(local & termios.ICANON),
            bool(local & termios.ECHO),
            bool(local & termios.ISIG),
            characters[termios.VINTR],
            characters[termios.VEOF],
        )

    @property
    def foreground(self) -> int:
        """The process group that may read."""
        try:
            return os.tcgetpgrp(self._master) or self._leader
        except OSError:
            return self._leader

    def interrupt(self) -> None:
        """What Ctrl-C does. As a signal if the program has it as one: what it has written is not lost."""
        modes = self.modes
        if not modes.signals:
            self.write(modes.interrupt)
            return
        try:
            if os.tcgetpgrp(self._master):  # else the program is not there yet
                fcntl.ioctl(self._master, _TIOCSIG, signal.SIGINT)
                return
        except OSError:
            pass
        self._signal(signal.SIGINT)

    def hang_up(self) -> None:
        """The terminal goes away: the program has a moment to save what it wants to."""
        self._signal(signal.SIGHUP)
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """The moment is over."""
        self._signal(signal.SIGKILL)

    def close(self) -> None:
        """Who still has the other end finds it hung up."""
        os.close(self._master)
        if self._slave >= 0:
            os.close(self._slave)

    def _signal(self, number: signal.Signals) -> None:
        for group in {self.foreground, self._leader}:
            if group > 0:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(group, number)
