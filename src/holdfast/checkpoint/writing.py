"""A namespace onto disk: one bad variable never costs another, and nobody waits for ever.

Runs in a process with one thread whose variables hold still: a disposable copy of the user's.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import msgspec

from holdfast.checkpoint.attempt import At, Attempt, Done, Message, NotDone, Spoilt, Storing, Task
from holdfast.checkpoint.children import Child, ended
from holdfast.checkpoint.manifest import FORMAT, Frame, Manifest, Verdict, blobs_folder, keep
from holdfast.checkpoint.reasons import NO_NAME, NO_TIME
from holdfast.checkpoint.reprs import last_reprs
from holdfast.errors import CheckpointNotWritten
from holdfast.settings import Checkpoint


def write(
    folder: Path,
    namespace: Mapping[str, object],
    *,
    home: Mapping[str, object] | None = None,
    facts: Mapping[str, Any],
    limits: Checkpoint,
    durable: bool,
) -> Manifest:
    """Write the variables of `namespace` to `folder`. CheckpointNotWritten, RefusedPath.

    `home` is the dict in which they live (functions' `__globals__`), if `namespace` is only a part of it.
    `facts` (JSON) come back with the manifest. Without `durable` nothing is synced: for what is read at once.
    """
    blobs_folder(folder)
    home = namespace if home is None else home
    strange = [name for name in namespace if not _can_be_named(name)]
    namespace = {_plain(name): value for name, value in namespace.items() if name not in strange}
    task = Task(folder, durable, home, time.monotonic() + limits.total_seconds, limits.variable_bytes)
    effort = _Effort(task, namespace, limits.variable_seconds)
    done = effort.run()
    reprs = last_reprs({name: namespace[name] for name in effort.lost})
    manifest = _manifest(namespace, done, effort.lost, reprs, dict(facts))
    manifest.variables.extend(Verdict(_in_words(name), "lost", NO_NAME) for name in strange)
    try:
        keep(folder, manifest, durable)
    except OSError as error:
        raise _not_written(folder, error.strerror or str(error)) from error
    return manifest


def _can_be_named(name: object) -> bool:
    """Whether it is text; code can set any key of globals()."""
    try:
        return isinstance(name, str) and bool(_plain(name).encode())
    except UnicodeEncodeError:
        return False


def _plain(name: str) -> str:
    """The same text, also of what only derives from str (`globals()[column] = ...`, with one of numpy's)."""
    return str.__str__(name)


def _in_words(name: object) -> str:
    return ascii(_plain(name)) if isinstance(name, str) else f"a key of type {type(name).__name__}"


class _Effort:
    """Attempts, until one comes to its end."""

    def __init__(self, task: Task, namespace: Mapping[str, object], patience: float) -> None:
        self._task = task
        self._variables = {name: namespace[name] for name in _in_order(namespace)}
        self._patience = patience
        self._proven: set[str] = set()
        self._at: str | None = None
        self._done: Done | NotDone | None = None
        self.lost: dict[str, str] = {}

    def run(self) -> Done:
        """What the last attempt says. CheckpointNotWritten."""
        tried_from = None
        while True:
            left = {name: value for name, value in self._variables.items() if name not in self.lost}
            ended = self._attempt(Attempt(self._task, left, self._proven, tried_from))
            if isinstance(self._done, Done):
                return self._done
            if isinstance(self._done, NotDone):
                raise _not_written(self._task.folder, self._done.why)
            tried_from = self._after_accident(list(left), f"writing {ended}")

    def _attempt(self, attempt: Attempt) -> str:
        """How it ended, in words."""
        self._at = None
        try:
            return Child(attempt.run, self._patience).listen(self._hear) or ended(os.EX_OK)
        except OSError as error:
            raise _not_written(self._task.folder, f"no process for it: {error.strerror}") from error

    def _after_accident(self, names: list[str], how: str) -> str | None:
        """The variable whose turn it was is lost. From where on the next attempt should try the others."""
        if self._at is None or self._at in self.lost:  # it was no variable's code
            raise _not_written(self._task.folder, how)
        self.lost[self._at] = how
        self._proven.discard(self._at)
        later = [name for name in names[names.index(self._at) + 1 :] if name not in self.lost]
        if time.monotonic() <= self._task.until:
            return next((name for name in later if name not in self._proven), None)
        self.lost |= {name: NO_TIME for name in names if name not in self._proven and name not in self.lost}
        return None

    def _hear(self, message: bytes) -> None:
        match msgspec.msgpack.decode(message, type=Message):
            case At(name):
                self._prove()
                self._at = name
            case Storing():
                self._prove()
                self._at = None
            case Spoilt(name, why):
                self.lost[name] = why
                self._proven.discard(name)
            case Done() | NotDone() as done:
                self._done = done

    def _prove(self) -> None:
        """The variable whose turn it was has been pickled."""
        if self._at is not None and self._at not in self.lost:
            self._proven.add(self._at)


def _manifest(
    namespace: Mapping[str, object],
    done: Done,
    lost: Mapping[str, str],
    reprs: Mapping[str, str],
    facts: dict[str, Any],
) -> Manifest:
    frames = {frame.name: frame for frame in done.frames}
    verdicts = [
        Verdict(name, "lost", lost[name], reprs.get(name, ""))
        if name in lost
        else Verdict(name, done.kinds[name], done.notes.get(name, ""), bytes=_size(frames[name]))
        for name in namespace
    ]
    now = time.time_ns()
    return Manifest(
        id=f"{now:016x}",
        format=FORMAT,
        created=now / 1e9,
        python=sys.version_info[:2],
        facts=facts,
        variables=verdicts,
        frames=done.frames,
        pack=done.pack,
        bytes_total=sum(each.bytes for each in verdicts),
        bytes_written=done.bytes_written,
    )


def _size(frame: Frame) -> int:
    return frame.stream.size + sum(piece.size for piece in frame.buffers)


def _not_written(folder: Path, why: str) -> CheckpointNotWritten:
    return CheckpointNotWritten(
        f"can't write a checkpoint to {folder}: {why}", f"check the disk: df -h {folder}"
    )


_DATA = {"numpy", "pandas", "polars", "pyarrow", "scipy", "torch"}
"""Packages whose objects are mostly buffers."""


def _in_order(namespace: Mapping[str, object]) -> Iterable[str]:
    """As the stream has them.

    What is shared belongs to the frame that comes first, and if that is damaged, it takes the others along:
    so containers come after the arrays that they may hold, views after all.
    """
    return sorted(namespace, key=lambda name: _rank(namespace[name]))


def _rank(value: object) -> int:
    kind = type(value)  # not isinstance, and nothing of the object's own: it is not in a child here
    if issubclass(kind, type | FunctionType | ModuleType):
        return 0
    package = str(kind.__module__).partition(".")[0]
    if package not in _DATA:
        return 2
    is_view = kind.__qualname__ == "ndarray" and type(getattr(value, "base", None)) is kind
    return 3 if is_view else 1
