"""Does a program wait for its keyboard? Asked of /proc (proc_pid_syscall(5)); nothing is kept.

Linux tells nobody that a terminal is read from, but it shows in which system call a process sleeps. What
that says of a program that waits for many things at once, or is another user's, is a guess.
"""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

from holdfast import processes

MOST_PROCESSES = 64
MOST_THREADS = 64
"""Looked at, of one program: who reads a terminal is among the first."""

MOST_DESCRIPTORS = 1024
"""Of one poll(2), select(2) or epoll(7): who waits for more is a server."""

_GENERIC = {63: "read", 65: "read", 72: "select", 73: "ppoll", 22: "epoll", 441: "epoll"}
_CALLS = {
    "x86_64": dict.fromkeys((0, 19), "read")
    | {7: "poll", 271: "ppoll"}
    | dict.fromkeys((23, 270), "select")
    | dict.fromkeys((232, 281, 441), "epoll"),
    "aarch64": _GENERIC,
    "riscv64": _GENERIC,
}.get(platform.machine(), {})
"""Numbers of those system calls in which one waits for input (linux/unistd.h)."""

_POLLIN = 1
_POLLFD = struct.Struct("=ihh")


class Attention(IntEnum):
    """Whether somebody waits for what is typed."""

    NONE = 0
    PERHAPS = 1
    """Among other things, or for a while, or it can't be seen."""
    CERTAIN = 2
    """And for nothing else."""


def attention(leader: int, group: int, terminal: str) -> Attention:
    """Of the processes in `group` that descend from `leader`, to the terminal at the path `terminal`."""
    found = Attention.NONE
    for pid in members(leader, group):
        for thread in _threads(pid)[:MOST_THREADS]:
            found = max(found, _of_thread(pid, thread, terminal))
            if found is Attention.CERTAIN:
                return found
    return found


def members(leader: int, group: int) -> list[int]:
    """Processes in `group`, from `leader` down; parents before their children."""
    found: list[int] = []
    unseen = [leader]
    while unseen and len(found) < MOST_PROCESSES:
        pid = unseen.pop(0)
        process = processes.look(pid)
        if process is None or process.ended:
            continue
        if process.group == group:
            found.append(pid)
        for thread in _threads(pid):
            unseen += processes.children(pid, thread)
    return found


def _threads(pid: int) -> list[int]:
    try:
        return [int(each) for each in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _of_thread(pid: int, thread: int, terminal: str) -> Attention:
    try:
        words = Path(f"/proc/{pid}/task/{thread}/syscall").read_text().split()
    except (ProcessLookupError, FileNotFoundError):
        return Attention.NONE  # it has just ended
    except OSError:
        return Attention.PERHAPS  # another user's (sudo)
    if not words[0].isdigit():  # it runs, or sleeps for another reason
        return Attention.NONE
    if not _CALLS:
        return Attention.PERHAPS
    call = _CALLS.get(int(words[0]))
    if call is None:
        return Attention.NONE
    arguments = [int(word, 16) for word in words[1:7]]
    try:
        watched = list(_watched(call, pid, arguments))
    except OSError:
        return Attention.PERHAPS
    ours = [_is_terminal(pid, fd, terminal) for fd in watched]
    if not any(ours):
        return Attention.NONE
    certain = all(ours) and _waits_for_ever(call, arguments)
    return Attention.CERTAIN if certain else Attention.PERHAPS


def _watched(call: str, pid: int, arguments: list[int]) -> Iterator[int]:
    """The descriptors from which a thread waits to read."""
    if call == "read":
        yield arguments[0]
    elif call == "epoll":
        for line in Path(f"/proc/{pid}/fdinfo/{arguments[0]}").read_text().splitlines():
            words = line.split()
            if words[:1] == ["tfd:"] and int(words[3], 16) & _POLLIN:
                yield int(words[1])
    elif call == "select":
        count = min(arguments[0], MOST_DESCRIPTORS)
        bits = int.from_bytes(_memory(pid, arguments[1], (count + 7) // 8), "little")
        yield from (fd for fd in range(count) if bits >> fd & 1)
    else:
        count = min(arguments[1], MOST_DESCRIPTORS)
        for fd, events, _ in _POLLFD.iter_unpack(_memory(pid, arguments[0], count * _POLLFD.size)):
            if fd >= 0 and events & _POLLIN:
                yield fd


def _waits_for_ever(call: str, arguments: list[int]) -> bool:
    """Without a deadline, and for descriptors that were named for this wait."""
    if call == "poll":
        return bool(arguments[2] & 0x8000_0000)  # negative milliseconds, of 32 bits
    deadline = {"read": None, "ppoll": 2, "select": 4}.get(call, 0)  # by which argument; else an event loop's
    return deadline is None or (call != "epoll" and not arguments[deadline])


def _memory(pid: int, address: int, size: int) -> bytes:
    """Of another process."""
    if not address or not size:
        return b""
    file = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.pread(file, size, address)
    finally:
        os.close(file)
    return data[: len(data) - len(data) % _POLLFD.size] if size % _POLLFD.size == 0 else data


def _is_terminal(pid: int, fd: int, terminal: str) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}") in {terminal, "/dev/tty"}
    except OSError:
        return False
