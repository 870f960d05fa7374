"""What a checkpoint's stream calls to make objects again. Names and arguments here are part of the format.

Libraries are imported only when something of theirs is made.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

from holdfast.errors import CheckpointDamaged


def namespace() -> dict[str, object]:
    """The user's namespace: the loader puts its own function in this one's place."""
    raise CheckpointDamaged("a checkpoint is loaded with holdfast.checkpoint.loading")


def array_view(
    base: Any, dtype: Any, shape: Sequence[int], strides: Sequence[int], offset: int, writeable: bool
) -> Any:
    """A numpy array that shares memory with `base`, whose first element is `offset` bytes into it."""
    import numpy as np  # noqa: PLC0415 - only if there is something of numpy

    memory = base.reshape(-1, order="A").view(np.uint8)
    view: Any = np.ndarray(tuple(shape), dtype, memory, offset, tuple(strides))
    if not writeable:
        view.flags.writeable = False
    return view


def memory_map(path: str, dtype: Any, mode: str, offset: int, shape: Sequence[int], order: Any) -> Any:
    """A numpy.memmap on the file that it was on, as that is now."""
    import numpy as np  # noqa: PLC0415 - as above

    return np.memmap(path, dtype, mode, offset, tuple(shape), order)  # type: ignore[call-overload]


def pandas_references() -> Any:
    """Those who share memory, of whom the first to be changed takes a copy; nobody yet."""
    from pandas._libs.internals import BlockValuesRefs  # noqa: PLC0415 - only if there is something of pandas

    return BlockValuesRefs()


def pandas_block(make: Callable[..., Any], arguments: Sequence[Any], references: Any) -> Any:
    """A block of a frame, which shares memory with others."""
    block = make(*arguments)
    references.add_reference(block)
    block.refs = references
    return block


def pandas_index(make: Callable[..., Any], arguments: Sequence[Any], references: Any) -> Any:
    """An index, which shares memory with others."""
    index = make(*arguments)
    references.add_index_reference(index)
    index._references = references
    return index


def pandas_series(kind: Callable[..., Any], block: Any, axis: Any) -> Any:
    """What a series consists of."""
    return kind(block, axis)


def lock() -> Any:
    """A lock that nobody holds."""
    return threading.Lock()


def reentrant_lock() -> Any:
    """A reentrant lock that nobody holds."""
    return threading.RLock()


def cached_function(function: Any, size: int | None, typed: bool) -> Any:
    """A function with a new functools.lru_cache."""
    return functools.lru_cache(size, typed)(function)


def same(value: Any) -> Any:
    """What several wrappers stood for."""
    return value


def torch_storage(buffer: Any) -> Any:
    """Torch's memory: tensors that shared one share it again. It uses `buffer`, without a copy."""
    import torch  # noqa: PLC0415 - only if there is something of torch

    return torch.frombuffer(buffer, dtype=torch.uint8).untyped_storage()


def torch_empty_storage() -> Any:
    """No bytes of it."""
    import torch  # noqa: PLC0415 - as above

    return torch.UntypedStorage(0)


def torch_typed_storage(storage: Any, dtype: Any) -> Any:
    """The same with the type that tensors look for."""
    import torch  # noqa: PLC0415 - as above

    return torch.storage.TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def from_state(kind: Any, state: Any) -> Any:
    """An object whose state is bytes, which stood outside the stream."""
    made = kind.__new__(kind)
    made.__setstate__(bytes(state))
    return made
