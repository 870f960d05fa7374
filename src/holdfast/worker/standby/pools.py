"""Pools of threads and processes that a dead worker had used: they say so, instead of waiting for ever.

`submit` trusts a note of idle threads, none of which came along, and the same goes for processes, whose
manager is a thread. So what is handed to such a pool is refused, what it had taken on fails, and processes
that nobody can reach any more end. Pools are found by their threads and in the libraries' own lists; nothing
is imported, and no object of the user's is searched for but futures, where a pool of threads was lost.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any

from holdfast.processes import look

_GONE = "what this pool ran on is gone with the interpreter that had started it: make a new one"


def break_pools(threads: Iterable[Any]) -> None:
    """In a worker that has woken, with the threads that did not come along: break the pools they served."""
    lost = list(threads)
    for step in (_threads_of_executors, _managers_of_executors, _pools_of_multiprocessing):
        if lost:
            with contextlib.suppress(Exception):  # another version's insides: as it was without this
                step(lost)
    _forget_reusable()


def _threads_of_executors(lost: list[Any]) -> None:
    """concurrent.futures.ThreadPoolExecutor: its threads hold a reference to it, and its queue."""
    module = sys.modules.get("concurrent.futures.thread")
    ours = [each for each in lost if module and getattr(each, "_target", None) is module._worker]
    if not module or not ours:
        return
    error = module.BrokenThreadPool(_GONE)
    for each in ours:
        executor = each._args[0]()
        if executor is not None:
            executor._broken = _GONE
            executor._threads.clear()
    for queue in {id(each): module._threads_queues.pop(each, None) for each in ours}.values():
        while queue is not None and not queue.empty():
            item = queue.get_nowait()
            if item is not None:
                _fail(item.future, error)
    kind = sys.modules["concurrent.futures._base"].Future
    for future in [each for each in gc.get_objects() if type(each) is kind]:
        # By whom? Only the main thread is here, not in a cell. `running()` would wait for the future's lock.
        if getattr(future, "_state", "") == "RUNNING":
            _fail(future, error)


def _managers_of_executors(lost: list[Any]) -> None:
    """concurrent.futures.ProcessPoolExecutor, and loky's: a thread moves work to the processes and back."""
    for manager in lost:
        refer = getattr(manager, "executor_reference", None)
        if refer is None:
            continue
        module = sys.modules[type(manager).__module__]
        error = module.BrokenProcessPool(_GONE)
        for item in list(manager.pending_work_items.values()):
            _fail(item.future, error)
        manager.pending_work_items.clear()
        flags = getattr(manager, "executor_flags", None)
        if flags is not None:
            flags.broken, flags.shutdown = error, True
        executor = refer()
        if executor is not None:
            executor._broken = _GONE
        _end(manager.processes.values())
        manager.processes.clear()


def _pools_of_multiprocessing(lost: list[Any]) -> None:
    """multiprocessing.Pool and its ThreadPool: each has its end in a list of the module's."""
    module: Any = sys.modules.get("multiprocessing.util")
    if module is None:
        return
    for end in list(module._finalizer_registry.values()):
        pool = end._weakref() if getattr(end, "_weakref", None) is not None else None
        if getattr(pool, "_worker_handler", None) not in lost or pool is None:
            continue
        end.cancel()  # it would wait for processes that are not ours
        _end(pool._pool)
        pool._state, pool._pool = "TERMINATE", []
        pool._check_running = _refuse
        for result in list(pool._cache.values()):
            result._set(getattr(result, "_index", 0), (False, RuntimeError(_GONE)))


def _forget_reusable() -> None:
    """loky, which joblib brings with it, keeps one executor for everybody: the next call makes a new one."""
    for name in [each for each in sys.modules if each.endswith("loky.reusable_executor")]:
        sys.modules[name]._executor = None  # type: ignore[attr-defined]


def _end(processes: Iterable[Any]) -> None:
    """Ask a pool's processes to end: orphans now, adopted by our parent, in the dead worker's process group.

    The group tells them from whatever else may have got such a number since.
    """
    for pid in [each.pid for each in processes if getattr(each, "pid", None)]:
        found = look(pid)
        if found and found.parent == os.getppid() and found.group not in (pid, os.getpgid(0)):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                os.kill(pid, signal.SIGTERM)


def _fail(future: Any, error: Exception) -> None:
    lock: Callable[..., bool] = future._condition.acquire
    if lock(blocking=False):  # else whoever held it is gone
        try:
            if not future.done():
                future.set_exception(error)
        finally:
            future._condition.release()


def _refuse() -> None:
    raise RuntimeError(_GONE)
