"""Kinds 18 to 21: memory runs out."""

from __future__ import annotations

import os
import signal

from faults import machine
from faults.checkpoints import everything_killed
from faults.deaths import SEGFAULT
from faults.kind import Kind, Level
from faults.scene import MESS, Scene
from kit.deadline import Deadline
from kit.processes import wait_for_end
from kit.wire import Cell

_LIMIT = 500 * 1024 * 1024

_GREED = "hoard = []\nwhile True: hoard.append(bytearray(b'x') * 10_000_000)"


def out_of_memory(scene: Scene) -> Cell:
    """A control group with a limit, and a cell that does not know one."""
    with machine.group("memory", scene.kernel) as group:
        group.set("memory.limit_in_bytes", _LIMIT)
        return scene.client.run(MESS + _GREED, within=scene.kind.within)


def standbys_killed(scene: Scene) -> None:
    """As the OOM killer would, if it took the sleeping ones: others are taken, and the worker never knows."""
    scene.rest()
    for pid in scene.family.standbys:
        os.kill(pid, signal.SIGKILL)
        assert wait_for_end(pid, Deadline(5))
    scene.client.settle()
    scene.rest()


def _no_room(bytes_more: int) -> str:
    return (
        "def fill():\n"
        "    import resource\n"
        "    used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "    old = resource.getrlimit(resource.RLIMIT_AS)\n"
        f"    resource.setrlimit(resource.RLIMIT_AS, (used + {bytes_more}, old[1]))\n"
        "    try: return [bytearray(10_000_000) for _ in range(10_000)]\n"
        "    finally: resource.setrlimit(resource.RLIMIT_AS, old)\n"
        "try: fill()\n"
        "finally: del fill"
    )


def _survives_a_crash(scene: Scene) -> None:
    assert scene.die(SEGFAULT).status == "error"
    scene.same_as_before()


KINDS = [
    Kind(
        18,
        "killed for lack of memory",
        out_of_memory,
        cause="out of memory",
        within=20.0,
        needs=[machine.no_memory_group],
    ),
    Kind(19, "standbys killed", standbys_killed, Level.GOES_ON, probes=[_survives_a_crash]),
    Kind(
        20,
        "the whole group killed",
        everything_killed,
        Level.DISK,
        rounds=1,
        slow=True,
    ),
    Kind(21, "MemoryError", _no_room(50_000_000), Level.GOES_ON, "MemoryError"),
]
