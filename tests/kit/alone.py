"""Tests that fork: each runs in an interpreter of its own, where nothing is open but what it opens."""

from __future__ import annotations

import functools
import inspect
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

_SECONDS = 60
_RUN = """
import importlib.util, pathlib, sys
spec = importlib.util.spec_from_file_location("the_test", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["the_test"] = module
spec.loader.exec_module(module)
getattr(module, sys.argv[2]).alone(pathlib.Path(sys.argv[3]))
"""


def alone(test: Callable[[Path], None]) -> Callable[[Path], None]:
    """Run the test, which gets a folder of its own, in a fresh interpreter; a hang of it is a failure."""

    @functools.wraps(test)
    def run(tmp_path: Path) -> None:
        tests = str(Path(__file__).parents[1])
        done = subprocess.run(
            [
                sys.executable,
                "-X",
                "faulthandler",
                "-c",
                _RUN,
                inspect.getfile(test),
                test.__name__,
                tmp_path,
            ],
            env={**os.environ, "PYTHONPATH": tests},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run.alone = test  # type: ignore[attr-defined]
    return run
