"""Kinds 16, 17, 24 to 28, 30 to 33, 44, 60, 61, 66, 68 and 69: others die, stop, multiply, or come twice."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from faults import machine
from faults.checkpoints import checkpointed
from faults.deaths import SEGFAULT
from faults.kind import Kind, Level
from faults.scene import HERE, LEVELS, SETTLED_SECONDS, Scene, recovery_of
from kit.deadline import Deadline
from kit.kernel import COMMAND, START_SECONDS, connection, environment
from kit.processes import marked, wait_for_end
from kit.wire import Cell, Client, Message, beat

_STOPPED_SECONDS = 1.0
_ADOPTION_SECONDS = 5.0
"""From the death of a supervisor to the reply that the next one sends."""


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """SIGSTOP, and SIGCONT at the end."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def worker_stopped(scene: Scene) -> Cell:
    """Nobody takes a stopped worker for a dead one."""
    msg_id = scene.client.start(HERE + "any(print(n) for n in range(30_000)); None")
    scene.client.text(msg_id, "here")
    scene.moment()
    with stopped(scene.family.worker):
        scene.client.listen(_STOPPED_SECONDS)
        assert beat(scene.kernel.info) == b"ping"
        assert scene.about()["state"] in {"busy", "idle"}
    return scene.client.finish(msg_id)


def standby_stopped(scene: Scene) -> None:
    """The newest does not wake within its deadline: the one before does, and it is said what that lacks."""
    scene.client.do("newest = 1")
    scene.rest()
    with stopped(scene.family.standbys[-1]):
        cell = scene.client.run(SEGFAULT, within=10)
    _stepped_back(scene, cell)


def standby_killed_while_waking(scene: Scene) -> None:
    """As above, but it dies on the way."""
    scene.client.do("newest = 1")
    scene.rest()
    newest = scene.family.standbys[-1]
    os.kill(newest, signal.SIGSTOP)
    msg_id = scene.client.start(SEGFAULT)
    scene.client.listen(0.2)
    os.kill(newest, signal.SIGKILL)
    _stepped_back(scene, scene.client.finish(msg_id, within=scene.kind.within))


def _stepped_back(scene: Scene, cell: Cell) -> None:
    recovery = recovery_of(cell)
    assert recovery["level"] == LEVELS[Level.RESUME], recovery
    assert recovery["lost"], recovery
    assert scene.client.run("newest").error["ename"] == "NameError"


def supervisor_stopped(scene: Scene) -> Cell:
    """Clients wait; nothing is lost, nothing runs twice."""
    supervisor = scene.family.supervisor
    msg_id = scene.client.start(HERE + "any(print(n) for n in range(30_000)); None")
    scene.client.text(msg_id, "here")
    scene.moment()
    with stopped(supervisor):
        scene.client.listen(_STOPPED_SECONDS)
    cell = scene.client.finish(msg_id)
    assert cell.text() == "here\n" + "".join(f"{n}\n" for n in range(30_000))
    return cell


def no_standby_left(scene: Scene) -> Cell:
    """All standbys die while a cell runs, then the cell does."""
    checkpointed(scene)
    msg_id = scene.start_busy()
    for pid in scene.family.standbys:
        os.kill(pid, signal.SIGKILL)
        assert wait_for_end(pid, Deadline(5))
    scene.kill_worker()
    return scene.finish(msg_id)


def killed_while_freezing(scene: Scene) -> None:
    """Right after a reply, when the next standby is being forked: what is said of the state is true."""
    for _ in range(10):
        worker = scene.family.worker
        step = scene.kept["step"] = scene.kept.get("step", 0) + 1
        since = len(scene.client.published)
        scene.client.do(f"step = {step}")
        scene.client.listen(scene.dice.uniform(0, 0.008))
        os.kill(worker, signal.SIGKILL)
        notice = scene.told("SIGKILL", since)
        found = scene.client.value("globals().get('step', 0)")
        whole = "every variable as after the last cell" in notice
        assert whole == (found == step), (found, step, notice)
    scene.client.do("globals().pop('step', None); None")


def fork_that_hangs(scene: Scene) -> None:
    """A handler at the fork waits for ever: the worker is given up, the state before it comes back."""
    scene.client.do("hang = 1")
    assert scene.client.run("6 * 7", within=15).status in {"ok", "error"}
    assert scene.client.value("6 * 7", within=15) == 42


def no_forks(scene: Scene) -> None:
    """The machine gives no more processes: the session goes on without a new standby, and says so."""
    with machine.group("pids", scene.kernel) as group:
        group.set("pids.max", 1)
        scene.client.do("extra = 1")
        scene.client.until_told(lambda: scene.about()["no_standby"], "word that there is no standby")
        scene.client.do("del extra")
    scene.client.do("None")
    scene.rest()


def bomb(scene: Scene) -> None:
    """A cell forks without end, in a group with an end: it gets an error, and the session goes on."""
    mine = set(marked(scene.kernel.mark))
    with machine.group("pids", scene.kernel) as group:
        group.set("pids.max", int(group.get("pids.current")) + 40)
        cell = scene.client.run(_BOMB, within=10)
        assert cell.error["ename"] == "BlockingIOError"
        worker = scene.family.worker
        for pid in marked(scene.kernel.mark).keys() - mine:
            with suppress(ProcessLookupError):
                if pid != worker and os.getpgid(pid) == os.getpgid(worker):
                    os.kill(pid, signal.SIGKILL)
    scene.client.do("globals().pop('bomb', None); None")
    scene.rest()


_BOMB = """
def bomb():
    import os, signal
    while True:
        if not os.fork():
            signal.pause()
bomb()
"""


def supervisor_killed(scene: Scene) -> None:
    """In mid-cell: the next one adopts the worker, and the cell's reply comes, once."""
    msg_id = scene.client.start(HERE + "any(print(n) for n in range(100_000)); None")
    scene.client.text(msg_id, "here")
    scene.moment()
    worker = scene.family.worker
    os.kill(scene.family.supervisor, signal.SIGKILL)
    cell = scene.client.finish(msg_id, within=_ADOPTION_SECONDS)
    assert cell.status == "ok"
    assert cell.text() == "here\n" + "".join(f"{n}\n" for n in range(100_000))
    assert scene.family.worker == worker


def supervisor_killed_before_dispatch(scene: Scene) -> None:
    """A cell that was written down and never given to the worker does not run later by itself."""
    busy = scene.client.start(HERE + "any(print(n) for n in range(100_000)); None")
    scene.client.text(busy, "here")
    waiting = scene.client.start("never = 1")
    scene.client.settle()
    os.kill(scene.family.supervisor, signal.SIGKILL)
    scene.client.finish(busy, within=_ADOPTION_SECONDS)
    answer = scene.client.finish(waiting, within=_ADOPTION_SECONDS)
    ran = scene.client.value("'never' in globals()")
    assert (answer.status == "ok") == ran
    scene.client.do("globals().pop('never', None); None")


def two_at_once(scene: Scene) -> None:
    """Two launchers start one session at the same moment: one supervisor serves both."""
    folder = scene.kernel.folder
    around = environment(folder, scene.kernel.mark)
    name = f"twins-{secrets.token_hex(2)}"
    infos = [connection(folder) for _ in range(2)]
    before = _supervisors(scene)
    launchers = [_launch(folder / f"{name}-{n}.json", info, name, around) for n, info in enumerate(infos)]
    clients = [scene.things.enter_context(closing(Client(info))) for info in infos]
    for client in clients:
        client.wait_for_welcome(START_SECONDS)
    clients[0].do("shared = 5")
    assert clients[1].value("shared") == 5
    assert len(_supervisors(scene) - before) == 1
    stop = [sys.executable, "-m", "holdfast", "stop", name]
    subprocess.run(stop, env=around, check=True, capture_output=True)
    for client, launcher in zip(clients, launchers, strict=True):
        client.close()
        launcher.wait(SETTLED_SECONDS)


def _launch(file: Path, info: Message, name: str, around: dict[str, str]) -> subprocess.Popen[bytes]:
    file.write_text(json.dumps(info))
    file.chmod(0o600)
    return subprocess.Popen(
        [*COMMAND, str(file), "--session", name],
        env=around,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _supervisors(scene: Scene) -> set[int]:
    return {pid for pid, command in marked(scene.kernel.mark).items() if "holdfast.supervisor" in command}


def frozen_and_thawed(scene: Scene) -> Cell:
    """All processes stand still at once, as when a laptop sleeps."""
    msg_id = scene.client.start(HERE + "any(print(n) for n in range(30_000)); None")
    scene.client.text(msg_id, "here")
    scene.moment()
    with machine.group("freezer", scene.kernel) as group:
        group.set("freezer.state", "FROZEN")
        scene.client.listen(_STOPPED_SECONDS)
        group.set("freezer.state", "THAWED")
    return scene.client.finish(msg_id)


def orphans(scene: Scene) -> None:
    """Killed standbys and children of dead workers are reaped; none stays as a zombie."""
    scene.client.do("child = __import__('subprocess').Popen(['sleep', '300'])")
    child = scene.client.value("child.pid")
    scene.die()
    doomed = [child, *scene.family.standbys]
    for pid in doomed:
        os.kill(pid, signal.SIGKILL)
    deadline = Deadline(SETTLED_SECONDS)
    while left := [pid for pid in doomed if Path(f"/proc/{pid}").exists()]:
        assert not deadline.passed, f"not reaped: {left}"
    scene.client.do("del child")


_CHILD = """
import subprocess
child = subprocess.Popen(["sh", "-c", "read line; exit 7"], stdin=subprocess.PIPE)
"""
_CHILD_RETURNS = """
def fork():
    import os
    return os.fork()
pid = fork()
if pid:
    import os
    _ = os.waitpid(pid, 0)
    del os
del fork, pid
"""
_POOL_CRASH = """
def crash():
    import concurrent.futures, multiprocessing, os
    with concurrent.futures.ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        pool.submit(os.abort).result()
try:
    crash()
finally:
    del crash
"""
_HANG = """
import os, threading
ever = threading.Event()
os.register_at_fork(before=lambda: "hang" in globals() and ever.wait())
"""

KINDS = [
    Kind(16, "forked copy returns from its cell", _CHILD_RETURNS, Level.GOES_ON),
    Kind(17, "crash in a pool's process", _POOL_CRASH, Level.GOES_ON, "BrokenProcessPool", within=10),
    Kind(24, "worker stopped", worker_stopped, Level.GOES_ON, within=10),
    Kind(25, "standby stopped", standby_stopped, settings="standby.wake_seconds = 1.0\n", slow=True),
    Kind(26, "supervisor stopped", supervisor_stopped, Level.GOES_ON, within=10),
    Kind(27, "no standby left", no_standby_left, Level.DISK, "SIGKILL", within=10, rounds=1),
    Kind(28, "standby killed while it wakes", standby_killed_while_waking),
    Kind(30, "killed while a standby is forked", killed_while_freezing),
    Kind(31, "a fork hangs", fork_that_hangs, setup=_HANG, within=20, slow=True),
    Kind(32, "no more processes", no_forks, Level.GOES_ON, needs=[machine.no_pids_group]),
    Kind(
        32,
        "no memory to fork",
        not_tested="vm.overcommit_memory is the whole machine's; EAGAIN by a pids group stands for it",
    ),
    Kind(33, "fork bomb", bomb, Level.GOES_ON, needs=[machine.no_pids_group]),
    Kind(
        44,
        "child of a dead worker",
        SEGFAULT,
        setup=_CHILD,
        probes=[("child.wait(5)", 7)],
        lost=["child"],
    ),
    Kind(60, "supervisor killed in a cell", supervisor_killed, Level.GOES_ON),
    Kind(
        61,
        "supervisor killed before a cell starts",
        supervisor_killed_before_dispatch,
        Level.GOES_ON,
    ),
    Kind(66, "two starts at once", two_at_once, Level.GOES_ON),
    Kind(
        68, "everything stands still", frozen_and_thawed, Level.GOES_ON, within=10, needs=[machine.no_freezer]
    ),
    Kind(69, "orphans and zombies", orphans),
]
