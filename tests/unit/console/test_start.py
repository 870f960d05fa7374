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
