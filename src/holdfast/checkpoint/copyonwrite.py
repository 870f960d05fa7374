"""Who shares memory with whom, as pandas knows it: its own pickling leaves that out, arrays go on sharing.

Frames, series and indexes that came from each other look at the same memory until one of them is changed,
which then takes a copy. Forgotten, the change would be one of all of them. Known are pandas 2 and 3
(`BlockValuesRefs` of its `_libs/internals.pyx`); where there is none, nothing was copied later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from holdfast.checkpoint import rebuilding


def reducer(kind: type) -> Callable[[Any], Any] | None:
    """For objects of exactly this class; None leaves them their own way."""
    module, name = kind.__module__, kind.__qualname__
    if module.partition(".")[0] != "pandas":
        return None
    if name == "BlockValuesRefs":
        return lambda _: (rebuilding.pandas_references, ())
    if name == "SingleBlockManager":  # its own way is one without its block
        return lambda value: (rebuilding.pandas_series, (kind, value.blocks[0], value.axes[0]))
    if module == "pandas.core.internals.blocks":
        return _block
    is_index = any(each.__qualname__ == "Index" for each in kind.__mro__) and hasattr(kind, "_references")
    return _index if is_index and name != "RangeIndex" else None  # that one has no memory


def _block(value: Any) -> Any:
    references = getattr(value, "refs", None)
    if not _shared(references):
        return NotImplemented
    return rebuilding.pandas_block, (*_own_way(value), references)


def _index(value: Any) -> Any:
    references = value._references
    if not _shared(references):
        return NotImplemented
    return rebuilding.pandas_index, (*_own_way(value), references)


def _own_way(value: Any) -> tuple[Any, Any]:
    make, arguments = value.__reduce__()[:2]
    return make, arguments


def _shared(references: Any) -> bool:
    return references is not None and len(references.referenced_blocks) > 1
