"""How objects of libraries are written where their own way would copy them, part what was shared, or lie.

A library is recognised by the names of its classes and never imported. What comes back is made in
`rebuilding.py`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from pickle import PickleBuffer
from typing import Any, Final

from holdfast.checkpoint import copyonwrite, rebuilding
from holdfast.checkpoint.reasons import WAS_HELD, Refused, refusal

Reduced = Any
"""What pickle expects of a reducer: a tuple, or NotImplemented for the object's own way."""

SMALL_BASE_BYTES: Final = 1024 * 1024
"""The array behind a view is written, so that views go on sharing it, if it is no larger than this, if the
view is at least half of it, or if a variable is it. Else the view is written alone: ten elements drag no
gigabyte along. What is written on account of one variable is there for all views of it."""


def _behind(value: Any) -> Any:
    """The array behind one that is at least half of it; None if there is none."""
    kind = type(value)
    if (kind.__module__, kind.__qualname__) != ("numpy", "ndarray") or type(value.base) is not kind:
        return None
    return value.base if value.base.nbytes <= 2 * value.nbytes else None


class Foreign:
    """Chooses a reducer for a class, for the length of one stream."""

    def __init__(self, values: Iterable[object]) -> None:
        self.notes: list[str] = []
        """What the variable that is being written will not be as it was."""
        self._owned = {id(each) for value in values for each in (value, _behind(value))}
        self._streams = {type(getattr(sys, name)): name for name in ("stdin", "stdout", "stderr")}
        self._storages: dict[tuple[int, int], tuple[Any, _Once]] = {}
        self._choices: dict[tuple[str, str], Callable[[Any], Reduced]] = {
            ("_thread", "lock"): self._lock,
            ("_thread", "RLock"): self._reentrant_lock,
            ("threading", "Condition"): self._condition,
            ("functools", "_lru_cache_wrapper"): self._cached_function,
            ("builtins", "memoryview"): self._memory,
            ("numpy", "ndarray"): self._array,
            ("numpy", "memmap"): self._memory_map,
            ("polars.dataframe.frame", "DataFrame"): self._by_state,
            ("polars.series.series", "Series"): self._by_state,
            ("torch.storage", "TypedStorage"): self._typed_storage,
            ("torch.storage", "UntypedStorage"): self._storage,
        }

    def reducer(self, kind: type) -> Callable[[Any], Reduced] | None:
        """For objects of exactly this class; None leaves them their own way."""
        if kind in self._streams:
            return self._stream
        if chosen := self._choices.get((kind.__module__, kind.__qualname__)):
            return chosen
        if chosen := copyonwrite.reducer(kind):
            return chosen
        if words := refusal(kind):
            return lambda value: _refuse(words(value))
        return None

    def _stream(self, value: Any) -> Reduced:
        for name in ("stdin", "stdout", "stderr"):
            if value is getattr(sys, name):
                return getattr, (sys, name)
        words = refusal(type(value))
        return _refuse(words(value)) if words else NotImplemented

    def _lock(self, value: Any) -> Reduced:
        self._note_held(value)
        return rebuilding.lock, ()

    def _reentrant_lock(self, value: Any) -> Reduced:
        self._note_held(value)
        return rebuilding.reentrant_lock, ()

    def _note_held(self, value: Any) -> None:
        # Its owner was a thread, which is gone, or a cell, which has ended: nobody could free it.
        if repr(value).startswith("<locked"):
            self.notes.append(WAS_HELD)

    def _condition(self, value: Any) -> Reduced:
        return threading.Condition, (value._lock,)

    def _cached_function(self, value: Any) -> Reduced:
        if value.__module__ != "__main__":
            return NotImplemented  # from where it is imported; a cell's would be looked for there too
        if value.cache_info().currsize:
            self.notes.append("what it has cached is gone")
        parameters = value.cache_parameters()
        return rebuilding.cached_function, (value.__wrapped__, parameters["maxsize"], parameters["typed"])

    def _memory(self, value: memoryview) -> Reduced:
        # cloudpickle would make bytes of it, which are nobody else's and can't be changed.
        whole: Any = value.obj
        if type(whole) not in (bytes, bytearray) or value.nbytes != len(whole) or value.format != "B":
            return _refuse("a view of a part of memory")
        return memoryview, (whole,)

    def _array(self, value: Any) -> Reduced:
        base = value.base
        below = base.obj if type(base) is memoryview else base
        if type(below).__name__ in ("mmap", "memmap"):
            self.notes.append("it is a copy of what was shared with others")
        if type(base) is not type(value) or base.dtype.hasobject or value.dtype.hasobject:
            return NotImplemented
        if not (base.flags.c_contiguous or base.flags.f_contiguous):
            return NotImplemented
        if not (base.nbytes <= max(SMALL_BASE_BYTES, 2 * value.nbytes) or id(base) in self._owned):
            return NotImplemented
        offset = _address(value) - _address(base)
        state = (value.dtype, value.shape, value.strides, offset, value.flags.writeable)
        return rebuilding.array_view, (base, *state)

    def _memory_map(self, value: Any) -> Reduced:
        if getattr(value, "filename", None) is None or type(value.base).__name__ != "mmap":
            return _refuse("a part of a memory-mapped file")
        if value.mode == "c":
            return _refuse("a private copy of a memory-mapped file")
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        mode = "r" if value.mode == "r" else "r+"  # never w+, which would empty the file
        self.notes.append(f"it is on the file {value.filename}, as that is now")
        where = (os.fspath(value.filename), value.dtype, mode, value.offset, value.shape, order)
        return rebuilding.memory_map, where

    def _by_state(self, value: Any) -> Reduced:
        return rebuilding.from_state, (type(value), PickleBuffer(value.__getstate__()))

    def _typed_storage(self, value: Any) -> Reduced:
        storage = value._untyped_storage
        return rebuilding.torch_typed_storage, (self._shared(storage), value.dtype)

    def _storage(self, value: Any) -> Reduced:
        return rebuilding.same, (self._shared(value),)

    def _shared(self, storage: Any) -> _Once:
        """One object for all wrappers of the same memory: so the pickle memo sees that it is the same."""
        if storage.device.type != "cpu":
            _refuse(f"a tensor on {storage.device}")
        key = (storage.data_ptr(), storage.nbytes())
        if key not in self._storages:
            self._storages[key] = (storage, _Once(_buffer_of(storage)))  # held: its address stays its own
        return self._storages[key][1]


def common() -> list[object]:
    """Objects that many others refer to, of libraries that are loaded: dtypes."""
    numpy = sys.modules.get("numpy")
    return [numpy.dtype(code) for code in numpy.typecodes["All"]] if numpy else []


class _Once:
    """Stands for a storage in the stream; what is made again is the storage."""

    def __init__(self, buffer: Any) -> None:
        self._buffer = buffer

    def __reduce__(self) -> tuple[Any, ...]:
        if self._buffer is None:
            return rebuilding.torch_empty_storage, ()
        return rebuilding.torch_storage, (PickleBuffer(self._buffer),)


def _buffer_of(storage: Any) -> Any:
    if not storage.nbytes():
        return None
    torch = sys.modules["torch"]
    return torch.empty(0, dtype=torch.uint8).set_(storage).numpy()


def _refuse(what: str) -> Any:
    raise Refused(what)


def _address(array: Any) -> int:
    address: int = array.__array_interface__["data"][0]
    return address
