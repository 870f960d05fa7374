"""Who stands at the door over TCP and is not let in: how many may, and who is not heard for a while. Pure.

    more than may stand there                the oldest of the source that has most are hung up on
    a source whose tries come to nothing     counted; after `listen.failures` it is shut out for a while
    a source from which somebody came in     never shut out: others may be at the same address
    this host itself                         never: all its users have one address

A source is an address, of IPv6 a network of 64 bits: that is what one customer of a provider has.
"""

from __future__ import annotations

import functools
import heapq
import ipaddress
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from holdfast.access.connections import Connection
from holdfast.settings import Listen

SHUT_OUT = 64
"""Sources that are shut out at a time: each costs the system a few instructions with each packet that comes
to the door. If there are more, `listen.strangers` bounds what they cost."""

KNOWN = 1_024
"""Sources that are remembered, of either kind."""

_NETWORK = 64


@functools.lru_cache(maxsize=4 * KNOWN)
def source_of(address: str) -> str:
    """What an address is counted as."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None:
            return "::1" if found.is_loopback else str(ipaddress.ip_network((found, _NETWORK), strict=False))
        found = found.ipv4_mapped
    return str(found)


def _is_here(source: str) -> bool:
    return source == "::1" or source.startswith("127.")


class _Tries(msgspec.Struct):
    """What came to nothing, of one source."""

    count: int = 0
    last: float = 0.0
    until: float = 0.0
    """Shut out so long; times are `time.monotonic()`."""


class _Stands(NamedTuple):
    since: float
    let_in: bool
    ours: bool = False
    """We have hung up, for what others do: it is not its own failure."""


class Threshold:
    """Of one door."""

    def __init__(self, bounds: Listen) -> None:
        self._bounds = bounds
        self._there: dict[tuple[str, int], _Stands] = {}
        self._tries: OrderedDict[str, _Tries] = OrderedDict()  # latest last
        self._known: OrderedDict[str, None] = OrderedDict()  # somebody came in from there; latest last

    def look(self, connections: Iterable[Connection], most: int, now: float) -> list[Connection]:
        """Those to hang up on. `most`: connections that may be there at all."""
        before, self._there = self._there, {}
        for each in connections:
            since = before.pop(each[1:3], _Stands(now, each.let_in)).since
            self._there[each[1:3]] = _Stands(since, each.let_in)
        for (address, _), gone in before.items():
            if not gone.let_in and not gone.ours:
                self.failed(address, now)
        return self._too_many(list(connections), most, now)

    def failed(self, address: str, now: float) -> None:
        """A try from there came to nothing."""
        source = source_of(address)
        if source in self._known or _is_here(source):
            return
        tries = self._tries.setdefault(source, _Tries())
        if now - tries.last > self._bounds.shut_out_seconds:
            tries.count = 0
        tries.count, tries.last = tries.count + 1, now
        if tries.count >= self._bounds.failures:
            tries.count, tries.until = 0, now + self._bounds.shut_out_seconds
        self._tries.move_to_end(source)
        if len(self._tries) > KNOWN:
            self._tries.popitem(last=False)

    def let_in(self, address: str) -> None:
        """Somebody has come in from there."""
        source = source_of(address)
        self._tries.pop(source, None)
        self._known[source] = None
        self._known.move_to_end(source)
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)

    def forgive(self) -> None:
        """Others may come in now: who was turned away may be one of them."""
        self._tries.clear()

    def shut_out(self, now: float) -> tuple[str, ...]:
        """Sources that are not to be heard now, the latest if there are many."""
        return tuple(source for source, tries in self._tries.items() if now < tries.until)[-SHUT_OUT:]

    def _too_many(self, connections: list[Connection], most: int, now: float) -> list[Connection]:
        out = self.shut_out(now)
        in_order = sorted(connections, key=lambda each: self._there[each[1:3]].since)
        leaving = {each: True for each in in_order if not each.let_in and source_of(each.address) in out}
        waiting = [each for each in in_order if not each.let_in and each not in leaving]
        leaving |= _beyond(waiting, self._bounds.strangers_each, self._bounds.strangers)
        rest = [each for each in in_order if each not in leaving]
        leaving |= _beyond(rest, len(rest), most)
        for victim, own_fault in leaving.items():
            if not own_fault:
                self._there[victim[1:3]] = self._there[victim[1:3]]._replace(ours=True)
        return list(leaving)


def _beyond(in_order: list[Connection], most_each: int, most: int) -> dict[Connection, bool]:
    """What is too much: of who has most, the oldest first; and whether its source alone has too many."""
    by_source: dict[str, deque[tuple[int, Connection]]] = {}
    for place, connection in enumerate(in_order):
        by_source.setdefault(source_of(connection.address), deque()).append((place, connection))
    heap = [(-len(own), own[0][0], source) for source, own in by_source.items()]
    heapq.heapify(heap)
    leaving: dict[Connection, bool] = {}
    while heap and (-heap[0][0] > most_each or len(in_order) - len(leaving) > most):
        count, _, source = heap[0]
        own = by_source[source]
        leaving[own.popleft()[1]] = -count > most_each
        if own:
            heapq.heapreplace(heap, (-len(own), own[0][0], source))
        else:
            heapq.heappop(heap)
    return leaving
