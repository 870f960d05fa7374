"""Child processes whose end asyncio waits for, when those who waited did not come along.

Up to Python 3.11 a thread waits for each child, later a descriptor is watched; both end with waitpid(2),
which knows nothing of another one's children: `await process.wait()` would hang, or say 255. Instead the
loop watches the process, and is told what `orphans` knows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from holdfast.worker.standby import orphans

_MODULE = "asyncio.unix_events"
_BY_THREAD, _BY_DESCRIPTOR = "_do_waitpid", "_do_wait"


class _Awaited(NamedTuple):
    """A child process, and whom asyncio tells how it ended."""

    pid: int
    tell: Any
    more: Any
    """What `tell` gets beside pid and exit status: the transport."""


def rejoin(loop: asyncio.AbstractEventLoop, lost_threads: Iterable[Any]) -> None:
    """In a worker that has woken: wait for these processes again."""
    with contextlib.suppress(Exception):  # another version's insides: as it was without this
        for each in [*_by_threads(lost_threads), *_by_descriptors(loop)]:
            _await(loop, each)


def _by_threads(threads: Iterable[Any]) -> Iterator[_Awaited]:
    for each in threads:
        if _is(getattr(each, "_target", None), _BY_THREAD):
            _, pid, tell, more = each._args
            yield _Awaited(pid, tell, more)


def _by_descriptors(loop: Any) -> Iterator[_Awaited]:
    for key in list(loop._selector.get_map().values()):
        reader = key.data[0]
        if reader is not None and _is(reader._callback, _BY_DESCRIPTOR):
            pid, *rest = reader._args
            if not rest:  # up to Python 3.11 the watcher has it
                rest = reader._callback.__self__._callbacks.pop(pid)
            descriptor, tell, more = rest
            loop.remove_reader(descriptor)
            os.close(descriptor)
            yield _Awaited(pid, tell, more)


def _is(function: Any, name: str) -> bool:
    return getattr(function, "__module__", "") == _MODULE and getattr(function, "__name__", "") == name


def _await(loop: asyncio.AbstractEventLoop, awaited: _Awaited) -> None:
    descriptor = orphans.watch(awaited.pid)
    if descriptor is None:
        loop.call_soon(_tell, awaited)
    else:
        loop.add_reader(descriptor, _over, loop, descriptor, awaited)


def _over(loop: asyncio.AbstractEventLoop, descriptor: int, awaited: _Awaited) -> None:
    loop.remove_reader(descriptor)
    os.close(descriptor)
    _tell(awaited)


def _tell(awaited: _Awaited) -> None:
    try:
        code = orphans.ended(awaited.pid)
    except ChildProcessError as error:
        _fail(awaited.more[0], error)
    else:
        awaited.tell(awaited.pid, code, *awaited.more)


def _fail(transport: Any, error: ChildProcessError) -> None:
    """Whoever waits, now or later, gets the error."""

    async def wait() -> int:
        raise error

    transport._wait = wait
    for waiter in transport._exit_waiters or ():
        if not waiter.done():
            waiter.set_exception(error)
