"""A namespace back from disk: what is damaged costs what needs it, and is named. Never a wrong value.

All frames share one memo, in which objects are numbered. So when a frame can't be loaded, its numbers are
filled all the same, for those of later frames to stay right: with the names in it (`symbols.py`), else with
nothing; and a later frame that asks for what is missing is lost too.
"""

from __future__ import annotations

import contextlib
import gc
import io
import pickle
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from holdfast.checkpoint import rebuilding
from holdfast.checkpoint.blobs import Reader
from holdfast.checkpoint.manifest import Frame, Manifest, Verdict
from holdfast.checkpoint.pickling import MAKES_A_FUNCTION
from holdfast.checkpoint.reasons import why_not_loaded
from holdfast.checkpoint.symbols import Symbol, references, symbols
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
    on_made: Callable[[str, object], None] = lambda _name, _value: None,
) -> Loaded:
    """Make the variables of a checkpoint again. RefusedPath if the folder is not the user's alone.

    Functions get `home` as their globals; the caller puts the variables into it, in `on_made`: what makes the
    next one may be a function that needs them. Before each one `on_variable` is called: making it may hang or
    crash, and can be left out the next time (`skip`).
    """
    stream = _Stream(Reader(folder, manifest.pack), home, manifest.python)
    values: dict[str, object] = {}
    lost: dict[str, str] = {}
    collecting = gc.isenabled()
    gc.disable()  # nothing of this is garbage yet, and there is much of it
    try:
        for frame in manifest.frames:
            if frame.name in skip:
                stream.leave_out(frame)
                lost[frame.name] = LEFT_OUT
                continue
            if frame.name:
                on_variable(frame.name)
            try:
                values[frame.name] = stream.load(frame)
                on_made(frame.name, values[frame.name])
            except _Lost as error:
                stream.leave_out(frame)
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


class _Stream:
    """The frames of one checkpoint, in their order."""

    def __init__(self, blobs: Reader, home: dict[str, object], python: tuple[int, int]) -> None:
        self._blobs = blobs
        self._home = home
        self._python = python
        self._tape = _Tape()
        self._unpickler = _Unpickler(self._tape, home, python)
        self._spoilt = False
        self._missing: dict[int, str] = {}  # why, by number

    def load(self, frame: Frame) -> object:
        """The variable of a frame. _Lost; then `leave_out` must follow."""
        try:
            data = self._blobs.get(frame.stream)
            buffers = [self._blobs.get(piece) for piece in frame.buffers]
        except CheckpointError as error:
            raise _Lost(str(error)) from error
        if self._missing:  # reading it for what it asks for takes longer than loading it
            for number in references(data.tobytes()):
                if number in self._missing:
                    raise _Lost(self._missing[number])
        self._tape.play(data, buffers)
        try:
            made = self._unpickler.load()
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:  # whatever its code raises, SystemExit too
            self._spoilt = True
            raise _Lost(_why(error)) from error
        value, *ends = made
        if len(ends) != 2 or any(end is not made for end in ends):
            raise CheckpointDamaged("objects of the checkpoint are numbered wrongly")
        made.clear()  # it holds itself
        return value

    def leave_out(self, frame: Frame) -> None:
        """Fill the numbers of a frame that is not loaded."""
        made = self._unpickler.memo.copy()
        if self._spoilt:
            # It has numbered some of its objects, nobody knows how many: begin anew after the one before.
            self._unpickler = _Unpickler(self._tape, self._home, self._python)
            self._fill(made[number] for number in range(frame.first))
            self._spoilt = False
        found = symbols(self._readable(frame), frame.first, made.get)
        self._fill(
            [self._named(number, found.get(number), frame) for number in range(frame.first, frame.end)]
        )

    def _readable(self, frame: Frame) -> bytes:
        for piece in (frame.stream, frame.head):
            if piece is not None:
                with contextlib.suppress(CheckpointDamaged):
                    return self._blobs.get(piece).tobytes()
        return b""

    def _named(self, number: int, symbol: Symbol | None, frame: Frame) -> object:
        """What a symbol stands for; None, and it is missing, if it is none or can't be had."""
        if isinstance(symbol, str):
            return symbol
        try:
            if symbol is not None:
                return self._unpickler.find_class(symbol.module, symbol.name)
            self._missing[number] = f"it shares data with {frame.name}, which is lost"
        except Exception as error:  # noqa: BLE001 - importing runs foreign code
            self._missing[number] = _why(error)
        return None

    def _fill(self, objects: Iterable[object]) -> None:
        """Put objects into the memo, as the next ones, by a stream of their own."""
        given = list(objects)
        self._unpickler.given = iter(given)
        self._tape.play(memoryview(_PROTOCOL + _TAKE_ONE * len(given) + _NOTHING), [])
        self._unpickler.load()


def _why(error: BaseException) -> str:
    return str(error) if isinstance(error, _Lost) else why_not_loaded(error)


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
