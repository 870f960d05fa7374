"""The demo, played as the README says."""

from __future__ import annotations

import subprocess
import sys

from kit.source import ROOT


def test_the_demo_shows_a_crash_that_loses_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "demo/crash.py"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    before, _, after = done.stdout.partition("printed just before the end\n")
    assert "three squares: 1 4 9" in before
    assert "SIGSEGV" in after
    assert "the next square: 16" in after
    assert _process(before) != _process(after)


def _process(text: str) -> str:
    return text.rpartition("this is process ")[2].split()[0]
