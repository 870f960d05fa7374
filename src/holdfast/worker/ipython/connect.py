"""Where other clients find this session: the connection file, as the supervisor knows it.

Libraries read a kernel's id out of the file's name, and start clients with it. The names of the functions are
ipykernel's.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from holdfast.errors import HoldfastError

Ask = Callable[..., Any]


class Connection:
    """How clients reach this session. Asked for each time: it is that of the client whose cell runs."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._last: dict[str, Any] = {}

    def __call__(self) -> dict[str, Any]:
        """{"file": path, "info": the connection, "session": id in headers, "name": the session's name}.

        Only the main thread can ask; others hear what it heard last, if it ever asked.
        """
        if threading.current_thread() is threading.main_thread():
            self._last = self._ask("connection") or self._last
        return self._last


_connection: Connection | None = None  # of this process's session


def install(ask: Ask) -> Connection:
    """From now on the functions here answer for the session that `ask` reaches."""
    global _connection
    _connection = Connection(ask)
    return _connection


def get_connection_file(app: object = None) -> str:  # noqa: ARG001 - ipykernel's signature
    """Path of the connection file of the client that runs this cell, or of the session's own."""
    return str(_known()["file"])


def get_connection_info(connection_file: str | None = None, unpack: bool = False) -> str | dict[str, Any]:
    """The content of a connection file (this session's if none is given), as text or unpacked."""
    if connection_file is None:
        info = dict(_known()["info"])
    else:
        info = json.loads(Path(connection_file).read_text())
    if not unpack:
        return json.dumps(info, indent=2)
    info["key"] = info.get("key", "").encode()
    return info


def connect_qtconsole(
    connection_file: str | None = None, argv: Sequence[str] | None = None
) -> subprocess.Popen[bytes]:
    """Open a Qt console on this session; HoldfastError if there is none installed."""
    if importlib.util.find_spec("qtconsole") is None:
        raise HoldfastError(
            "qtconsole is not installed where this session runs",
            f"{sys.executable} -m pip install qtconsole, with one of PyQt6 or PySide6",
        )
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "qtconsole",
            "--existing",
            connection_file or get_connection_file(),
            *(argv or ()),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # an interrupt of a cell is not for it
    )


def _known() -> dict[str, Any]:
    known = _connection() if _connection is not None else {}
    if not known:
        raise RuntimeError("the connection file is known in the main thread of a running session")
    return known
