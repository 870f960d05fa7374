"""What is done to the machine below a session, and undone: control groups, disks, shared memory, clocks.

Each comes with a `no_...` that says why it can't be had here.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import secrets
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from kit.deadline import Deadline
from kit.kernel import Kernel
from kit.processes import marked

GROUPS = Path("/sys/fs/cgroup")


# --- control groups (version 1: memory, pids, freezer)


class Group:
    """A control group with all processes of a session in it."""

    def __init__(self, controller: str, kernel: Kernel) -> None:
        self._folder = GROUPS / controller / f"holdfast-{secrets.token_hex(4)}"
        self._parent = self._folder.parent
        self._folder.mkdir()
        for pid in marked(kernel.mark):
            self.take(pid)

    def take(self, pid: int) -> None:
        """One more process."""
        with suppress(ProcessLookupError):
            (self._folder / "cgroup.procs").write_text(str(pid))

    def set(self, name: str, value: int | str) -> None:
        """A limit or a state."""
        (self._folder / name).write_text(str(value))

    def get(self, name: str) -> str:
        """What it says."""
        return (self._folder / name).read_text().strip()

    def close(self) -> None:
        """Everybody out. Who is dying can't be moved, and holds the group until it is dead."""
        deadline = Deadline(10)
        while self._folder.exists():
            for pid in (self._folder / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    (self._parent / "cgroup.procs").write_text(pid)
            with suppress(*((OSError,) if not deadline.passed else ())):
                self._folder.rmdir()


@contextmanager
def group(controller: str, kernel: Kernel) -> Iterator[Group]:
    """A control group for a `with` block."""
    made = Group(controller, kernel)
    try:
        yield made
    finally:
        made.close()


def _no_group(controller: str) -> str | None:
    folder = GROUPS / controller
    if not (folder / "cgroup.procs").exists():
        return f"needs a control group (version 1) for {controller}"
    return None if os.access(folder, os.W_OK) else f"needs a {controller} group that may be written"


@cache
def no_memory_group() -> str | None:
    return _no_group("memory")


@cache
def no_pids_group() -> str | None:
    return _no_group("pids")


@cache
def no_freezer() -> str | None:
    return _no_group("freezer")


# --- disks


_CAP_SYS_ADMIN = 21  # linux/capability.h: root in a container may be without


@cache
def no_mounts() -> str | None:
    may = (
        int(Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0], 16) >> _CAP_SYS_ADMIN
        & 1
    )
    return None if os.getuid() == 0 and may and shutil.which("mount") else "needs root, to mount"


@cache
def no_loop_disk() -> str | None:
    if why := no_mounts():
        return why
    return None if shutil.which("mkfs.ext4") and Path("/dev/loop-control").exists() else "needs ext4 and loop"


DISK_BYTES = 48 * 1024 * 1024


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """The folder is a file system of its own, soon full."""
    _run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "holdfast", folder)
    try:
        yield
    finally:
        _run("umount", "-l", folder)


@contextmanager
def loop_disk(folder: Path) -> Iterator[None]:
    """The folder is an ext4 of its own, which can be broken."""
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    _run("mkfs.ext4", "-q", "-F", image)
    _run("mount", "-o", "loop,errors=continue", image, folder)
    try:
        yield
    finally:
        _run("umount", "-l", folder)
        image.unlink()


def mend_disk(folder: Path) -> None:
    """Mount the broken disk again: what was written and synced is there."""
    _run("umount", "-l", folder)
    _run("mount", "-o", "loop,errors=continue", folder.with_suffix(".img"), folder)


def fill(folder: Path, but: int = 0) -> Path:
    """Take the space that is left on the disk of `folder`, but so many bytes; unlink the file to undo it."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    os.truncate(ballast, ballast.stat().st_size - but)
    return ballast


_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN (linux/fs/ext4/ext4.h)."""
_NOLOGFLUSH = 2


def break_disk(folder: Path) -> None:
    """From now on every write on the disk of `folder` fails with EIO; what was written before is on it."""
    os.sync()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NOLOGFLUSH))
    finally:
        os.close(descriptor)


# --- shared memory


_CLONE_NEWNS = 0x20000  # linux/sched.h; os.unshare came with Python 3.12


@contextmanager
def own_shared_memory() -> Iterator[None]:
    """Who is started in the `with` block, and we in it, have a /dev/shm of their own, if mounts can be had.

    Names in it tell nothing of who made them, and other sessions come and go at the same time.
    """
    if no_mounts():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    folder, ours = os.getcwd(), os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _done(libc.unshare(_CLONE_NEWNS))
        _run("mount", "--make-rprivate", "/")
        _run("mount", "-t", "tmpfs", "-o", "mode=1777", "holdfast", "/dev/shm")
        yield
    finally:
        _done(libc.setns(ours, _CLONE_NEWNS))
        os.close(ours)
        os.chdir(folder)  # setns(2) has led to the root


def _done(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# --- C


@cache
def no_compiler() -> str | None:
    return None if shutil.which("cc") else "needs a C compiler"


def compiled(folder: Path, source: str) -> Path:
    """A shared library."""
    file, library = folder / "made.c", folder / "made.so"
    file.write_text(source)
    _run("cc", "-shared", "-fPIC", "-O1", "-o", library, file, "-ldl", "-lpthread")
    return library


_CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static int is_there(const char *name) {
    const char *path = getenv(name);
    return path && !access(path, F_OK);
}
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, at);
    if (!result && id == CLOCK_REALTIME)
        at->tv_sec += 86400 * (is_there("FAULT_CLOCK_LATER") - is_there("FAULT_CLOCK_EARLIER"));
    return result;
}
"""


@contextmanager
def own_clock(folder: Path) -> Iterator[None]:
    """For all processes of the session it is a day later, or earlier, while a file of that name is there."""
    ours = {
        "LD_PRELOAD": str(compiled(folder, _CLOCK)),
        "FAULT_CLOCK_LATER": str(folder / "later"),
        "FAULT_CLOCK_EARLIER": str(folder / "earlier"),
    }
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]


@cache
def no_root() -> str | None:
    return None if os.getuid() == 0 else "needs root"


def _run(*command: object) -> None:
    subprocess.run([str(each) for each in command], check=True, capture_output=True)
