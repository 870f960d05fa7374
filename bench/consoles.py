"""What is measured at a terminal: when the first prompt stands, how long a key takes, how long a list."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from bench.client import Silence
from bench.kernels import HOLDFAST, Kernel, Kind
from bench.rows import MILLISECONDS, Figures, Row
from bench.terminal import Terminal

IPYTHON = Kind("ipython", ("-m", "IPython"))
CONSOLE = Kind("Holdfast", ("-P", "-m", "holdfast"))

PROMPT = rb"In \[\d+\]: "

LINES = """\
import time
begun, number = time.monotonic(), 0
while time.monotonic() - begun < {seconds}:
    while number < (time.monotonic() - begun) * 10_000:
        print(number)
        number += 1
    time.sleep(0.002)
"""
"""10,000 lines a second."""

LETTERS = "abcdefghjklmopqrstuvwxyz"
"""None of them is in a prompt."""

BETWEEN_KEYS = 0.12
"""Seconds: somebody who types fast."""


def first_prompt(kind: Kind, folder: Path) -> Figures:
    """From the command to the prompt, with a new session, and a cell's result after it."""
    with Terminal(_command(kind), _environment(folder), str(folder)) as terminal:
        prompt = terminal.wait_for(PROMPT)
        typed = terminal.type("6*7\r")
        shown = terminal.wait_for(rb"Out\[\d+\]: ?42")
        terminal.wait_for(PROMPT)
        terminal.type("exit\r")
        terminal.end()
    return {
        "first prompt": [(prompt - terminal.started) * MILLISECONDS],
        "first 6*7, from Enter to its result": [(shown - typed) * MILLISECONDS],
    }


def attach(kernel: Kernel) -> Figures:
    """From the command to the prompt, on a session that is there."""
    if kernel.kind is HOLDFAST:
        name = _sessions(kernel)[0]
        command = [sys.executable, "-P", "-m", "holdfast", "attach", name]
    else:
        command = [sys.executable, "-m", "jupyter_console", "--existing", str(kernel.file)]
    with Terminal(command, kernel.environment, str(kernel.home)) as terminal:
        prompt = terminal.wait_for(PROMPT)
        terminal.type("\x04")
    return {"attach to the prompt": [(prompt - terminal.started) * MILLISECONDS]}


def echo(kernel: Kernel) -> Figures:
    """From a key to its letter on the screen, while another client's cell prints 10,000 lines a second."""
    command = [sys.executable, "-P", "-m", "holdfast", "attach", _sessions(kernel)[0]]
    times = []
    with Terminal(command, kernel.environment, str(kernel.home)) as terminal:
        terminal.wait_for(PROMPT)
        seconds = len(LETTERS) * BETWEEN_KEYS + 2
        cell = kernel.client.execute(LINES.format(seconds=seconds))
        terminal.wait_for(rb"\n\d{4}\r?\n")
        for letter in LETTERS:
            typed = terminal.type(letter)
            times.append((terminal.wait_for(letter.encode()) - typed) * MILLISECONDS)
            pause = time.monotonic() + BETWEEN_KEYS
            try:
                terminal.wait_for(rb"(?!)", max(0.0, pause - time.monotonic()))
            except Silence:
                continue
        kernel.client.finish(cell)
        terminal.type("\x1c")
    return {"a key's echo below 10,000 lines a second": times}


def listing(kernel: Kernel) -> Figures:
    """The command that lists what can be had, while a kernel runs."""
    command = ["-m", "jupyter", "kernelspec", "list"]
    if kernel.kind is HOLDFAST:
        command = ["-P", "-m", "holdfast", "ls"]
    begun = time.monotonic()
    subprocess.run([sys.executable, *command], env=kernel.environment, check=True, capture_output=True)
    return {"jupyter kernelspec list; holdfast ls": [(time.monotonic() - begun) * MILLISECONDS]}


def _sessions(kernel: Kernel) -> list[str]:
    listed = subprocess.run(
        [sys.executable, "-P", "-m", "holdfast", "ls", "--json"],
        env=kernel.environment,
        check=True,
        capture_output=True,
    )
    return [str(each["name"]) for each in json.loads(listed.stdout)]


def _command(kind: Kind) -> list[str]:
    return [kind.python, *kind.module]


def _environment(folder: Path) -> Mapping[str, str]:
    return {**os.environ, "HOLDFAST_HOME": str(folder), "IPYTHONDIR": str(folder / "ipython")}


ROWS = [
    Row(
        "prompt",
        {"first prompt": "ms", "first 6*7, from Enter to its result": "ms"},
        in_folder=first_prompt,
        kinds=(IPYTHON, CONSOLE),
    ),
    Row("attach", {"attach to the prompt": "ms"}, attach),
    Row("echo", {"a key's echo below 10,000 lines a second": "ms"}, echo, kinds=(HOLDFAST,)),
    Row("ls", {"jupyter kernelspec list; holdfast ls": "ms"}, listing),
]
