"""Two networks with a wire between them (ip-netns(8)): it is cut, loses packets, leads elsewhere later."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

needs_networks = pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("ip") is None, reason="needs root, and iproute2"
)

HERE, THERE, ELSEWHERE = "10.77.0.1", "10.77.0.2", "10.77.8.8"
"""Our address, the other host's, and the one that is ours after we have moved."""

_PLUG, _BITS = "hf0", 16
_NOBODY = "02:00:00:00:00:99"
"""An address on the wire that is nobody's: what is sent there vanishes."""


class Wire:
    """Between network `here` and network `there`. What happens to it is over at the end of a `with`."""

    def __init__(self) -> None:
        word = secrets.token_hex(3)
        self.here, self.there = f"hfa{word}", f"hfb{word}"

    def lay(self) -> None:
        """Make it, with an address at each end."""
        for network in (self.here, self.there):
            ip("netns", "add", network)
        ip("-n", self.here, "link", "add", _PLUG, "type", "veth", "peer", _PLUG, "netns", self.there)
        for network, address in ((self.here, HERE), (self.there, THERE)):
            ip("-n", network, "addr", "add", f"{address}/{_BITS}", "dev", _PLUG)
            for each in ("lo", _PLUG):
                ip("-n", network, "link", "set", each, "up")

    def remove(self) -> None:
        """Take it away, with both networks."""
        for network in (self.here, self.there):
            subprocess.run(["ip", "netns", "del", network], check=False, capture_output=True)

    def inside(self, network: str) -> list[str]:
        """What stands in front of a command that is to run in that network."""
        return ["ip", "netns", "exec", network]

    @property
    def connections(self) -> list[str]:
        """Ports here of those that are open to the other host, as this one sees it."""
        listed = ["ss", "-Htn", "state", "established", "dst", THERE]
        told = subprocess.run(
            [*self.inside(self.here), *listed], check=True, capture_output=True, text=True, timeout=20
        ).stdout
        return re.findall(rf"{re.escape(HERE)}:(\d+)\s", told)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """As when a plug is pulled: who wants to send is told after a while."""
        ip("-n", self.there, "link", "set", _PLUG, "down")
        try:
            yield
        finally:
            ip("-n", self.there, "link", "set", _PLUG, "up")

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Nothing arrives, and nobody is told."""
        ends = ((self.here, THERE), (self.there, HERE))
        for network, other in ends:
            ip(*_neighbour("replace", network, other), "lladdr", _NOBODY, "nud", "permanent")
        try:
            yield
        finally:
            for network, other in ends:
                ip(*_neighbour("del", network, other))

    @contextmanager
    def moved(self) -> Iterator[None]:
        """Our end has another address."""
        self._move(HERE, ELSEWHERE)
        try:
            yield
        finally:
            self._move(ELSEWHERE, HERE)

    @contextmanager
    def forgotten(self) -> Iterator[int]:
        """Packets of the connections that are open now vanish, as in a router that has forgotten them.

        New ones are as ever. Gives how many there are.
        """
        ports = self.connections
        with contextlib.ExitStack() as stack:
            for port in ports:
                for end in ("sport", "dport"):
                    rule = ["ipproto", "tcp", end, port, "blackhole"]
                    ip("-n", self.there, "rule", "add", *rule)
                    stack.callback(ip, "-n", self.there, "rule", "del", *rule)
            yield len(ports)

    def _move(self, old: str, new: str) -> None:
        ip("-n", self.here, "addr", "del", f"{old}/{_BITS}", "dev", _PLUG)
        ip("-n", self.here, "addr", "add", f"{new}/{_BITS}", "dev", _PLUG)


@contextmanager
def wire() -> Iterator[Wire]:
    """Two networks, until the end."""
    made = Wire()
    try:
        made.lay()
        early = "echo 0 > /proc/sys/net/ipv4/tcp_early_demux"  # else rules don't see what `forgotten` has to
        subprocess.run([*made.inside(made.there), "sh", "-c", early], check=True, timeout=20)
        yield made
    finally:
        made.remove()


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=20)


def _neighbour(what: str, network: str, address: str) -> tuple[str, ...]:
    return "-n", network, "neigh", what, address, "dev", _PLUG
