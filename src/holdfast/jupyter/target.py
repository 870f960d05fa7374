"""What the Python of a kernelspec can do, found out by running it. Nothing about files or kernelspecs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import NamedTuple

from holdfast.errors import HoldfastError

PROBE_SECONDS = 60.0
"""For a Python to import Holdfast: a cold network disk fits."""

_PROBE = """
import holdfast.kernel, msgspec, zmq, IPython
import importlib.metadata, importlib.util, json
def major(package):
    try:
        return int(importlib.metadata.version(package).partition(".")[0])
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return 0
debugger = importlib.util.find_spec("debugpy") is not None
offered = importlib.metadata.entry_points(group="jupyter_client.kernel_provisioners").names
print(json.dumps({
    "debugger": debugger,
    "jupyter_client": major("jupyter_client") if "holdfast-provisioner" in offered else 0,
}))
"""

_PROVISIONERS_SINCE = 8  # of jupyter_client


class Target(NamedTuple):
    """A Python that can run Holdfast: its path, and what else it has."""

    python: str
    debugger: bool
    """Whether debugpy is there."""
    provisioner: bool
    """Whether a jupyter_client is there that takes provisioners of kernels, and finds ours."""


def probe(python: str = sys.executable) -> Target:
    """What the interpreter `python` (a path, or a command) can do. HoldfastError if it can't run Holdfast."""
    path = _found(python)
    try:
        # -P as in the kernelspec; it is also what tells an interpreter that is too old
        done = subprocess.run(
            [path, "-P", "-c", _PROBE], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
        known = json.loads(done.stdout) if done.returncode == 0 else None
    except OSError as error:
        raise HoldfastError(f"can't run {path}: {error.strerror}", "give the path of a Python") from error
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise HoldfastError(f"{path} does not answer as a Python", "give the path of a Python") from error
    if known is None:
        raise HoldfastError(f"{path} can't run Holdfast: {_reason(done.stderr)}", _remedy(path, done.stderr))
    return Target(path, known["debugger"], known["jupyter_client"] >= _PROVISIONERS_SINCE)


def _found(python: str) -> str:
    """The absolute path; a link stays one, since a virtual environment is known by it."""
    path = os.path.abspath(os.path.expanduser(python)) if os.sep in python else shutil.which(python)
    if path is None or not os.path.isfile(path):
        raise HoldfastError(f"there is no Python {python}", "give its path: --python /path/to/bin/python")
    return path


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any(line.startswith("Unknown option: -P") for line in lines):
        return "it is older than Python 3.11"
    return lines[-1] if lines else "it ended without a word"


def _remedy(path: str, stderr: str) -> str:
    if "No module named" in stderr:
        return f"{path} -m pip install holdfast"
    return "choose another Python: --python /path/to/bin/python"
