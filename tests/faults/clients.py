"""Kinds 38 and 76: a client that is flooded, and one that is away when it matters."""

from __future__ import annotations

import secrets
from pathlib import Path

from faults.deaths import SEGFAULT
from faults.kind import Kind, Level
from faults.scene import MESS, SETTLED_SECONDS, Scene
from holdfast.client.doorbell import DoorbellClient
from kit.deadline import Deadline
from kit.gate import Gate
from kit.processes import wait_for_end
from kit.wire import Cell

_FLOOD_MEGABYTES = 100
_SUPERVISOR_MEGABYTES = 200
_JOURNAL_MEGABYTES = 30


def flooded(scene: Scene) -> Cell:
    """A cell prints as fast as it can: it waits for its reader, who grows only so far."""
    cell = scene.client.run(
        f"for _ in range({_FLOOD_MEGABYTES}): print('x' * 1_000_000)\ndel _", within=scene.kind.within
    )
    assert len(cell.text()) == _FLOOD_MEGABYTES * 1_000_001
    peak = Path(f"/proc/{scene.family.supervisor}/status").read_text().partition("VmHWM:")[2].split()[0]
    assert int(peak) / 1024 < _SUPERVISOR_MEGABYTES, f"the supervisor took {peak} kB"
    files = [path.stat().st_size for path in scene.kernel.folder.glob("state/sessions/*/*")]
    assert sum(files) / 1e6 < _JOURNAL_MEGABYTES
    return cell


def gone_when_it_comes(scene: Scene) -> None:
    """The client leaves before the answer: whoever comes next finds the state, and the crash in the log."""
    scene.client.start(MESS + SEGFAULT)
    scene.client.settle()  # it is there: who leaves takes along what is still on its way
    scene.client.close()
    scene.client = scene.kernel.client("successor")
    # A cell that came before the answer to the one that died would be aborted, as after any error.
    scene.client.until_told(lambda: scene.about()["state"] == "idle", "the next interpreter")
    scene.same_as_before()
    last = scene.client.ask("holdfast_log_request", {}, "control")["cells"]
    assert [cell["status"] for cell in last if SEGFAULT in cell["code"]][-1] == "crashed"


def told_to_who_comes_next(scene: Scene) -> None:
    """Nobody was there when the cell crashed: the first cell of who comes next says so."""
    gate = Gate(scene.folder / f"gate-{secrets.token_hex(2)}")
    scene.client.start(MESS + gate.wait + "\n" + SEGFAULT)
    scene.client.settle()
    worker = scene.family.worker
    scene.client.close()
    scene.kernel.process.kill()
    scene.kernel.process.wait()
    (bell,) = scene.kernel.folder.glob("run/*/doorbell")
    with DoorbellClient.connect(bell, "tests") as outside:
        deadline = Deadline(SETTLED_SECONDS)
        while outside.ask("info")["clients"]:
            assert not deadline.passed, "it is not seen that the client has left"
        gate.open()
        assert wait_for_end(worker, Deadline(scene.kind.within))
        while outside.ask("info")["state"] != "idle":
            assert not deadline.passed, "nobody takes over"
    scene.relaunch()
    assert "SIGSEGV" in scene.said or "died" in scene.said, scene.said


KINDS = [
    Kind(38, "flood of output", flooded, Level.GOES_ON, within=60.0, slow=True),
    Kind(76, "client gone during recovery", gone_when_it_comes),
    Kind(76, "nobody there during recovery", told_to_who_comes_next),
]
