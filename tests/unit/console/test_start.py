"""What a console imports before its first prompt: start-up time is a feature."""

from __future__ import annotations

import subprocess
import sys

SLOW = {
    "IPython",
    "PIL",
    "html.parser",
    "jedi",
    "jupyter_client",
    "pygments.lexers.python",
    "pylatexenc",
    "rich",
    "sqlite3",
    "tornado",
    "traitlets",
}


def test_nothing_slow_is_loaded_before_the_first_prompt() -> None:
    code = "import holdfast.console.app, holdfast.console.prompt, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not SLOW & set(loaded.split())


HEAVY = {
    "asyncio",
    "dataclasses",
    "holdfast.settings",
    "inspect",
    "msgspec",
    "prompt_toolkit",
    "pygments",
    "zmq",
}


def test_what_is_drawn_before_the_console_is_loaded_needs_next_to_nothing() -> None:
    modules = "holdfast.cli.main, holdfast.cli.parser, holdfast.cli.commands.attach, holdfast.console.opening"
    code = f"import {modules}, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert not HEAVY & set(loaded.split())
