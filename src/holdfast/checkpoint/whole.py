"""Files that appear under their names when they are whole, and on disk if that was asked for (rename(2))."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from holdfast.files import open_private

Data = bytes | bytearray | memoryview
"""Bytes in memory."""

_ON_DISK = 0o400
"""Mode of a file that is known to be on disk: what may be written to never is. Asking the system to have it
there once more costs a millisecond, for each of a thousand arrays."""

_STEP_BYTES = 64 * 1024 * 1024
"""Written, and synced, at once: a second of a slow disk's time, in which nobody hears that it goes on."""

_DRAFT = re.compile(r"\..+\.(\d+)\.new")


def write_whole(
    path: Path, parts: Iterable[Data], durable: bool, on_step: Callable[[], object] = lambda: None
) -> None:
    """Write `parts` as the file `path`, replacing what was there. OSError; nothing is left behind then.

    The name itself is on disk after `sync_folder`. `on_step` is called whenever some more is written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    descriptor = open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            for part in parts:
                for step in _steps(memoryview(part).cast("B")):
                    _write_all(file.fileno(), step)
                    if durable:
                        os.fdatasync(file.fileno())
                    on_step()
            if durable:
                os.fchmod(file.fileno(), _ON_DISK)
        os.rename(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def sync_file(path: Path) -> None:
    """Have the content of a whole file on disk, whoever wrote it. OSError."""
    if stat.S_IMODE(path.lstat().st_mode) == _ON_DISK:
        return
    descriptor = open_private(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.fchmod(descriptor, _ON_DISK)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Have the names in a folder on disk. OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def drafts(folder: Path) -> list[Path]:
    """What processes that have ended left unfinished in a folder."""
    found = [(path, _DRAFT.fullmatch(path.name)) for path in folder.iterdir()]
    return [path for path, draft in found if draft and not _is_at_work(int(draft[1]))]


def _is_at_work(pid: int) -> bool:
    return pid != os.getpid() and os.path.exists(f"/proc/{pid}")


def _steps(data: memoryview) -> Iterator[memoryview]:
    return (data[start : start + _STEP_BYTES] for start in range(0, len(data), _STEP_BYTES))


def _write_all(descriptor: int, data: memoryview) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
