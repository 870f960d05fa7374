"""`holdfast info` without a name: is everything here as sessions need it. Only looks, but for one session.

That one is started and ended: whether it works can't be told in any other way.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from holdfast import paths, sizes
from holdfast.cli import pick
from holdfast.cli.usage import as_typed
from holdfast.client import start
from holdfast.errors import HoldfastError, RefusedPath

SHORT_NAME = 24
"""Characters that a session's name should be able to have: a notebook's has its stem and nine more."""

LOW_DISK = 1_000_000_000
"""Bytes. A checkpoint of a session with some data takes as much."""

LOW_MEMORY = 500_000_000
"""Bytes. A worker with numpy and pandas takes 150 MB, and a crash is survived best with as much again."""

FEW_PROCESSES = 50
"""A session has half a dozen processes, and more while standbys are examined."""

FEW_FILES = 1024
"""Descriptors: each client has six in the supervisor, and each standby a few."""

UNUSED_DAYS = 30
"""After so long without a cell, what a session keeps is mostly forgotten."""

_DAY = 86_400
_PROC_SYS = Path("/proc/sys")


class Check(NamedTuple):
    """One thing that was looked at. `ok` is None where it does not matter here."""

    name: str
    ok: bool | None
    found: str
    remedy: str | None = None


def checks() -> Iterator[Check]:
    """All of them, the one that matters most first; each is looked at when it is asked for."""
    looks: tuple[Callable[[], Iterator[Check]], ...] = (
        _start,
        _packages,
        _command,
        _folders,
        _settings,
        _space,
        _limits,
        _kernels,
        _sessions,
    )
    for look in looks:
        yield from look()


def _start() -> Iterator[Check]:
    name = f"check-{os.getpid()}-{os.urandom(3).hex()}"
    begun = time.monotonic()
    try:
        bell = start.create(name, named=False, cwd=os.getcwd())
    except HoldfastError as error:
        yield Check("start", False, error.what, error.remedy)
        return
    took = time.monotonic() - begun
    try:
        with bell:
            start.stop(name, bell, for_good=True)
        start.forget(name)
    except HoldfastError as error:
        yield Check("start", False, error.what, error.remedy)
    else:
        yield Check("start", True, f"a session starts, in {took:.1f} s")


def _packages() -> Iterator[Check]:
    """What this Holdfast was tested with (importlib.metadata; packaging.python.org, "Version specifiers")."""
    wrong, found = [], 0
    for requirement in importlib.metadata.requires("holdfast") or []:
        asked = re.match(r"([\w.-]+)\s*([^;]*)(;.*)?", requirement)
        if asked is None or asked[3]:  # of an extra
            continue
        try:
            there = importlib.metadata.version(asked[1])
        except importlib.metadata.PackageNotFoundError:
            wrong.append((asked[1] + asked[2], f"{asked[1]} is not installed"))
            continue
        if is_version(there, asked[2]):
            found += 1
        else:
            wrong.append((asked[1] + asked[2], f"{asked[1]} is {there}"))
    if wrong:
        needs = " ".join(f"'{need}'" for need, _ in wrong)
        yield Check(
            "packages",
            False,
            ", ".join(what for _, what in wrong),
            f"{sys.executable} -m pip install {needs}",
        )
    else:
        shell = importlib.metadata.version("ipython")
        yield Check("packages", True, f"IPython {shell}, and {found - 1} others as they should be")


def is_version(version: str, asked: str) -> bool:
    """Whether a version is within bounds such as `>=9.4,<10`; other kinds of bounds are not looked at."""
    bounds = re.findall(r"(>=|<)\s*([\d.]+)", asked)
    return all((_numbers(version) >= _numbers(bound)) is (sign == ">=") for sign, bound in bounds)


def _numbers(version: str) -> tuple[int, ...]:
    found = [int(each) for each in re.findall(r"\d+", version)[:3]]
    return (*found, *[0] * (3 - len(found)))


def _command() -> Iterator[Check]:
    """What we tell people to type should reach this Holdfast."""
    found = shutil.which("holdfast")
    here = os.path.dirname(sys.executable)
    if found is None:
        yield Check("command", False, "`holdfast` is not on the path", f'export PATH="{here}:$PATH"')
    elif os.path.realpath(os.path.dirname(found)) != os.path.realpath(here) and os.path.exists(
        os.path.join(here, "holdfast")
    ):
        yield Check("command", False, f"`holdfast` is {found}, another one", f'export PATH="{here}:$PATH"')
    else:
        yield Check("command", True, found)


def _folders() -> Iterator[Check]:
    try:
        for folder in (paths.state_folder(), paths.runtime_folder()):
            paths.private_folder(folder)
    except HoldfastError as error:
        yield Check("folders", False, error.what, error.remedy)
        return
    runtime = paths.runtime_folder()
    longest = paths.MAX_SOCKET_PATH - len(os.fsencode(runtime)) - len("//doorbell")
    if longest < SHORT_NAME:
        yield Check(
            "folders",
            False,
            f"{runtime} is so long that names of sessions may have {max(longest, 0)} characters only",
            "set HOLDFAST_HOME to a shorter folder",
        )
    else:
        yield Check("folders", True, "private, and short enough for sockets")


def _settings() -> Iterator[Check]:
    from holdfast.client import start  # noqa: PLC0415 - msgspec, which the other checks do without
    from holdfast.config import layers  # noqa: PLC0415 - as above

    problems = layers.look(None, start.given).problems
    for each in problems:
        yield Check("settings", False, each.what, each.remedy)
    if not problems:
        yield Check("settings", True, "can be read (holdfast config shows them)")


def _space() -> Iterator[Check]:
    with contextlib.suppress(OSError):
        disk = os.statvfs(_there(paths.state_folder()))
        free = disk.f_bavail * disk.f_frsize
        remedy = None if free > LOW_DISK else f"df -h {_there(paths.state_folder())}"
        yield Check("disk", free > LOW_DISK, f"{sizes.short(free)} free for journals and checkpoints", remedy)
    with contextlib.suppress(OSError):
        found = re.search(r"^MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
        if found:
            left = int(found[1]) * 1024
            yield Check(
                "memory",
                left > LOW_MEMORY,
                f"{sizes.short(left)} available",
                None if left > LOW_MEMORY else "end what is not needed: holdfast ls",
            )


def _limits() -> Iterator[Check]:
    """Of the system: what makes forks fail, or hides a worker from its supervisor (proc(5), getrlimit(2))."""
    import resource  # noqa: PLC0415 - only here

    wrong = []
    if _number(_PROC_SYS / "vm/overcommit_memory") == 2:
        wrong.append(
            (
                "memory is never overcommitted, so no standby can be forked of a large interpreter",
                "sysctl vm.overcommit_memory=0",
            )
        )
    if (_number(_PROC_SYS / "kernel/yama/ptrace_scope") or 0) > 1 and os.getuid():
        wrong.append(
            (
                "processes can't be looked into: a cell that waits for ever for a lost thread is not told of",
                "sysctl kernel.yama.ptrace_scope=1",
            )
        )
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if os.getuid() and processes not in (-1, resource.RLIM_INFINITY):
        left = processes - _own_processes()
        if left < FEW_PROCESSES:
            wrong.append((f"only {max(left, 0)} more processes may be started", "ulimit -u unlimited"))
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files not in (-1, resource.RLIM_INFINITY) and files < FEW_FILES:
        wrong.append((f"only {files} files may be open", f"ulimit -Hn {FEW_FILES}, as root"))
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space not in (-1, resource.RLIM_INFINITY):
        wrong.append((f"each process may have {sizes.short(space)} of address space", "ulimit -v unlimited"))
    for what, remedy in wrong:
        yield Check("limits", False, what, remedy)
    if not wrong:
        yield Check("limits", True, "none that is in the way")


def _kernels() -> Iterator[Check]:
    from holdfast.jupyter import kernelspec  # noqa: PLC0415 - only here

    installed = kernelspec.installed()
    if not installed:
        yield Check("Jupyter", None, "no kernel of Holdfast is installed", "holdfast kernel install")
    for name, folder in sorted(installed.items()):
        python = kernelspec.interpreter(folder)
        again = "holdfast kernel install" + ("" if name == "holdfast" else f" --name {name}")
        if python is None:
            yield Check("Jupyter", False, f"kernel {name} names no Python: {folder}/kernel.json", again)
        elif shutil.which(python) is None:
            yield Check("Jupyter", False, f"kernel {name} is of {python}, which is gone", again)
        elif os.path.abspath(python) != os.path.abspath(sys.executable):
            yield Check("Jupyter", None, f"kernel {name} is of another Python: {python}", again)
        else:
            yield Check("Jupyter", True, f"kernel {name} is of this Python")


def _sessions() -> Iterator[Check]:
    from holdfast.cli.logs import kept  # noqa: PLC0415 - SQLite, which the other checks do without

    try:
        names = start.known()
    except RefusedPath:  # that was told with the folders
        return
    unused, size, now = [], 0, time.time()
    for name in names:
        if pick.is_running(name):
            continue
        found = kept.summary(name)
        if found["state"] == kept.UNCLEAN:
            yield Check("session", None, f"{name} was {kept.UNCLEAN}", f"holdfast attach {name}")
        elif "trouble" in found:
            yield Check("session", False, f"{name}: {found['trouble']}", f"holdfast info {name}")
        elif now - start.last_use(name) > UNUSED_DAYS * _DAY:
            unused.append(name)
            size += kept.disk_bytes(name)
    if unused:
        what = f"{len(unused)} not used for {UNUSED_DAYS} days, {sizes.short(size)} on disk"
        yield Check("sessions", None, what, as_typed(["rm", *unused]))


def _there(folder: Path) -> Path:
    """The folder, or the one in which it will be made."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _own_processes() -> int:
    count = 0
    for each in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            count += each.isdecimal() and os.stat(f"/proc/{each}").st_uid == os.getuid()
    return count


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # no such thing in this kernel
        return None
