"""Kinds 1 to 15, 22, 23, 29 and 78: the interpreter ends, by whatever way, or must not."""

from __future__ import annotations

import os
import signal
from functools import partial

from faults.kind import Act, Kind, Level
from faults.scene import HERE, Scene, recovery_of
from kit.wire import Cell

SEGFAULT = "import ctypes; ctypes.string_at(0)"

_TRUNCATED_MAP = """
import mmap, tempfile
with tempfile.TemporaryFile() as file:
    file.truncate(65536)
    view = mmap.mmap(file.fileno(), 65536)
    file.truncate(0)
    view[40000]
"""
_DOUBLE_FREE = """
import ctypes
memory = ctypes.create_string_buffer(256)
ctypes.CDLL(None).free(ctypes.c_void_p(ctypes.addressof(memory) + 24))
"""
_DEEP_C = """
class Deep:
    def __repr__(self):
        return "deep"
import ctypes
recurse = ctypes.CFUNCTYPE(None)(lambda: recurse())
import sys; sys.setrecursionlimit(10**9)
recurse()
"""


def killed_busy(scene: Scene) -> Cell:
    """From outside, in the middle of a cell."""
    msg_id = scene.start_busy()
    scene.kill_worker()
    return scene.finish(msg_id)


def killed_idle(scene: Scene) -> None:
    """From outside, between cells: it is said before the next cell, which runs."""
    scene.moment()
    scene.rest()
    since = len(scene.client.published)
    scene.kill_worker()
    scene.told("SIGKILL", since)
    assert scene.client.value("6 * 7") == 42


def signalled(number: signal.Signals, scene: Scene) -> Cell:
    """One that ends a process, in the middle of a cell."""
    msg_id = scene.start_busy()
    os.kill(scene.family.worker, number)
    return scene.finish(msg_id)


def piped(scene: Scene) -> Cell:
    """Python ignores SIGPIPE, and so does a session."""
    msg_id = scene.client.start(HERE + "input_ = None; del input_")
    os.kill(scene.family.worker, signal.SIGPIPE)
    return scene.finish(msg_id)


def stuck(code: str) -> Act:
    """A cell that no SIGINT stops: interrupted twice, then by force."""

    def insist(scene: Scene) -> Cell:
        msg_id = scene.start_busy(code)
        for _ in range(2):
            scene.client.ask("interrupt_request", {}, "control")
        assert msg_id not in scene.client.replies
        scene.client.ask("holdfast_interrupt_request", {"force": True}, "control")
        return scene.finish(msg_id)

    return insist


def in_the_third_cell(scene: Scene) -> None:
    """Damage that shows when an object is looked at, cells later: the damaged state is left in the end."""
    for attempt in range(_ATTEMPTS):
        cell = scene.client.run(f"repr(_poison)  # {attempt}", within=scene.kind.within)
        if attempt and cell.error["ename"] == "NameError":
            return
        assert "SIGSEGV" in cell.notice
    raise AssertionError(f"the state that crashes is kept after {_ATTEMPTS} crashes")


def one_after_the_other(scene: Scene) -> None:
    """Three different cells crash, and none in between ends: memory may be damaged, so one state back."""
    scene.client.do("newest = 1")
    scene.rest()
    cells = [scene.die(f"{SEGFAULT}  # {number}") for number in range(3)]
    assert [recovery_of(cell)["lost"] for cell in cells[:2]] == [[], []]
    assert recovery_of(cells[2])["lost"], cells[2].notice
    assert scene.client.run("newest").error["ename"] == "NameError"


def again_and_again(scene: Scene) -> Cell:
    """The same cell is at fault, not the state: nothing else is lost, however often."""
    cells = [scene.die() for _ in range(5)]
    assert [recovery_of(cell)["lost"] for cell in cells] == [[]] * 5
    return cells[-1]


_ATTEMPTS = 12

_POISON = """
_poison = object()
__import__("ctypes").c_size_t.from_address(id(_poison) + 8).value = 16
"""


def _no_core(scene: Scene) -> None:
    assert not [name for name in os.listdir(scene.folder) if "core" in name]


KINDS = [
    Kind(1, "null dereference", SEGFAULT, cause="SIGSEGV"),
    Kind(
        2,
        "faulthandler's segfault",
        "import faulthandler; faulthandler._sigsegv()",
        cause="SIGSEGV",
        slow=True,
    ),
    Kind(3, "abort", "import os; os.abort()", cause="SIGABRT"),
    Kind(
        4,
        "fatal error",
        "import ctypes; ctypes.pythonapi.Py_FatalError(b'planned')",
        cause="SIGABRT",
    ),
    Kind(5, "C stack overflow", "import faulthandler; faulthandler._stack_overflow()", cause="SIGSEGV"),
    Kind(5, "C stack overflow by recursion", _DEEP_C, cause="SIGSEGV"),
    Kind(
        6,
        "Python recursion",
        "(lambda f: f(f))(lambda f: f(f))",
        Level.GOES_ON,
        "RecursionError",
        within=10,
        slow=True,
    ),
    Kind(7, "bad free", _DOUBLE_FREE, cause="SIGABRT|SIGSEGV"),
    Kind(
        8,
        "heap damaged three cells ago",
        in_the_third_cell,
        setup=_POISON,
        rounds=1,
        steady=False,
    ),
    Kind(9, "illegal instruction", "import signal; signal.raise_signal(signal.SIGILL)", cause="SIGILL"),
    Kind(
        9, "arithmetic fault", "import signal; signal.raise_signal(signal.SIGFPE)", cause="SIGFPE", slow=True
    ),
    Kind(9, "bus error", _TRUNCATED_MAP, cause="SIGBUS"),
    Kind(10, "killed while busy", killed_busy, cause="SIGKILL.*unknown"),
    Kind(11, "killed while idle", killed_idle),
    Kind(12, "terminated", partial(signalled, signal.SIGTERM), cause="SIGTERM"),
    Kind(12, "hung up", partial(signalled, signal.SIGHUP), cause="SIGHUP", slow=True),
    Kind(12, "broken pipe", piped, Level.GOES_ON),
    Kind(13, "exit 0", "import os; os._exit(0)", cause="exit status 0", slow=True),
    Kind(13, "exit 3", "import os; os._exit(3)", cause="exit status 3"),
    Kind(14, "sys.exit", "__import__('sys').exit(3)", Level.GOES_ON, "SystemExit"),
    Kind(14, "SystemExit", "raise SystemExit('bye')", Level.GOES_ON, "SystemExit"),
    Kind(
        14,
        "temporary folder of a dead worker",
        SEGFAULT,
        setup="import os, tempfile; place = tempfile.TemporaryDirectory()",
        cause="SIGSEGV",
        probes=["os.path.isdir(place.name)"],
    ),
    Kind(15, "exec", "import os; os.execv('/bin/sleep', ['sleep', '300'])", cause="connection"),
    Kind(
        22,
        "C code that holds the GIL",
        stuck("import ctypes; ctypes.PyDLL(None).sleep(300)"),
        cause="request",
    ),
    Kind(
        22,
        "a semaphore in C that nobody posts",
        stuck(
            "import ctypes; libc = ctypes.PyDLL(None); semaphore = ctypes.create_string_buffer(64)\n"
            "libc.sem_init(semaphore, 0, 0)\nwhile True: libc.sem_wait(semaphore)"
        ),
        cause="request",
    ),
    Kind(
        23,
        "SIGINT blocked",
        stuck("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nwhile True: pass"),
        cause="request",
    ),
    Kind(29, "the same crash again and again", again_and_again, cause="SIGSEGV"),
    Kind(29, "three crashes in a row", one_after_the_other),
    Kind(
        78,
        "core dumps allowed",
        SEGFAULT,
        setup="ballast = bytearray(300_000_000)",
        cause="SIGSEGV",
        within=1.0,
        slow=True,  # the ballast
        probes=[("__import__('resource').getrlimit(4)[0]", 0), _no_core],
    ),
]
