"""Kinds 53, 58, 59, 62, 70 to 75: what is on disk of a namespace, when nothing is in memory any more."""

from __future__ import annotations

import os
import re
import secrets
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec

from faults import machine
from faults.deaths import SEGFAULT
from faults.kind import Kind, Level
from faults.scene import Scene
from holdfast.checkpoint import manifest

CHECKPOINT_SECONDS = 15.0
"""A checkpoint is taken when nothing else happens."""


def checkpointed(scene: Scene) -> None:
    """Until the state after the last cell is on disk."""
    count = scene.about()["execution_count"]
    scene.client.until_told(
        lambda: f"on disk: In[{count}]" in scene.about()["restore_point"],
        f"checkpoint of the state after In[{count}]",
        CHECKPOINT_SECONDS,
    )


def everything_killed(scene: Scene) -> None:
    """All processes at once, as a container's end or a reboot does it."""
    checkpointed(scene)
    scene.moment()
    _kill_and_open(scene)


def folder_of(scene: Scene) -> Path:
    """Where the session's checkpoints lie."""
    (folder,) = scene.kernel.folder.glob("state/sessions/*/checkpoints")
    return folder


def _kill_and_open(scene: Scene) -> None:
    """And be told of the end."""
    scene.kill_everything()
    scene.relaunch()
    assert "not closed properly" in scene.said


def _disk_full(scene: Scene) -> None:
    checkpointed(scene)
    ballast = machine.fill(scene.kernel.folder, but=400_000)  # the journal needs little
    scene.client.do("big = __import__('os').urandom(5_000_000)")
    scene.client.until_told(
        lambda: re.search("(?i)failed.*no space", scene.about()["restore_point"]),
        "word that nothing was written",
        CHECKPOINT_SECONDS,
    )
    ballast.unlink()
    scene.client.do("del big")
    everything_killed(scene)


def _spoil(how: Callable[[Path], None]) -> Callable[[Scene], None]:
    """One blob is not what was written: the variable that needs it is lost and named, the others are back."""

    def act(scene: Scene) -> None:
        name = f"block_{secrets.token_hex(2)}"
        scene.client.do(f"{name} = __import__('os').urandom(3_000_000)")
        checkpointed(scene)
        scene.kill_everything()
        blobs = [path for path in folder_of(scene).rglob("*") if path.is_file()]
        how(max(blobs, key=lambda path: path.stat().st_size))
        scene.relaunch()
        assert name in scene.said
        assert name in scene.about()["story"]
        assert scene.client.run(name).error["ename"] == "NameError"

    return act


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _power_cut(scene: Scene) -> None:
    """A checkpoint whose manifest is there and whose blobs never reached the disk: the one before counts."""
    checkpointed(scene)
    before = set(folder_of(scene).rglob("*"))
    scene.client.do("block = __import__('os').urandom(3_000_000)")
    checkpointed(scene)
    scene.kill_everything()
    for path in set(folder_of(scene).rglob("*")) - before:
        if path.is_file() and path.suffix != ".manifest":
            os.truncate(path, 0)
    scene.relaunch()
    assert "shared" not in scene.said, scene.said


_BAD = """
import ctypes, threading
class Bad:
    def __init__(self, how): self.how = how
    def __reduce__(self): return self.how()
bad = [Bad({})]
"""

_HOWS = {
    "unpicklable": "lambda: 1 / 0",
    "slow": "lambda: threading.Event().wait()",
    "crashing": "lambda: ctypes.string_at(0)",
}


def _another_python(scene: Scene) -> None:
    """Functions are of another Python: they are refused by name, values are back."""
    checkpointed(scene)
    scene.kill_everything()
    folder = folder_of(scene)
    for each in manifest.ids(folder):
        written = manifest.read(folder, each)
        manifest.path_of(folder, each).unlink()
        manifest.keep(folder, msgspec.structs.replace(written, python=(3, 1)), durable=True)
    scene.relaunch()
    assert "square" in scene.said


def _reset(scene: Scene) -> None:
    """What was thrown away stays so, although every standby since is dead."""
    scene.client.do("secret = 7")
    scene.rest()
    older = scene.family.standbys
    scene.client.do("%reset -f")
    scene.rest()
    os.kill(scene.family.worker, signal.SIGSTOP)
    for pid in set(scene.family.standbys) - set(older):
        os.kill(pid, signal.SIGKILL)
    since = len(scene.client.published)
    scene.kill_worker()
    scene.told("SIGKILL", since, 10)
    assert scene.client.run("secret").error["ename"] == "NameError"
    scene.before = scene.digest()


def _undo_too_far(scene: Scene) -> None:
    for _ in range(5):
        scene.client.do("None")
    cell = scene.client.run("%undo 5")
    assert cell.status == "error"
    assert "kept" in cell.reply["evalue"], cell.reply


def _undo_too_far_for_memory(scene: Scene) -> None:
    scene.client.do("None")
    checkpointed(scene)
    for _ in range(5):
        scene.client.do("None")
    refused = scene.client.run("%undo 5").reply["evalue"]
    assert "is not kept any more" in refused
    assert "(%undo disk)" in refused


def _redefined(scene: Scene) -> None:
    assert scene.client.value("type(old) is Thing, type(new) is Thing, old.what, new.what") == (
        False,
        True,
        "first",
        "second",
    )


_CLASSES = """
class Thing:
    what = "first"
old = Thing()
class Thing:
    what = "second"
new = Thing()
"""

KINDS = [
    Kind(
        53,
        "disk full during a checkpoint",
        _disk_full,
        Level.DISK,
        place=machine.small_disk,
        needs=[machine.no_mounts],
        rounds=1,
    ),
    Kind(58, "a blob is gone", _spoil(Path.unlink), Level.DISK, rounds=1, slow=True),
    Kind(58, "a blob is damaged", _spoil(_flip), Level.DISK, rounds=1),
    Kind(59, "blobs that no fsync wrote", _power_cut, Level.DISK, rounds=1),
    Kind(62, "everything killed", everything_killed, Level.DISK),
    *(
        Kind(
            70,
            f"a variable that is {how}",
            everything_killed,
            Level.DISK,
            setup=_BAD.format(code),
            rounds=1,
            settings="checkpoint.variable_seconds = 1.0\n",
            slow=how != "crashing",
        )
        for how, code in _HOWS.items()
    ),
    Kind(71, "a __reduce__ that lies", not_tested="a documented limit: what it says is what comes back"),
    Kind(72, "another Python wrote it", _another_python, Level.DISK, rounds=1),
    Kind(
        73,
        "class redefined after its instances",
        SEGFAULT,
        setup=_CLASSES,
        cause="SIGSEGV",
        probes=[_redefined],
    ),
    Kind(
        73,
        "class redefined after its instances, from disk",
        everything_killed,
        Level.DISK,
        setup=_CLASSES,
        rounds=1,
        slow=True,
        probes=[_redefined],
    ),
    Kind(74, "crash after reset", _reset, rounds=1),
    Kind(75, "undo further than is kept", _undo_too_far, Level.GOES_ON),
    Kind(
        75,
        "undo further than memory goes",
        _undo_too_far_for_memory,
        Level.GOES_ON,
        rounds=1,
    ),
]
