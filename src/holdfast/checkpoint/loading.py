"""A namespace back from disk: what is damaged costs what needs it, and is named. Never a wrong value.

All frames share one memo, in which objects are numbered. So when a frame can't be loaded, its numbers are
filled with nothing, for those of later frames to stay right; and a later frame that asks for one of them is
lost too.
"""

from __future__ import annotations

import gc
import io
import pickle
import pickletools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from holdfast.checkpoint import rebuilding
from holdfast.checkpoint.blobs import Reader
from holdfast.checkpoint.manifest import Frame, Manifest, Verdict
from holdfast.checkpoint.pickling import MAKES_A_FUNCTION
from holdfast.checkpoint.reasons import why_not_loaded
from holdfast.errors import CheckpointDamaged, CheckpointError

LEFT_OUT: Final = "it was left out"


class Loaded(NamedTuple):
    """What came back."""

    values: dict[str, object]
    """In the order of the namespace that was written."""
    lost: list[Verdict]
    """What the manifest says is there, and is not."""


def load(
    folder: Path,
    manifest: Manifest,
    home: dict[str, object],
    *,
    skip: frozenset[str] = frozenset(),
    on_variable: Callable[[str], None] = lambda _: None,
) -> Loaded:
    """Make the variables of a checkpoint again. RefusedPath if the folder is not the user's alone.

    Functions get `home` as their globals; the variables are put into it by the caller, not here. Before each
    one `on_variable` is called: making it may hang or crash, and can be left out the next time (`skip`).
    """
    stream = _Stream(Reader(folder, manifest.pack), home, manifest.python)
    ends = [frame.first for frame in manifest.frames[1:]] + [manifest.memo]
    values: dict[str, object] = {}
    lost: dict[str, str] = {}
    collecting = gc.isenabled()
    gc.disable()  # nothing of this is garbage yet, and there is much of it
    try:
        for frame, end in zip(manifest.frames, ends, strict=True):
            if frame.name in skip:
                stream.leave_out(frame, end)
                lost[frame.name] = LEFT_OUT
                continue
            on_variable(frame.name)
            try:
                values[frame.name] = stream.load(frame)
            except _Lost as error:
                stream.leave_out(frame, end)
                lost[frame.name] = str(error)
    finally:
        if collecting:
            gc.enable()
    names = [each.name for each in manifest.variables]
    return Loaded(
        {name: values[name] for name in names if name in values},
        [Verdict(name, "lost", lost[name]) for name in names if name in lost],
    )


class _Lost(Exception):
    """A frame can't be loaded, for the reason that this says."""


class _Missing(NamedTuple):
    """Numbers in the memo that a lost variable would have filled."""

    name: str
    numbers: range


class _Stream:
    """The frames of one checkpoint, in their order."""

    def __init__(self, blobs: Reader, home: dict[str, object], python: tuple[int, int]) -> None:
        self._blobs = blobs
        self._home = home
        self._python = python
        self._tape = _Tape()
        self._unpickler = _Unpickler(self._tape, home, python)
        self._spoilt = False
        self._missing: list[_Missing] = []

    def load(self, frame: Frame) -> object:
        """The variable of a frame. _Lost; then `leave_out` must follow."""
        try:
            data = self._blobs.get(frame.stream)
            buffers = [self._blobs.get(piece) for piece in frame.buffers]
        except CheckpointError as error:
            raise _Lost(str(error)) from error
        if self._missing and (name := self._needs(data)):
            raise _Lost(f"it shares data with {name}, which is lost")
        self._tape.play(data, buffers)
        try:
            made = self._unpickler.load()
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # whatever its code raises, SystemExit too
            self._spoilt = True
            raise _Lost(str(error) if isinstance(error, _Lost) else why_not_loaded(error)) from error
        value, *ends = made
        if len(ends) != 2 or any(end is not made for end in ends):
            raise CheckpointDamaged("objects of the checkpoint are numbered wrongly")
        made.clear()  # it holds itself
        return value

    def leave_out(self, frame: Frame, end: int) -> None:
        """Fill the numbers of a frame that is not loaded."""
        if self._spoilt:
            # It has numbered some of its objects, nobody knows how many: begin anew after the one before.
            made = self._unpickler.memo.copy()
            self._unpickler = _Unpickler(self._tape, self._home, self._python)
            self._fill(made[number] for number in range(frame.first))
            self._spoilt = False
        self._missing.append(_Missing(frame.name, range(frame.first, end)))
        self._fill(None for _ in self._missing[-1].numbers)

    def _fill(self, objects: Iterator[object]) -> None:
        """Put objects into the memo, as the next ones, by a stream of their own."""
        given = list(objects)
        self._unpickler.given = iter(given)
        self._tape.play(memoryview(_PROTOCOL + _TAKE_ONE * len(given) + _NOTHING), [])
        self._unpickler.load()

    def _needs(self, data: memoryview) -> str | None:
        """The lost variable that a frame refers to, if there is one. Slow, hence only if one is lost."""
        for opcode, number, _ in pickletools.genops(data.tobytes()):
            if opcode.name in _GETS:
                for missing in self._missing:
                    if number in missing.numbers:
                        return missing.name
        return None


_GETS = {"GET", "BINGET", "LONG_BINGET"}
_PROTOCOL = pickle.PROTO + b"\x05"
_TAKE_ONE = pickle.NONE + pickle.BINPERSID + pickle.MEMOIZE + pickle.POP
"""`persistent_load(None)` into the memo, and off the stack."""
_NOTHING = pickle.NONE + pickle.STOP


class _Unpickler(pickle.Unpickler):
    """Knows the user's namespace, and which functions can't be made."""

    def __init__(self, tape: _Tape, home: dict[str, object], python: tuple[int, int]) -> None:
        super().__init__(tape, buffers=tape)
        self._home = home
        self._python = python
        self.given: Iterator[object] = iter(())

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == _HOME:
            return self._namespace
        if (module, name) == MAKES_A_FUNCTION and self._python != sys.version_info[:2]:
            theirs, ours = (".".join(map(str, each[:2])) for each in (self._python, sys.version_info))
            raise _Lost(f"its code is of Python {theirs}, and this is {ours}")
        return super().find_class(module, name)

    def persistent_load(self, _: object) -> object:
        return next(self.given)

    def _namespace(self) -> dict[str, object]:
        return self._home


_HOME = (rebuilding.namespace.__module__, rebuilding.namespace.__name__)


class _Tape:
    """What an unpickler reads: one frame, and then the next, with the buffers of each."""

    def __init__(self) -> None:
        self.play(memoryview(b""), [])

    def play(self, data: memoryview, buffers: list[memoryview]) -> None:
        """Go on with these."""
        self._data = io.BytesIO(data)
        self._buffers = iter(buffers)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)

    def readline(self) -> bytes:
        return self._data.readline()

    def readinto(self, target: bytearray) -> int:
        return self._data.readinto(target)

    def __iter__(self) -> _Tape:
        return self

    def __next__(self) -> memoryview:
        return next(self._buffers)
