"""Could this process go on as the worker? Asked of a disposable copy of a standby, before any crash.

Each library that is loaded is tried by an operation of its own (`probes`); one that hangs is found out from
outside, by whoever set a deadline, and is the one named last. What would hang for certain is known by its
threads, and not tried. What threads of the session leave behind is looked for in `locks`.

The live worker's part is small and in the path of each cell: `fingerprint` says whether anything has changed
that could change the verdict, and notes what a fork does not show.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import stat
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from holdfast.link.messages import RESTLESS
from holdfast.worker.standby import databases, engines, locks, openmp, quiet
from holdfast.worker.standby.descriptors import open_numbers
from holdfast.worker.standby.engines import PYTHON, Engine
from holdfast.worker.standby.probes import (
    DO_NOT,
    FOLLOW_FORKS,
    GPU_DEVICES,
    ON_A_GPU,
    PROBES,
    WITHOUT_MEANING,
    Probe,
)

_DUCKDB_MAGIC, _DUCKDB_MAGIC_AT = b"DUCK", 8


class Verdict(NamedTuple):
    """What becomes of a standby if it is woken."""

    grade: Literal["resume", "salvage"]
    """It goes on; or its values can be read, and nothing more."""
    reasons: list[str]
    """Why not "resume", in words."""


class Fingerprint(NamedTuple):
    """What a verdict hangs on: it holds for all forks that have the same."""

    modules: frozenset[str] = frozenset()
    engines: frozenset[Engine] = frozenset()
    threads: tuple[int, ...] = ()
    tracers: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    restless: bool = False
    """Threads are at work, and may hold a lock in one fork and not in the next."""

    @property
    def text(self) -> str:
        """Of a few characters; none if there is nothing that could keep a fork from going on."""
        return f"{RESTLESS if self.restless else ''}{hash(self):x}" if any(self) else ""


_PROBED = frozenset(each.module for each in PROBES)
_noted = Fingerprint()
"""Of the live worker before the last fork: a fork has no other threads, and its files are severed."""
_ever: set[Engine] = set()
"""Engines that follow forks: their threads come and go."""


def fingerprint() -> Fingerprint:
    """Of the live worker, before each fork; noted for `examine` in a copy of that."""
    global _noted
    files = tuple(_databases()) if "duckdb" in sys.modules else ()
    if quiet.alone():
        _noted = Fingerprint(tracers=tuple(_tracers()), databases=files)
        return _noted
    threads, restless = _threads(now := engines.look())
    lasting = {each for each in now if FOLLOW_FORKS.fullmatch(each.library)}
    _ever.update(lasting)
    _noted = Fingerprint(
        frozenset(each for each in _PROBED if each in sys.modules),
        (now - lasting) | frozenset(_ever),
        threads,
        (*_tracers(), *_watchdog()),
        files,
        restless,
    )
    return _noted


def examine(
    namespace: Mapping[str, object],
    lost_threads: Sequence[threading.Thread],
    progress: Callable[[str], None] = lambda _what: None,
) -> Verdict:
    """In a disposable copy, when it has done what a woken standby does. May hang, or kill the process.

    `progress` is told, before each step that may, what is tried.
    """
    _hush()
    reasons = [*_engines_that_stay_behind(), *_other_hindrances()]
    if (lost_threads or _noted.threads) and not reasons:
        reasons += locks.held(namespace, progress)
    if not reasons:
        openmp.try_all(progress)
        for probe in PROBES:
            if probe.module in sys.modules:
                progress(probe.module)
                reasons += _try(probe)
    return Verdict("salvage" if reasons else "resume", reasons)


def had_threads(library: str) -> bool:
    """Whether the process that a copy was made of had threads of this library."""
    return any(library in each.library for each in _noted.engines)


def unforkable() -> str | None:
    """In the live worker: why none of its forks is of any use, if so."""
    if sys.modules.keys().isdisjoint(ON_A_GPU):
        return None
    torch: Any = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    if (cuda is not None and cuda.is_initialized()) or _has_open(GPU_DEVICES):
        return "a GPU is in use, whose driver does not follow forks"
    return None


def _engines_that_stay_behind() -> list[str]:
    return sorted({words for each in _noted.engines if (words := _why_not(each))})


def _why_not(engine: Engine) -> str:
    """Why who had this engine can't go on without its threads; "" if it can."""
    library, thread = engine
    if WITHOUT_MEANING.fullmatch(thread) or FOLLOW_FORKS.fullmatch(library):
        return ""
    for name, theirs in DO_NOT.items():
        if theirs.fullmatch(library) or theirs.fullmatch(thread):
            return f"{name}: its threads do not come through a fork, and it waits for them"
    if library in ("", PYTHON):  # not told; or one of `_thread`, which may have left a lock
        return ""
    return f"{library}: it has threads, and is not known to come through a fork"


def _other_hindrances() -> Iterator[str]:
    yield from _noted.tracers
    if not databases.are_kept() and had_threads("duckdb"):
        yield "duckdb: a database is open that no connection is found for"
    for path in _noted.databases:
        yield f"duckdb: {path} can't be opened again in a process that has it open"


def _try(probe: Probe) -> list[str]:
    """Why the library can't go on. That the probe does not suit its version is no reason."""
    names = {each.module.partition(".")[0] for each in PROBES}
    try:
        eval(probe.work, {name: sys.modules[name] for name in names if name in sys.modules})  # noqa: S307
    except (ImportError, AttributeError, TypeError, NameError):
        return []
    except Exception as error:  # noqa: BLE001 - of a library that is not as it was
        return [f"{probe.module}: {type(error).__name__}: {error}"]
    return []


def _hush() -> None:
    """What is tried here is nobody's business: neither its warnings nor, if it crashes, its traceback."""
    faulthandler.disable()
    warnings.simplefilter("ignore")
    logging.disable()


def _threads(now: frozenset[Engine]) -> tuple[tuple[int, ...], bool]:
    """Threads that run Python, and whether one of them runs code of the user's now."""
    if threading.active_count() == 1 and not any(each.library == PYTHON for each in now):
        return (), False
    others = {each.ident or 0 for each in threading.enumerate()} - {threading.get_ident()}
    frames = sys._current_frames()
    at_rest = all(_is_at_rest(frames.get(each)) for each in others)
    return tuple(sorted(others)), not at_rest


_WAITING_ROOMS = frozenset(
    {"asyncio", "concurrent", "joblib", "multiprocessing", "queue", "selectors", "threading", "tqdm"}
)
"""In whose code pools and their like wait for work, holding nothing that anybody else needs."""


def _is_at_rest(frame: types.FrameType | None) -> bool:
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] not in _WAITING_ROOMS:
            return False
        frame = frame.f_back
    return True


def _tracers() -> Iterator[str]:
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12 on
    if sys.gettrace() is not None or (monitoring and monitoring.get_tool(monitoring.DEBUGGER_ID)):
        yield "a debugger or another trace function is active"


def _watchdog() -> Iterator[str]:
    if engines.has_watchdog():
        yield "faulthandler.dump_traceback_later() is armed: cancelling it would never return"


def _databases() -> Iterator[str]:
    """Files of duckdb. Read through the descriptors that are there: closing another would free the lock."""
    for number in open_numbers():
        try:
            if stat.S_ISREG(os.fstat(number).st_mode) and (
                os.pread(number, len(_DUCKDB_MAGIC), _DUCKDB_MAGIC_AT) == _DUCKDB_MAGIC
            ):
                yield os.readlink(f"/proc/self/fd/{number}")
        except OSError:  # closed meanwhile, or only for writing
            continue


def _has_open(devices: Sequence[str]) -> bool:
    for number in open_numbers():
        try:
            if os.readlink(f"/proc/self/fd/{number}") in devices:
                return True
        except OSError:
            continue
    return False
