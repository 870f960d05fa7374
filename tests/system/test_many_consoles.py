"""Many consoles on one session, several typing at once, one stopped: all screens tell the same in the end."""

from __future__ import annotations

import os
import re
import select
import signal
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from kit.deadline import Deadline
from kit.session import Session, session
from kit.terminal import ENTER, Terminal

SECONDS = 240.0
"""For all of them to start, or to show everything, on a machine that has other things to do."""

_LINE = re.compile(r"^(?:\[[^\]]+\] )?(p \d+ \d+|Out\[\d+\]: 'r-\d+-\d+')$", re.MULTILINE)


def transcript(terminal: Terminal) -> list[str]:
    """Everything that cells have printed and returned, with their numbers, without who ran them."""
    return _LINE.findall(terminal.all_text)


def together(terminals: list[Terminal], done: Callable[[Terminal], bool], what: str) -> None:
    """Read all terminals, as a person looks at all of them, until each is done."""
    deadline = Deadline(SECONDS)
    while waiting := [terminal for terminal in terminals if not done(terminal)]:
        ready, _, _ = select.select(terminals, [], [], max(0.0, deadline.left_ms() / 1e3))
        for terminal in ready:
            terminal.read()
        if not ready:
            raise AssertionError(f"waited in vain for {what} in {len(waiting)}:\n{waiting[0].all_text}")


def cell(who: int, number: int) -> str:
    return f"print('p', {who}, {number}); 'r-' + '{who}-{number}'"


def play(work: Session, consoles: int, typing: int, cells: int) -> None:
    with ExitStack() as stack:
        terminals = [stack.enter_context(work.opened()) for _ in range(consoles)]
        together(terminals, lambda each: each.prompt_number() is not None, "a prompt")
        writers, watchers, stopped = terminals[:typing], terminals[typing:-1], terminals[-1]
        watchers[0].send("half ty")
        os.kill(stopped.pid, signal.SIGSTOP)
        sent = [0] * typing

        def type_on(terminal: Terminal) -> bool:
            """Type the next cell when the last one is done."""
            who = writers.index(terminal)
            if sent[who] == 0 or f"'r-{who}-{sent[who] - 1}'" in terminal.all_text:
                if sent[who] == cells:
                    return True
                terminal.send(cell(who, sent[who]) + ENTER)
                sent[who] += 1
            return False

        together(writers, type_on, "the end of the typing")
        total = 2 * typing * cells
        living = [*writers, *watchers]
        together(living, lambda each: len(transcript(each)) >= total, "everything")
        told = transcript(living[0])
        assert len(told) == total
        assert [line for line in told if line.startswith("Out")] == sorted(
            (line for line in told if line.startswith("Out")), key=lambda line: int(line[4 : line.index("]")])
        )
        for number, each in enumerate(living):
            assert transcript(each) == told, f"console {number}"
        watchers[0].wait_until(lambda: watchers[0].text.endswith(": half ty"), "the half-typed line")
        os.kill(stopped.pid, signal.SIGCONT)
        together([stopped], lambda each: len(transcript(each)) >= total, "what it has missed")
        assert transcript(stopped) == told


def test_five_consoles_end_with_the_same_transcript() -> None:
    with session() as work:
        play(work, consoles=5, typing=2, cells=6)


@pytest.mark.slow
def test_twenty_consoles_end_with_the_same_transcript() -> None:
    with session() as work:
        play(work, consoles=20, typing=10, cells=8)
