"""What a namespace holds, as text that can be compared: values, identities, positions. Run in the worker.

Only the standard library, and nothing is left behind in the namespace.
"""

from __future__ import annotations

import hashlib
import os
import random
import types
from collections.abc import Mapping
from typing import Any

_PLAIN = (type(None), bool, int, float, complex, str, bytes, bytearray, range, type(...))
_SHELLS = {"In", "Out", "exit", "quit", "get_ipython", "open"}


def digest(namespace: Mapping[str, object]) -> dict[str, str]:
    """Each name with what it stands for; names of the shell and private ones are left out."""
    walk = _Walk()
    names = sorted(name for name in namespace if not name.startswith("_") and name not in _SHELLS)
    found = {name: _short(walk.begin(name, namespace[name])) for name in names}
    return found | {"(random)": _short(repr(random.getstate())), "(folder)": os.getcwd()}


class _Walk:
    """One walk over all objects: what comes again is named by where it was first."""

    def __init__(self) -> None:
        self._root = ""
        self._places: dict[int, str] = {}
        self._kept: list[object] = []  # of this variable
        self._all: list[list[object]] = []  # an id is one object's only while that lives

    def begin(self, name: str, value: object) -> str:
        """Of a variable."""
        self._root, self._kept = name, []
        self._all.append(self._kept)
        return self.seen(value)

    def seen(self, value: Any) -> str:
        kind = type(value)
        if kind in _PLAIN and kind is not bytearray:
            return repr(value)
        if id(value) in self._places:
            return f"={self._places[id(value)]}"
        self._places[id(value)] = f"{self._root}.{len(self._kept)}"
        self._kept.append(value)
        if kind is bytearray:
            return f"bytearray {_hash(value)}"
        if kind in (list, tuple):
            return f"{kind.__name__}[{', '.join(map(self.seen, value))}]"
        if kind is dict:
            return f"{{{', '.join(f'{self.seen(key)}: {self.seen(each)}' for key, each in value.items())}}}"
        if kind in (set, frozenset):
            return f"{kind.__name__}{{{', '.join(sorted(map(self.seen, value)))}}}"
        return self._of_code(value) or self._of_library(value) or self._of_another(value)

    def _of_code(self, value: Any) -> str | None:
        if isinstance(value, types.ModuleType):
            return f"module {value.__name__}"
        if isinstance(value, types.FunctionType):
            code = value.__code__
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            parts = (code.co_names, code.co_varnames, self.seen(list(code.co_consts)) if not cells else "")
            return f"function {value.__qualname__} {_hash(code.co_code)} {parts} {self.seen(cells)}"
        if isinstance(value, types.CodeType):
            return f"code {value.co_name} {_hash(value.co_code)}"
        if isinstance(value, type):
            own = sorted(name for name in vars(value) if not name.startswith("__"))
            methods = (
                [self.seen(vars(value)[name]) for name in own] if value.__module__ == "__main__" else own
            )
            return f"class {value.__qualname__} {own} {methods}"
        if isinstance(value, types.GeneratorType):
            frame = value.gi_frame
            place = self.seen(dict(frame.f_locals)) if frame is not None else "over"
            return f"generator {value.__qualname__} at {place}"
        return None

    def _of_library(self, value: Any) -> str | None:
        kind = type(value)
        package = kind.__module__.partition(".")[0]
        if package == "numpy" and hasattr(value, "tobytes"):
            base = self.seen(value.base) if getattr(value, "base", None) is not None else ""
            return f"array {value.dtype} {value.shape} {_hash(value.tobytes())} {base}"
        if package == "pandas" and hasattr(value, "to_dict"):
            return f"{kind.__name__} {_hash(repr(value.to_dict()).encode())}"
        if package == "polars" and hasattr(value, "to_dict"):
            return f"{kind.__name__} {_hash(repr(value.to_dict(as_series=False)).encode())}"
        if package == "torch" and hasattr(value, "detach"):
            array = value.detach().cpu().numpy()  # whose base is another tensor each time
            return f"tensor {array.dtype} {array.shape} {_hash(array.tobytes())}"
        return None

    def _of_another(self, value: Any) -> str:
        kind = type(value)
        if kind.__module__ == "_io" and hasattr(value, "closed"):
            where = value.tell() if not value.closed and value.seekable() else "-"
            return f"file {getattr(value, 'name', '')} {value.closed} {where}"
        if kind.__module__ == "__main__" and hasattr(value, "__dict__"):
            return f"{self.seen(kind)} {self.seen(vars(value))}"
        return f"{kind.__module__}.{kind.__qualname__}"


def _hash(data: Any) -> str:
    return hashlib.sha1(bytes(data), usedforsecurity=False).hexdigest()[:12]


def _short(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:120]}... {_hash(text.encode())}"
