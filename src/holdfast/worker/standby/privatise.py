"""A copy of the worker lets go of what is open when it falls asleep, and has its own when it wakes.

A copy that merely sleeps would still harm the live worker by what it holds: a pipe that never ends, a port
that stays taken, a lock that stays held, offsets and epoll sets that both move. So a sleeping copy holds
nothing of the user's but references to files; the rest is noted, and made anew when the copy wakes.

`survey` is the live worker's part, `fates` and `peers` decide, `remaking` makes, `lost` says what it means
for the user's variables.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from holdfast.worker.standby.descriptors import Descriptor, Kind, inventory
from holdfast.worker.standby.fates import Anew, Fate, of_files, of_kernel_objects, of_others, seat
from holdfast.worker.standby.peers import of_pipes, of_sockets
from holdfast.worker.standby.remaking import EpollSet, Made, Seat, hold_file
from holdfast.worker.standby.survey import Survey, restore

_FILES = (Kind.FILE, Kind.FOLDER)


class Severed(NamedTuple):
    """Something of the user's that did not come along."""

    fd: int
    kind: str
    """In words: "open socket", "file written by native code"."""
    target: str
    """Path, address, or the kernel's name of it."""


@dataclass(slots=True)
class Private:
    """A sleeping copy's knowledge of its descriptors."""

    survey: Survey
    anew: list[Anew] = field(default_factory=list)
    dead: list[Made] = field(default_factory=list)
    mute: set[int] = field(default_factory=set)
    severed: list[Severed] = field(default_factory=list)
    """What to tell the user after a promotion; never what the survey called ours."""

    def add(self, fate: Fate) -> None:
        """Note what is to become of a descriptor."""
        if isinstance(fate, Anew):
            self.anew.append(fate)
            return
        if fate.dead_end:
            self.dead.append(fate.dead_end)
        if fate.mute:
            self.mute.add(fate.descriptor.fd)
        self.sever(fate.descriptor, fate.words, fate.target)

    def sever(self, each: Descriptor, words: str, target: str = "") -> None:
        """Note that something of the user's does not come along."""
        if each.fd not in self.survey.ours:
            self.severed.append(Severed(each.fd, words, target or each.target))


def make_private(survey: Survey, ours: frozenset[int]) -> Private:
    """In the fork, first of all: let go of everything but `ours`, which stays as it is (with 0, 1, 2).

    Numbers stay taken, so that an object that closes one later hits nothing else. OSError only if there is no
    free descriptor to look with: such a fork must end, as it may still hold anything.
    """
    nothing = os.open(os.devnull, os.O_PATH | os.O_CLOEXEC)
    private = Private(survey)
    found = inventory({*ours, *survey.held, nothing})
    for fate in _fates(found, survey):
        private.add(fate)
    for each in found:
        if each.kind is not Kind.HARMLESS:
            _let_go(seat(each), nothing, is_file=each.kind in _FILES)
    os.close(nothing)
    return private


def wake(private: Private) -> None:
    """In the copy that becomes the worker, before anything else uses a descriptor: make everything anew.

    Also starts the timers. What can't be made anew is from now on a number
    on which every operation fails, and one more of `private.severed`. What handlers of the fork have closed
    meanwhile (matplotlib's close its fonts) stays closed: nobody misses it.
    """
    _forget_closed(private)
    sets: list[EpollSet] = []
    for each in private.anew:
        try:
            each.thing.remake()
        except OSError as error:
            _failed(private, each, error)
        else:
            if isinstance(each.thing, EpollSet):
                sets.append(each.thing)
    for dead_end in private.dead:
        try:
            dead_end.remake()
        except OSError:  # then it stays a number on which everything fails; severed it is anyway
            private.mute.add(dead_end.seat.fd)
    for one in sets:
        one.fill(private.mute)
    restore(private.survey)


def _fates(found: list[Descriptor], survey: Survey) -> Iterator[Fate]:
    def of(*kinds: Kind) -> list[Descriptor]:
        return [each for each in found if each.kind in kinds]

    yield from of_files(of(*_FILES), survey.python_files)
    yield from of_pipes(of(Kind.PIPE))
    yield from of_sockets(of(Kind.SOCKET))
    yield from of_kernel_objects(of(Kind.EPOLL, Kind.COUNTER, Kind.TIMER))
    yield from of_others(of(Kind.NAMED_PIPE, Kind.TERMINAL, Kind.DEVICE, Kind.WATCH, Kind.OTHER))


def _forget_closed(private: Private) -> None:
    def is_open(fd: int) -> bool:
        try:
            os.fstat(fd)
        except OSError:
            return False
        return True

    private.anew = [each for each in private.anew if any(is_open(one.fd) for one in each.descriptors)]
    private.dead = [each for each in private.dead if is_open(each.seat.fd)]
    private.severed = [each for each in private.severed if is_open(each.fd)]


def _let_go(at: Seat, nothing: int, *, is_file: bool) -> None:
    if is_file:
        try:
            hold_file(at)
        except OSError:  # then it can't be opened again either: the user is told when that is tried
            pass
        else:
            return
    at.occupy(nothing)


def _failed(private: Private, fate: Anew, error: OSError) -> None:
    for each in fate.descriptors:
        words = each.kind.name.lower().replace("_", " ")
        private.sever(each, f"{words} that can't be opened again: {error.strerror}")
