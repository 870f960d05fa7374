"""Programs of others in front of a session: each needs packages that Holdfast does not, and skips without."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from kit.deadline import Deadline
from kit.kernel import END_SECONDS, Kernel, environment, running, scratch
from kit.processes import kill, left_over
from kit.wire import Client


class Home(NamedTuple):
    """A user who has Holdfast's kernel installed."""

    folder: Path
    env: dict[str, str]


@pytest.fixture
def home() -> Iterator[Home]:
    """A user's folders with the kernel "holdfast" in them; at the end no process of theirs is left."""
    mark = secrets.token_hex(8)
    with scratch() as folder:
        env = environment(folder, mark)
        install = [sys.executable, "-m", "holdfast", "kernel", "install"]
        done = subprocess.run(install, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        try:
            yield Home(folder, env)
            left = left_over(mark, Deadline(END_SECONDS))
            assert not left, f"processes left behind: {left}"
        finally:
            kill(mark)


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    """A session that runs already, with its connection file."""
    with running() as kernel:
        yield kernel


@pytest.fixture
def client(kernel: Kernel) -> Client:
    """Somebody else who is attached to it."""
    return kernel.client()
