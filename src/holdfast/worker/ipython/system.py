"""`!cmd`, in IPython's words: which shell runs it, what its exit code is, and what it does not need."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import nullcontext
from typing import Any

from holdfast.worker.interrupts import Interrupts
from holdfast.worker.programs.conversation import Conversation
from holdfast.worker.programs.terminal import Terminal
from holdfast.worker.stdin import Keyboard

SIZE = (80, 24)
"""Columns and lines, as of every terminal that nobody has made larger; COLUMNS and LINES say more."""

ADAPTED = {
    **dict.fromkeys(("PAGER", "GIT_PAGER", "MANPAGER", "SYSTEMD_PAGER"), "cat"),  # the frontend scrolls
    "PYTHON_BASIC_REPL": "1",  # Python's own, of 3.13, draws
}
"""What programs find in their environment: they are to print lines."""

_FAILED_BY_SIGNAL = 128
"""What a shell adds to the number of the signal that has ended a program."""


_IN_VAIN = re.compile(r"\s*cd\b[^&;|\n]*")
"""A command that has no effect."""


class System:
    """Runs commands for a shell."""

    def __init__(self, keyboard: Keyboard, interrupts: Interrupts) -> None:
        self._keyboard = keyboard
        self._interrupts = interrupts

    def run(self, shell: Any, command: str) -> None:
        """Run `command` to its end; `_exit_code` in the shell's namespace is how it ended.

        KeyboardInterrupt if an interrupt has ended it: what follows in the cell is not wanted either.
        """
        if _IN_VAIN.fullmatch(command):
            print("!cd changes the folder of its own shell only; %cd changes the session's", file=sys.stderr)
        if _is_background(command):
            status, interrupted = _plainly(command), False
        else:
            status, interrupted = self._on_a_terminal(command)
        shell.user_ns["_exit_code"] = status
        if interrupted:
            raise KeyboardInterrupt
        if shell.system_raise_on_error and status:
            raise subprocess.CalledProcessError(status, command)

    def _on_a_terminal(self, command: str) -> tuple[int, bool]:
        """How it ended, and whether by an interrupt."""
        try:
            terminal = Terminal(*shutil.get_terminal_size(SIZE))
        except OSError:  # a system without pseudo-terminals
            return _plainly(command), False
        conversation = Conversation(terminal, self._keyboard)
        here = threading.current_thread() is threading.main_thread()
        try:
            with self._interrupts.told(conversation.interrupt) if here else nullcontext():
                status = _code(conversation.hold([_shell(), "-c", command], os.environ | ADAPTED))
        finally:
            conversation.close()
        return status, conversation.interrupted


def _is_background(command: str) -> bool:
    return command.rstrip().endswith("&") and not command.rstrip().endswith("&&")


def _plainly(command: str) -> int:
    """As os.system does it: what it starts, and leaves, goes on writing to descriptors 1 and 2."""
    return _code(subprocess.call([_shell(), "-c", command], stdin=subprocess.DEVNULL))


def _code(status: int) -> int:
    """A status as IPython has it: negative for a signal, also one that a shell tells of."""
    return status if status <= _FAILED_BY_SIGNAL else _FAILED_BY_SIGNAL - status


def _shell() -> str:
    return shutil.which(os.environ.get("SHELL", "sh")) or "/bin/sh"
