"""What cells see in an embedded program: its names where it stopped, with IPython's own before them.

Assigning in a cell changes the program's globals. A function's locals can't be assigned from outside, so
they are copies. What IPython adds (`In`, `Out`, `_`, `exit`, …) is here only: the program never meets it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from IPython.core.interactiveshell import make_main_module_type

_RESULTS = frozenset({"_", "__", "___"})
"""The last results, unless the program has such names: `_` is gettext's in many."""
_IPYTHONS_OWN = _RESULTS | {"_exit_code", "__builtin__", "__builtins__"}
"""Assigned as names of the user's are, but by IPython and by exec()."""
_ABSENT = object()


class Scope(dict[str, Any]):
    """The namespace of cells. In its own storage: copies of locals, and IPython's names.

    The interpreter asks these methods for names at the top level of a cell, and in functions that have a
    scope for their globals, because it is not exactly a dict. Only `global` in such a function writes past
    them: `settle` puts that right.
    """

    def __init__(self, program: dict[str, Any], local: Mapping[str, Any]) -> None:
        super().__init__(local)
        self._program = program  # the globals of the code that is stopped
        self._local = frozenset(local)

    def settle(self, own: Collection[str]) -> None:
        """After a cell: hand the program what was written past us; `own` are IPython's names."""
        for name in _RESULTS & self._program.keys():
            dict.pop(self, name, None)
        for name in [*dict.keys(self)]:
            if name not in own and name not in self._local and name not in _IPYTHONS_OWN:
                self._program[name] = dict.pop(self, name)

    def __missing__(self, name: str) -> Any:
        return self._program[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if dict.__contains__(self, name) or (name in _IPYTHONS_OWN and name not in self._program):
            super().__setitem__(name, value)
        else:
            self._program[name] = value

    def __delitem__(self, name: str) -> None:
        if dict.__contains__(self, name):
            super().__delitem__(name)
        else:
            del self._program[name]

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or name in self._program

    def __iter__(self) -> Iterator[str]:
        return iter({**self._program, **dict(dict.items(self))})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def keys(self) -> Any:
        """All names."""
        return self.copy().keys()

    def values(self) -> Any:
        """All values."""
        return self.copy().values()

    def items(self) -> Any:
        """All names with their values."""
        return self.copy().items()

    def copy(self) -> dict[str, Any]:
        """What is visible now, as a plain dict."""
        return {**self._program, **dict(dict.items(self))}

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a name, or `default`."""
        try:
            return self[name]
        except KeyError:
            return default

    def setdefault(self, name: str, default: Any = None) -> Any:
        """The value of a name, which is assigned first if there is none."""
        if name not in self:
            self[name] = default
        return self[name]

    def pop(self, name: str, default: Any = _ABSENT) -> Any:
        """Delete a name; its value, or `default`."""
        if name not in self:
            if default is _ABSENT:
                raise KeyError(name)
            return default
        value = self[name]
        del self[name]
        return value


def module_of(scope: Scope, program: dict[str, Any], local: Mapping[str, Any]) -> Any:
    """What a cell's functions have for globals, as the module that IPython wants.

    Without locals that are the program's very own. With locals it is the scope: else no function, lambda or
    comprehension of a cell would see them.
    """
    return make_main_module_type(scope if local else program)()
