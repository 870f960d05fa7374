"""What becomes of each open descriptor in a copy of the worker: decided here, done by `privatise`.

    regular file or folder           opened again where its offset was
    file written by native code      dead end: two processes that write one database destroy it
    pipe, socket pair of our own     a new one, with what waited in it      (`peers` decides these two)
    pipe or socket to somebody else  dead end: end of file, broken pipe
    epoll set, eventfd, timerfd      a new one with the same content
    terminal, device, file watch     dead end
    /dev/null, pidfd, signalfd       kept: nothing can be felt through them

Deciding takes nothing out of a pipe and moves no offset: the live worker has them too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import NamedTuple, TypeAlias

from holdfast.worker.standby import libc
from holdfast.worker.standby.descriptors import Descriptor, Kind, fdinfo
from holdfast.worker.standby.remaking import (
    Counter,
    EpollSet,
    File,
    Made,
    Registration,
    Remade,
    Seat,
    Seats,
    Timer,
    hung_up_unix,
    never_ready,
)

NATIVE_FILE = "file written by native code"
_IN_MEMORY = ("/memfd:", "/dev/shm/")  # noqa: S108 - looked for, not written to
_NS = 1_000_000_000


class Anew(NamedTuple):
    """Will be made anew by `thing`."""

    thing: Remade
    descriptors: tuple[Descriptor, ...]


class Cut(NamedTuple):
    """Will be a dead end."""

    descriptor: Descriptor
    words: str
    """What the user had: "open socket"."""
    dead_end: Made | None
    """None: a number on which every operation fails, and which still tells its file's status."""
    target: str = ""
    """Path or address, if that says more than the kernel's name of it."""
    mute: bool = False
    """Epoll would report it ready for ever, though nobody could do anything about it."""


Fate: TypeAlias = Anew | Cut


def seat(each: Descriptor) -> Seat:
    """Its number, to be taken by something new."""
    return Seat(each.fd, each.inheritable, each.nonblocking)


def seats(group: Iterable[Descriptor]) -> Seats:
    """Their numbers."""
    return tuple(seat(each) for each in group)


def grouped(
    found: Iterable[Descriptor], key: Callable[[Descriptor], Hashable]
) -> dict[Hashable, list[Descriptor]]:
    """Those with equal keys together, in their order."""
    groups: defaultdict[Hashable, list[Descriptor]] = defaultdict(list)
    for each in found:
        groups[key(each)].append(each)
    return groups


def dups(
    found: Iterable[Descriptor], key: Callable[[Descriptor], Hashable]
) -> Iterator[tuple[Descriptor, ...]]:
    """Those that share one open file description together. Only within equal keys are pairs compared."""
    for candidates in grouped(found, key).values():
        waiting = candidates
        while waiting:
            first, *others = waiting
            same = [each for each in others if libc.same_description(first.fd, each.fd)]
            yield (first, *same)
            waiting = [each for each in others if each not in same]


def of_files(found: Iterable[Descriptor], python_files: frozenset[int]) -> Iterator[Fate]:
    """Regular files and folders."""
    for group in dups(found, lambda each: (each.inode, each.flags, each.position)):
        first = group[0]
        if (
            not first.writable
            # Open twice, a file in memory can't come to more harm: its content is shared anyway.
            or first.target.startswith(_IN_MEMORY)
            or any(each.fd in python_files for each in group)
        ):
            folder = first.kind is Kind.FOLDER
            yield Anew(File(seats(group), first.flags, first.position, folder), group)
        else:
            for each in group:
                yield Cut(each, NATIVE_FILE, None)


def of_kernel_objects(found: Iterable[Descriptor]) -> Iterator[Fate]:
    """Whatever tells its whole content in /proc/self/fdinfo: epoll sets, counters, timers."""
    told: dict[int, str] = {}
    for each in found:
        try:
            told[each.fd] = fdinfo(each.fd)
        except OSError:
            yield Cut(each, each.kind.name.lower(), Made(seat(each), never_ready))
    readable = [each for each in found if each.fd in told]
    for group in dups(readable, lambda each: (each.kind, told[each.fd])):
        first = group[0]
        yield Anew(_READERS[first.kind](seats(group), told[first.fd]), group)


def of_others(found: Iterable[Descriptor]) -> Iterator[Fate]:
    """Whatever is somebody else's as a whole, or can't be copied."""
    for each in found:
        words, make = _DEAD_ENDS[each.kind]
        yield Cut(each, words, Made(seat(each), make))


_DEAD_ENDS: dict[Kind, tuple[str, Callable[[], int]]] = {
    Kind.NAMED_PIPE: ("named pipe", hung_up_unix),
    Kind.TERMINAL: ("terminal", hung_up_unix),
    Kind.DEVICE: ("device", hung_up_unix),
    Kind.WATCH: ("file watch", never_ready),
    Kind.OTHER: ("kernel object", never_ready),
}


# What /proc/self/fdinfo says (proc(5)): hexadecimal for epoll sets and counters, decimal for timers.
_REGISTRATION = re.compile(r"^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)\s+data:\s*([0-9a-f]+)", re.MULTILINE)
_COUNT = re.compile(r"^eventfd-count:\s*([0-9a-f]+)", re.MULTILINE)
_SEMAPHORE = re.compile(r"^eventfd-semaphore:\s*1", re.MULTILINE)
_CLOCK = re.compile(r"^clockid:\s*(\d+)", re.MULTILINE)
_TICKS = re.compile(r"^ticks:\s*(\d+)", re.MULTILINE)
_LEFT = re.compile(r"^it_value:\s*\((\d+), (\d+)\)", re.MULTILINE)
_INTERVAL = re.compile(r"^it_interval:\s*\((\d+), (\d+)\)", re.MULTILINE)


def _epoll_set(at: Seats, told: str) -> EpollSet:
    return EpollSet(
        at,
        tuple(
            Registration(int(fd), int(events, 16), int(data, 16))
            for fd, events, data in _REGISTRATION.findall(told)
        ),
    )


def _counter(at: Seats, told: str) -> Counter:
    count = _COUNT.search(told)
    return Counter(at, int(count[1], 16) if count else 0, bool(_SEMAPHORE.search(told)))


def _timer(at: Seats, told: str) -> Timer:
    clock, ticks = _CLOCK.search(told), _TICKS.search(told)
    left = _nanoseconds(_LEFT.search(told))
    if ticks and int(ticks[1]):
        left = 1  # it had gone off and nobody had read so: it goes off again at once
    return Timer(at, int(clock[1]) if clock else 0, left, _nanoseconds(_INTERVAL.search(told)))


def _nanoseconds(pair: re.Match[str] | None) -> int:
    return int(pair[1]) * _NS + int(pair[2]) if pair else 0


_READERS: dict[Kind, Callable[[Seats, str], Remade]] = {
    Kind.EPOLL: _epoll_set,
    Kind.COUNTER: _counter,
    Kind.TIMER: _timer,
}
