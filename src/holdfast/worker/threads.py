"""A thread speaks for the cell that started it: `threading` is taught to pass the parent on. Nothing else.

A new thread begins with no context, so Python itself forgets here what asyncio passes on with each task.
Both functions stay what they are but for that; no thread is started by us.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from holdfast.worker.parents import Parents

T = TypeVar("T")

_NOT_THREADS = "concurrent.futures.interpreter"
"""Home of a thread pool (Python 3.14) that pickles its jobs: they run in interpreters of their own."""


def pass_parents_on(parents: Parents) -> None:
    """From now on, what a thread or a pool's job puts out belongs to whoever started or submitted it."""
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit

    @functools.wraps(start)
    def start_with_parent(thread: threading.Thread) -> None:
        number, run, own = parents.current(), thread.run, thread.__dict__.get("run")

        def run_with_parent() -> None:
            _restore(thread, own)  # first: a thread that held itself would outlive its last user
            parents.adopt(number)
            run()

        try:
            thread.run = run_with_parent  # type: ignore[method-assign]
        except AttributeError:  # a class of the user's that keeps its `run` to itself
            start(thread)
            return
        try:
            start(thread)
        except BaseException:  # it was started before, or there are too many
            _restore(thread, own)
            raise

    @functools.wraps(submit)  # type: ignore[arg-type] # it is generic
    def submit_with_parent(
        pool: ThreadPoolExecutor, fn: Callable[..., T], /, *args: Any, **kwargs: Any
    ) -> Future[T]:
        if any(each.__module__ == _NOT_THREADS for each in type(pool).__mro__):
            return submit(pool, fn, *args, **kwargs)
        number = parents.current()

        def job(*args: Any, **kwargs: Any) -> T:
            token = parents.adopt(number)
            try:
                return fn(*args, **kwargs)
            finally:
                parents.leave(token)

        return submit(pool, job, *args, **kwargs)

    threading.Thread.start = start_with_parent  # type: ignore[method-assign, assignment]
    ThreadPoolExecutor.submit = submit_with_parent  # type: ignore[method-assign, assignment]


def _restore(thread: threading.Thread, own: Callable[[], None] | None) -> None:
    """Give back the `run` of its own that a thread had, or let its class's be seen again."""
    if own is None:
        thread.__dict__.pop("run", None)
    else:
        thread.run = own  # type: ignore[method-assign]
