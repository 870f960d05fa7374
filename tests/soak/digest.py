"""What a namespace holds, a short digest for each name: for the session and the plain interpreter.

It must disturb nothing: no iterator moves, no random generator draws, no pool of threads is asked to work.
Two namespaces have the same digests if their variables have the same types, values, dtypes, bytes and
positions, and if the same variables share mutable objects. What it does not know is an error, never a guess.
It is read with `runpy.run_path`, and imports nothing of ours nor any library.
"""

from __future__ import annotations

import hashlib
import json
import sys
import types
from collections.abc import Callable
from typing import Any

NOT_OURS = frozenset(
    ["In", "Out", "exit", "quit", "get_ipython", "open", "display"]
)  # what IPython puts into a namespace, beside names that begin with _

ALIASES = "(shared)"
"""In place of a name: which variables share what."""

_PLAIN = (int, float, complex, str, bytes, bool, type(None), type(...), range, slice)
_OF_EACH_CLASS = frozenset(
    [
        "__dict__",
        "__weakref__",
        "__module__",
        "__doc__",
        "__firstlineno__",
        "__annotations__",
        "__slotnames__",
    ]
)
_DIGITS = 9
"""Of what a library's threads have added up, in whatever order."""

_SHOWN = 200
"""Characters of a value, for people."""


class Unknown(TypeError):
    """Something that the digest has no rule for."""


def digests(namespace: dict[str, Any]) -> dict[str, str]:
    """By name; and under ALIASES, who shares what with whom."""
    return _digests(namespace)[0]


def groups(namespace: dict[str, Any]) -> str:
    """Which variables share something, for people."""
    return "; ".join(_digests(namespace)[1])


def _digests(namespace: dict[str, Any]) -> tuple[dict[str, str], list[str]]:
    names = sorted(name for name in namespace if not name.startswith("_") and name not in NOT_OURS)
    found: dict[str, str] = {}
    reached: dict[int, list[str]] = {}
    walks = []  # all are kept, with what they have met: no id may be used again
    for name in names:
        walk = _Walk()
        walks.append(walk)
        found[name] = _short(walk.of(namespace[name]))
        for each in walk.seen:
            reached.setdefault(each, []).append(name)
    groups = [*reached.values(), *_same_memory(names, walks)]
    # How many objects they share is not told: of a view, also the array behind it may be one.
    shared = sorted({" ".join(who) for who in groups if len(who) > 1})
    return found | {ALIASES: _short(shared)}, shared


def tell(namespace: dict[str, Any]) -> None:
    """Print them, as one line of JSON."""
    print(json.dumps(digests(namespace)))


def show(namespace: dict[str, Any], name: str) -> str:
    """A variable, for people."""
    if name == ALIASES:
        return groups(namespace)
    return f"{repr(namespace[name])[:_SHOWN]}" if name in namespace else "not there"


def _short(canonical: Any) -> str:
    return hashlib.blake2b(repr(canonical).encode(), digest_size=8).hexdigest()


def _bytes(data: Any) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


class _Walk:
    """Through one variable. What is met again is a number: that of its first meeting."""

    def __init__(self) -> None:
        self.seen: dict[int, int] = {}
        self._kept: list[Any] = []
        self.places: list[tuple[int, int]] = []
        """Of arrays: the first address, and the one after the last."""

    def of(self, value: Any) -> Any:
        """Something whose repr says all of it."""
        kind = type(value)
        if kind in _PLAIN:
            return kind.__name__, value
        if kind is tuple:
            return "tuple", [self.of(each) for each in value]
        if isinstance(value, types.ModuleType):
            return "module", value.__name__
        if isinstance(value, types.BuiltinFunctionType) or (
            isinstance(value, type | types.FunctionType) and value.__module__ != "__main__"
        ):
            return "named", f"{value.__module__}.{value.__qualname__}"
        if id(value) in self.seen:
            return "again", self.seen[id(value)]
        self._note(value)
        return self._mutable(value)

    def _note(self, value: Any) -> None:
        self.seen[id(value)] = len(self.seen)
        self._kept.append(value)

    def _mutable(self, value: Any) -> Any:
        kind = type(value)
        rule = _RULES.get(kind) or _LIBRARIES.get(f"{kind.__module__.partition('.')[0]}.{kind.__name__}")
        if rule is not None:
            return kind.__qualname__, rule(self, value)
        if kind.__module__.startswith(("sklearn.", "lightgbm.", "xgboost.")) and hasattr(value, "get_params"):
            return kind.__qualname__, _model(self, value)
        if kind.__module__ == "__main__":
            return "instance", self.of(kind), self.of(vars(value)), _held(self, value)
        raise Unknown(f"{kind.__module__}.{kind.__qualname__}")

    def array(self, value: Any) -> Any:
        """An array of numpy, and whose memory it looks at."""
        self._kept.append(value)  # no address may be used again
        data = repr(value.tolist()).encode() if value.dtype.hasobject else value.tobytes()
        return value.dtype.str, value.shape, value.flags.writeable, _bytes(data), self._place(value)

    def _place(self, value: Any) -> Any:
        """The first array met whose memory it shares, and how far into it: objects do not matter."""
        first, end = _bounds(value)
        shared = (
            (number, first - other)
            for number, (other, last) in enumerate(self.places)
            if first < last and other < end
        )
        place = next(shared, None)
        self.places.append((first, end))
        return place


def _bounds(value: Any) -> tuple[int, int]:
    """The first address of an array's elements, and the one after the last; both the same if it has none."""
    first, last = value.__array_interface__["data"][0], 0
    end = first
    if value.size:
        for length, stride in zip(value.shape, value.strides, strict=True):
            first += min(0, (length - 1) * stride)
            last += max(0, (length - 1) * stride)
        end += last + value.itemsize
    return first, end


def _same_memory(names: list[str], walks: list[_Walk]) -> list[list[str]]:
    """Names of the variables whose arrays lie in the same memory, together."""
    places = sorted((*place, name) for name, walk in zip(names, walks, strict=True) for place in walk.places)
    groups: list[set[str]] = []
    reach = 0
    for first, end, name in places:
        if first == end:
            continue
        if first >= reach:
            groups.append(set())
        groups[-1].add(name)
        reach = max(reach, end)
    return [[name for name in names if name in group] for group in groups]


def _held(walk: _Walk, value: Any) -> Any:
    """What an instance of a subclass of a builtin holds beside its attributes."""
    if isinstance(value, dict):
        return walk.of(dict(value))
    return [walk.of(each) for each in value] if isinstance(value, list) else None


def _dict(walk: _Walk, value: dict[Any, Any]) -> Any:
    return [(walk.of(key), walk.of(each)) for key, each in value.items()]


def _elements(walk: _Walk, value: Any) -> Any:
    return [walk.of(each) for each in value]


def _set(walk: _Walk, value: Any) -> Any:
    return sorted(repr(walk.of(each)) for each in value)


def _code(code: types.CodeType) -> Any:
    constants = [_code(each) if isinstance(each, types.CodeType) else repr(each) for each in code.co_consts]
    return code.co_name, code.co_code.hex(), constants, code.co_names, code.co_varnames


def _function(walk: _Walk, value: types.FunctionType) -> Any:
    cells = [walk.of(each.cell_contents) for each in value.__closure__ or ()]
    return _code(value.__code__), cells, walk.of(value.__defaults__), walk.of(value.__kwdefaults__)


def _class(walk: _Walk, value: type) -> Any:
    names = sorted(name for name in vars(value) if name not in _OF_EACH_CLASS)
    inside = {name: vars(value)[name] for name in names}
    return value.__qualname__, [walk.of(base) for base in value.__bases__], walk.of(inside)


def _generator(walk: _Walk, value: types.GeneratorType[Any, Any, Any]) -> Any:
    frame = value.gi_frame
    if frame is None:
        return "ended"
    return value.gi_code.co_name, frame.f_lasti, walk.of(dict(frame.f_locals))


def _method(walk: _Walk, value: types.MethodType) -> Any:
    return walk.of(value.__self__), value.__func__.__name__


_RULES: dict[type, Callable[[_Walk, Any], Any]] = {
    list: _elements,
    dict: _dict,
    set: _set,
    frozenset: _set,
    bytearray: lambda _, value: _bytes(value),
    memoryview: lambda walk, value: (walk.of(value.obj), value.tobytes()),
    types.FunctionType: _function,
    types.MethodType: _method,
    types.GeneratorType: _generator,
    types.CellType: lambda walk, value: walk.of(value.cell_contents),
    type: _class,
    staticmethod: lambda walk, value: walk.of(value.__func__),
    classmethod: lambda walk, value: walk.of(value.__func__),
    property: lambda walk, value: walk.of(value.fget),
    types.MemberDescriptorType: lambda _, value: value.__name__,
    type(iter([])): lambda _, value: repr(value.__reduce__()[1:]),
}


# --- libraries: by the first part of the module's name, and the type's


def _frame(walk: _Walk, value: Any) -> Any:
    columns = [(str(name), _series(walk, value.iloc[:, place])) for place, name in enumerate(value.columns)]
    return columns, [str(each) for each in value.index], str(value.index.dtype)


def _series(_: _Walk, value: Any) -> Any:
    return str(value.dtype), repr(value.tolist()), [str(each) for each in value.index]


def _model(walk: _Walk, value: Any) -> Any:
    """A fitted model of scikit-learn's kind: its parameters, and what of it is plain or an array."""
    fitted = {name: _rounded(each) for name, each in sorted(vars(value).items()) if name.endswith("_")}
    return repr(sorted(value.get_params().items())), {k: v for k, v in fitted.items() if v is not None}


def _rounded(value: Any) -> Any:
    if type(value).__name__ == "ndarray" and value.dtype.kind in "fiu":
        return value.shape, [f"{each:.{_DIGITS}g}" for each in value.ravel().tolist()]
    return f"{value:.{_DIGITS}g}" if type(value) in (int, float) else None


def _drawing(_: _Walk, value: Any) -> Any:
    """A figure of matplotlib: what is drawn, not how."""
    return [
        (axes.get_title(), [repr(line.get_xydata().tolist()) for line in axes.lines]) for axes in value.axes
    ]


def _database(_: _Walk, value: Any) -> Any:
    """A connection of duckdb: all tables with all their rows. Uses its main thread."""
    tables = sorted(name for (name,) in value.execute("show tables").fetchall())
    return [(name, sorted(map(repr, value.table(name).fetchall()))) for name in tables]


def _legacy_state(_: _Walk, value: Any) -> Any:
    return repr([each.tolist() if hasattr(each, "tolist") else each for each in value.get_state()])


_LIBRARIES: dict[str, Callable[[_Walk, Any], Any]] = {
    "numpy.ndarray": lambda walk, value: walk.array(value),
    "numpy.Generator": lambda _, value: repr(value.bit_generator.state),
    "numpy.RandomState": _legacy_state,
    "random.Random": lambda _, value: _bytes(repr(value.getstate()).encode()),
    "collections.deque": lambda walk, value: (value.maxlen, _elements(walk, value)),
    "collections.defaultdict": lambda walk, value: (walk.of(value.default_factory), _dict(walk, value)),
    "collections.Counter": _dict,
    "collections.OrderedDict": _dict,
    "itertools.count": lambda _, value: repr(value),
    "functools.partial": lambda walk, value: (walk.of(value.func), walk.of(value.args)),
    "datetime.datetime": lambda _, value: value.isoformat(),
    "fractions.Fraction": lambda _, value: str(value),
    "pandas.DataFrame": _frame,
    "pandas.Series": _series,
    "polars.DataFrame": lambda _, value: (repr(value.schema), repr(value.to_dict(as_series=False))),
    "pyarrow.Table": lambda _, value: (str(value.schema), repr(value.to_pydict())),
    "pyarrow.ChunkedArray": lambda _, value: (str(value.type), repr(value.to_pylist())),
    "matplotlib.Figure": _drawing,
    "duckdb.DuckDBPyConnection": _database,
    "_duckdb.DuckDBPyConnection": _database,
    "torch.Tensor": lambda walk, value: (str(value.dtype), walk.array(value.detach().numpy())),
    "torch.Linear": lambda walk, value: [walk.of(each.detach()) for each in value.parameters()],
}

if __name__ == "__main__":
    tell(vars(sys.modules["__main__"]))
