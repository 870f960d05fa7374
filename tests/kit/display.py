"""An X server of one's own (Xvfb), which no window manager and nobody else uses."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_START_SECONDS = 20

_FIRST = 100
"""Displays are numbered by who asks: a server that ends takes away the socket of one that has just begun, if
both have chosen the same number."""


@contextmanager
def x_server() -> Iterator[str]:
    """An X server for a `with` block: what DISPLAY is to be. Skips the test where there is no Xvfb."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed (package xvfb)")
    reading, writing = os.pipe()
    server = subprocess.Popen(
        [
            program,
            f":{_FIRST + os.getpid()}",
            "-displayfd",
            str(writing),
            "-nolisten",
            "tcp",
            "-screen",
            "0",
            "1000x700x24",
        ],
        pass_fds=[writing],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], _START_SECONDS)
        number = os.read(reading, 16).decode().strip() if ready else ""
        assert number, "Xvfb does not start"
        yield f":{number}"
    finally:
        os.close(reading)
        server.terminate()
        server.wait()
