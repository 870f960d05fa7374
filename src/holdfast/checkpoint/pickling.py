"""The pickler of a whole namespace: cloudpickle's, but functions come back into the namespace they are of.

What it takes from cloudpickle's inside is in this file alone.
"""

from __future__ import annotations

import io
import types
from collections.abc import Callable, Mapping
from pickle import PickleBuffer
from typing import Any, Final

import cloudpickle
from cloudpickle import cloudpickle as inside

from holdfast.checkpoint import rebuilding
from holdfast.checkpoint.foreign import Foreign, Reduced
from holdfast.checkpoint.manifest import How

PROTOCOL: Final = 5
"""The first with buffers outside of the stream."""

MAKES_A_FUNCTION: Final = (inside._make_function.__module__, inside._make_function.__name__)
"""What the stream calls to make a function from its code."""

_NO_FILE: Final = "<dynamic-code>"
"""What cloudpickle writes for the file of code; we keep it, for tracebacks and debuggers."""


class _Home:
    """Stands in the stream for the user's namespace."""

    def __reduce__(self) -> tuple[Any, ...]:
        return rebuilding.namespace, ()


class _Cell:
    """Stands in the stream for a closure's variable; its value follows with the functions' states."""

    def __reduce__(self) -> tuple[Any, ...]:
        return inside._make_empty_cell, ()


class NamespacePickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Writes values one after the other; what they share is written once."""

    def __init__(
        self,
        stream: io.BytesIO,
        variables: Mapping[str, object],
        home: Mapping[str, object],
        buffer: Callable[[PickleBuffer], bool],
    ) -> None:
        super().__init__(stream, protocol=PROTOCOL, buffer_callback=buffer)
        self.foreign = Foreign(variables.values())
        self._home = home
        self._stand_in = _Home()
        self._cells: dict[int, tuple[types.CellType, _Cell]] = {}
        # Functions of one namespace share what stands here for it.
        self.globals_ref[id(home)] = self._stand_in
        self._reducers: dict[type, Callable[[Any], Reduced] | None] = {
            type: self._reduce_class,
            types.FunctionType: self._reduce_function,
            types.CodeType: _reduce_code,
        }

    def dump_variable(self, value: object) -> None:
        """Write one frame; it ends with references to its own beginning, which `first_of` reads."""
        frame: list[object] = [self._stand_in if value is self._home else value]
        frame += [frame, frame]
        self.dump(frame)

    def reducer_override(self, obj: Any) -> Reduced:
        """How `obj` is written. Called for all but the simplest objects, hence as short as can be."""
        kind = type(obj)
        try:
            reduce = self._reducers[kind]
        except KeyError:
            is_class = issubclass(kind, type)
            reduce = self._reduce_class if is_class else self.foreign.reducer(kind)
            self._reducers[kind] = reduce
        return NotImplemented if reduce is None else reduce(obj)

    def _reduce_class(self, value: Any) -> Reduced:
        reduced = inside._class_reduce(value)
        if reduced is NotImplemented or reduced[0] not in _MAKES_A_CLASS:
            return reduced
        make, arguments, *rest = reduced
        # Without the random name by which cloudpickle finds a class again in the same process: no other
        # stream refers to this one, and equal classes shall be equal bytes.
        return make, (*arguments[:-2], None, arguments[-1]), *rest

    def _reduce_function(self, value: Any) -> Reduced:
        reduced = self._function_reduce(value)
        if reduced is NotImplemented:
            return reduced
        make, arguments, state, *rest = reduced
        if value.__globals__ is self._home:
            state[1]["__globals__"] = {}  # they are in the namespace, once
        cells = None if value.__closure__ is None else tuple(map(self._cell, value.__closure__))
        return make, (*arguments[:-1], cells), state, *rest

    def _cell(self, cell: types.CellType) -> _Cell:
        """One for all functions that share a variable; cloudpickle gives each of them its own copy."""
        if id(cell) not in self._cells:
            self._cells[id(cell)] = (cell, _Cell())  # held: its number stays its own
        return self._cells[id(cell)][1]


_MAKES_A_CLASS = (inside._make_skeleton_class, inside._make_skeleton_enum)


def _reduce_code(code: types.CodeType) -> Reduced:
    make, arguments = inside._code_reduce(code)
    file = "".join(code.co_filename)  # a copy: an interned string would be written in another way
    return make, tuple(file if each == _NO_FILE else each for each in arguments)


def how_kept(value: object) -> How:
    """In which way a variable is written."""
    if issubclass(type(value), type | types.FunctionType | types.ModuleType):
        return "import" if inside._should_pickle_by_reference(value) else "by value"
    return "value"


def first_of(frame: memoryview, before: int, most: int) -> int:
    """Number in the memo of the first object that a frame of `dump_variable` adds.

    The frame before it began at number `before`, and has added at most `most` objects.
    """
    # Twice: get the list from the memo (BINGET or LONG_BINGET, pickletools.py); then append both, stop.
    for opcode, width in ((b"h", 1), (b"j", 4)):
        length = 2 * (1 + width)
        one, other = bytes(frame[-length - 2 :][: 1 + width]), bytes(frame[-length - 2 :][1 + width : length])
        number = int.from_bytes(one[1:], "little")
        if one == other and one[:1] == opcode and before <= number <= before + most:
            return number
    raise AssertionError("a frame does not end as it should")
