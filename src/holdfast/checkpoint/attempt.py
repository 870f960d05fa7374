"""One try to write all variables, in a child: what it meets goes out as messages, so nothing of it is lost.

A variable that raises spoils the memo, so the stream begins anew without it; before that the others are
tried, so that one more round is enough.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from pathlib import Path
from pickle import PickleBuffer
from typing import Any, Final

import msgspec

from holdfast import sizes
from holdfast.checkpoint.blobs import OWN_FILE_BYTES, Writer
from holdfast.checkpoint.children import Say
from holdfast.checkpoint.foreign import common
from holdfast.checkpoint.manifest import Frame, How
from holdfast.checkpoint.pickling import NamespacePickler, first_of, how_kept
from holdfast.checkpoint.reasons import NO_TIME, TooLarge, why_not_written

HEAD_BYTES: Final = 16 * 1024
"""Of a large frame, once more in the pack: most names stand where the first of many alike objects is."""


class At(msgspec.Struct, frozen=True, tag=True):
    """A variable's turn has come."""

    name: str


class Storing(msgspec.Struct, frozen=True, tag=True):
    """The disk is at work; no variable's code runs."""


class Spoilt(msgspec.Struct, frozen=True, tag=True):
    """A variable can't be written."""

    name: str
    why: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """All is on disk but the manifest."""

    frames: list[Frame]
    pack: str
    kinds: dict[str, How]
    notes: dict[str, str]
    bytes_written: int


class NotDone(msgspec.Struct, frozen=True, tag=True):
    """The disk does not take it."""

    errno: int
    why: str


Message = At | Storing | Spoilt | Done | NotDone


class Task(msgspec.Struct, frozen=True):
    """What is to be written, and within which bounds."""

    folder: Path
    durable: bool
    home: Mapping[str, Any]
    until: float
    """On the monotonic clock: when to give up what is not known to be fine."""
    variable_bytes: int


class Attempt:
    """Writes `variables`, those from `tried_from` on (in their order) tried first if it is given."""

    def __init__(
        self, task: Task, variables: Mapping[str, object], proven: set[str], tried_from: str | None
    ) -> None:
        self._task = task
        self._left = dict(variables)
        self._proven = proven
        self._tried_from = tried_from
        self._say: Say = lambda _: None

    def run(self, say: Say) -> None:
        """Do it, saying each Message."""
        self._say = say
        if self._tried_from is not None:
            names = list(self._left)
            self._try(names[names.index(self._tried_from) :])
        writer = Writer(self._task.folder, self._task.durable, lambda: self._tell(Storing()))
        try:
            while (done := self._write(writer)) is None:
                pass
        except OSError as error:
            writer.undo()
            self._tell(NotDone(error.errno or 0, error.strerror or str(error)))
        except Exception as error:  # noqa: BLE001 - ours: it should be told, and nobody else is there to do it
            writer.undo()
            self._tell(NotDone(0, f"{type(error).__name__}: {error}"))
        else:
            self._tell(done)

    def _write(self, writer: Writer) -> Done | None:
        """One stream of all that is left; None if one more variable had to go. OSError is the disk's."""
        stream = _Stream(self._task, self._left)
        frames: list[Frame] = []
        before, most = 0, 0
        notes: dict[str, str] = {}
        names = list(self._left)
        for index, name in enumerate(["", *names]):
            if not name:
                stream.dump(common())  # else the first one that has them would take all others along
            elif not self._dump(stream, name):
                self._try(names[index:])
                return None
            self._tell(Storing())
            first, most = first_of(stream.frame, before, most), len(stream.frame)
            frames[-1:] = [each._replace(end=first) for each in frames[-1:]]
            before = first
            frames.append(_stored(writer, name, stream, first))
            if stream.notes:
                notes[name] = "; ".join(dict.fromkeys(stream.notes))
        # One more frame, not kept, says how many objects the last one has added.
        stream.dump(None)
        end = first_of(stream.frame, before, most)
        frames[-1:] = [each._replace(end=end) for each in frames[-1:]]
        kinds = {name: how_kept(value) for name, value in self._left.items()}
        return Done(frames, writer.finish(), kinds, notes, writer.bytes_written)

    def _try(self, names: list[str]) -> None:
        """Find those that can't be written; nothing is."""
        stream = _Stream(self._task, self._left)
        for name in names:
            if not self._dump(stream, name):
                stream = _Stream(self._task, self._left)

    def _dump(self, stream: _Stream, name: str) -> bool:
        """Make a variable's frame; if that fails, the variable goes."""
        value = self._left[name]
        if name not in self._proven and time.monotonic() > self._task.until:
            return self._spoil(name, NO_TIME)
        self._tell(At(name))
        try:
            stream.dump(value)
        except BaseException as error:  # noqa: BLE001 - whatever its code raises, SystemExit too
            return self._spoil(name, why_not_written(value, error))
        self._proven.add(name)
        return True

    def _spoil(self, name: str, why: str) -> bool:
        del self._left[name]
        self._tell(Spoilt(name, why))
        return False

    def _tell(self, message: Message) -> None:
        self._say(msgspec.msgpack.encode(message))


def _stored(writer: Writer, name: str, stream: _Stream, first: int) -> Frame:
    """What the last `dump` has made, put where it belongs; its end is not known yet."""
    buffers = []
    for buffer in stream.buffers:
        buffers.append(writer.put(buffer.raw()))
        buffer.release()  # the pickler holds it to the end: it may be a copy, made for it alone
    frame = stream.frame
    if len(frame) < OWN_FILE_BYTES:
        return Frame(name, writer.put(bytes(frame)), None, first, first, buffers)
    # As it is: a copy of gigabytes of text may be more than there is memory.
    piece, head = writer.put(frame), writer.put(bytes(frame[:HEAD_BYTES]))
    return Frame(name, piece, head, first, first, buffers)


class _Stream:
    """The pickle stream: a frame at a time."""

    def __init__(self, task: Task, variables: Mapping[str, object]) -> None:
        self._bytes = io.BytesIO()
        self._most = task.variable_bytes
        self._size = 0
        self._pickler = NamespacePickler(self._bytes, variables, task.home, self._buffer)
        self.buffers: list[PickleBuffer] = []

    @property
    def frame(self) -> memoryview:
        """What the last `dump` has made; to be let go of before the next."""
        return self._bytes.getbuffer()

    @property
    def notes(self) -> list[str]:
        """What of the last variable will not be as it was."""
        return self._pickler.foreign.notes

    def dump(self, value: object) -> None:
        """Make a frame, and `buffers`. Raises whatever the value's code does."""
        self.buffers = []
        self.notes.clear()
        self._size = 0
        self._bytes.seek(0)
        self._bytes.truncate()
        self._pickler.dump_variable(value)
        self._count(self._bytes.tell())

    def _buffer(self, buffer: PickleBuffer) -> bool:
        """Whether it goes into the frame: as pickle wants it, the other way round."""
        size = buffer.raw().nbytes
        if size < OWN_FILE_BYTES:
            return True
        self._count(size)
        self.buffers.append(buffer)
        return False

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._most:
            raise TooLarge(f"it takes more than {sizes.short(self._most)}")
