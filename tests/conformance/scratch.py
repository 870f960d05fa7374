"""A place of its own for a run: kernelspecs, profiles, runtime files, sessions. Nothing of the user's is used."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.jupyter import kernelspec

KERNEL = "python3"
"""The name under which every suite asks for a kernel."""


@contextmanager
def scratch() -> Iterator[dict[str, str]]:
    """An environment in which `python3` is Holdfast's kernel. What is left running there is stopped in the end."""
    with tempfile.TemporaryDirectory(prefix="hf-", ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        kernelspec.install(prefix=root, name=KERNEL)
        environment = {
            **os.environ,
            "JUPYTER_PATH": str(root / "share" / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(root / "runtime"),
            "JUPYTER_CONFIG_DIR": str(root / "config"),
            "IPYTHONDIR": str(root / "ipython"),
            "HOLDFAST_HOME": str(root / "home"),
        }
        try:
            yield environment
        finally:
            stop_all(environment)


def stop_all(environment: dict[str, str]) -> None:
    """End the sessions that a suite left behind."""
    names = [each.name for each in (Path(environment["HOLDFAST_HOME"]) / "run").glob("*")]
    for name in names:
        subprocess.run(
            [sys.executable, "-m", "holdfast", "stop", name], env=environment, capture_output=True, check=False
        )
