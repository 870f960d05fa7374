"""Kinds 52, 54 to 57, 63 to 65, 67 and 77: the disk below the journal, its lock, its clock, its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from faults import machine
from faults.kind import Act, Kind, Level
from faults.scene import HERE, Scene
from kit.kernel import environment

_CELLS = 6
_DAY = 86_400
_NOBODY = 65534
_OFFSETS = 3
"""Damaged places in one round."""


def disk_full(scene: Scene) -> None:
    """A cell that can't be written down is refused before it runs; with space again, cells run."""
    ballast = machine.fill(scene.kernel.folder)
    refused = None
    for _ in range(50):  # the log that is there may hold some more
        cell = scene.client.run("ran = " + repr("x" * 20_000), within=10)
        if cell.status == "error":
            refused = cell
            break
    assert refused is not None
    assert "no space" in str(refused.reply["evalue"]), refused.reply
    ballast.unlink()
    scene.client.do("globals().pop('ran', None); None")


def disk_broken(scene: Scene) -> None:
    """Every write fails with EIO: it is said, and when the disk is back, so is all that was written down."""
    machine.break_disk(scene.kernel.folder)
    cells = [scene.client.run("None", within=10) for _ in range(5)]
    assert cells[-1].status == "error"
    assert "disk" in cells[-1].reply["evalue"], cells[-1].reply
    scene.kill_everything()
    machine.mend_disk(scene.kernel.folder)
    _reopened(scene)


def _ended(scene: Scene) -> Path:
    """The folder of the session, after an unclean end with some cells in the log that is written ahead."""
    for number in range(_CELLS):
        scene.client.do(f"None  # cell {number}")
    (journal,) = scene.kernel.folder.glob("state/sessions/*/journal.db")
    scene.kill_everything()
    return journal.parent


def _log(scene: Scene, folder: Path) -> subprocess.CompletedProcess[str]:
    """`holdfast log`: never a traceback of ours."""
    done = subprocess.run(
        [sys.executable, "-m", "holdfast", "log", folder.name, "-n", "1000"],
        env=environment(scene.kernel.folder, scene.kernel.mark),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == 0 or "try:" in done.stderr, done.stderr
    return done


def _reopened(scene: Scene) -> None:
    """The session starts on what is left, with a client, and runs cells."""
    scene.relaunch()
    assert scene.client.value("6 * 7") == 42
    scene.set_up()


def log_truncated(scene: Scene) -> None:
    """The log that is written ahead ends anywhere: the cells that are whole are there, in order."""
    folder = _ended(scene)
    wal, whole = folder / "journal.db-wal", (folder / "journal.db-wal").read_bytes()
    everything = [f"# cell {number}" for number in range(_CELLS)]
    for _ in range(_OFFSETS):
        wal.write_bytes(whole[: scene.dice.randrange(len(whole))])
        done = _log(scene, folder)
        found = [line for line in everything if line in done.stdout]
        assert found == everything[: len(found)]
    _reopened(scene)


def journal_truncated(scene: Scene) -> None:
    """The journal itself ends anywhere: it is read, or said to be damaged, and left as it is."""
    folder = _ended(scene)
    journal, whole = folder / "journal.db", (folder / "journal.db").read_bytes()
    for _ in range(_OFFSETS):
        cut = whole[: scene.dice.randrange(len(whole))]
        journal.write_bytes(cut)
        _log(scene, folder)
        assert journal.read_bytes() == cut
    journal.write_bytes(whole)
    _reopened(scene)


def bits_flipped(scene: Scene) -> None:
    """One bit of journal or log is another one: no crash, no traceback."""
    folder = _ended(scene)
    for name in ("journal.db", "journal.db-wal"):
        path, whole = folder / name, (folder / name).read_bytes()
        for _ in range(_OFFSETS):
            data = bytearray(whole)
            data[scene.dice.randrange(len(data))] ^= 1 << scene.dice.randrange(8)
            path.write_bytes(data)
            _log(scene, folder)
        path.write_bytes(whole)
    _reopened(scene)


def log_deleted(scene: Scene) -> None:
    """Without the log that was written ahead, the session opens."""
    folder = _ended(scene)
    (folder / "journal.db-wal").unlink()
    (folder / "journal.db-shm").write_bytes(b"stale" * 1000)
    (folder / "journal.db-shm").chmod(0o600)
    _log(scene, folder)
    _reopened(scene)


def stale_lock(**holder: object) -> Act:
    """A lock file by a process that is gone: nobody holds it, so the session just starts."""

    def act(scene: Scene) -> None:
        folder = _ended(scene)
        lock = folder / "lock"
        content = json.loads(lock.read_text()) | holder
        lock.write_text(json.dumps(content))
        _reopened(scene)

    return act


def clock_jumps(scene: Scene) -> None:
    """A day forwards, then two back, in the middle of cells: nothing times out, the order stays."""
    for jump in ("later", "earlier"):
        file = scene.kernel.folder / jump
        msg_id = scene.client.start(HERE + "any(print(n) for n in range(10_000)); None")
        scene.client.text(msg_id, "here")
        file.touch()
        assert scene.client.finish(msg_id).status == "ok"
        day = scene.client.value("__import__('time').time()") - time.time()
        assert abs(abs(day) - _DAY) < 100, "the clock did not jump"
        assert scene.die().status == "error"
        scene.same_as_before()
        file.unlink()
        scene.client.do("None")
    told = scene.client.ask("holdfast_log_request", {}, "control")["cells"]
    counts = [cell["count"] for cell in told if cell["count"]]
    assert counts == sorted(counts)


def foreign_folder(scene: Scene) -> None:
    """Somebody else's folder, or one that others may write to, is not used."""
    folder = _ended(scene)
    journal = folder / "journal.db"
    os.chown(journal, _NOBODY, _NOBODY)
    assert "belongs to" in _log(scene, folder).stderr
    os.chown(journal, os.getuid(), os.getgid())
    journal.chmod(0o666)
    assert "open to others" in _log(scene, folder).stderr
    journal.chmod(0o600)
    folder.chmod(0o777)
    scene.kernel.launch()
    assert scene.kernel.wait() != 0
    folder.chmod(0o700)
    _reopened(scene)


KINDS = [
    Kind(
        52,
        "disk full",
        disk_full,
        Level.GOES_ON,
        place=machine.small_disk,
        needs=[machine.no_mounts],
    ),
    Kind(
        54,
        "disk broken",
        disk_broken,
        place=machine.loop_disk,
        needs=[machine.no_loop_disk],
        rounds=1,
        slow=True,
    ),
    Kind(55, "log cut anywhere", log_truncated, rounds=1),
    Kind(55, "journal cut anywhere", journal_truncated, rounds=1, slow=True),
    Kind(56, "bits flipped", bits_flipped, rounds=1),
    Kind(57, "log deleted", log_deleted, rounds=1),
    Kind(63, "lock of an earlier boot", stale_lock(boot_id="another"), rounds=1),
    Kind(64, "lock names a pid that lives", stale_lock(pid=1), rounds=1),
    Kind(65, "lock on NFS", not_tested="needs two hosts and NFS"),
    Kind(
        67,
        "clock jumps",
        clock_jumps,
        place=machine.own_clock,
        needs=[machine.no_compiler],
    ),
    Kind(77, "folder of others", foreign_folder, needs=[machine.no_root], rounds=1),
]
