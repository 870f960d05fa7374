"""On the disk: only what changed is written, only what is needed stays, and a full disk harms nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from holdfast.checkpoint.manifest import ids, path_of, read
from holdfast.checkpoint.mapping import private_copy
from holdfast.checkpoint.pruning import prune
from holdfast.errors import CheckpointDamaged, CheckpointNotWritten

from .conftest import Disk

MEGABYTE = 1_000_000


def test_what_has_not_changed_is_not_written_again(disk: Disk) -> None:
    namespace = {f"a{n}": np.full(10 * MEGABYTE // 8, float(n)) for n in range(10)}
    assert disk.write(namespace).bytes_written > 100 * MEGABYTE
    assert disk.write(namespace).bytes_written == 0

    namespace["a3"][5] = 0.5
    namespace["new"] = np.zeros(3)
    assert 10 * MEGABYTE <= disk.write(namespace).bytes_written < 10.1 * MEGABYTE


def test_equal_arrays_are_stored_once_and_come_back_apart(disk: Disk) -> None:
    namespace = {"a": np.ones(MEGABYTE), "b": np.ones(MEGABYTE)}
    assert disk.write(namespace).bytes_written < 9 * MEGABYTE

    back = disk.again(namespace)
    back["a"][0] = 7
    assert back["b"][0] == 1


def test_a_restored_array_can_be_changed_and_the_file_stays(disk: Disk) -> None:
    manifest = disk.write({"a": np.ones(MEGABYTE)})
    disk.load(manifest).values["a"][:] = 2  # type: ignore[index]

    assert (disk.load(manifest).values["a"] == 1).all()  # type: ignore[attr-defined]


def test_a_restored_array_outlives_its_file(disk: Disk) -> None:
    back = disk.load(disk.write({"a": np.ones(MEGABYTE)})).values
    prune(disk.folder, keep=[])

    assert not disk.blobs
    assert back["a"].sum() == MEGABYTE  # type: ignore[attr-defined]


def test_loading_keeps_no_descriptors(disk: Disk) -> None:
    manifest = disk.write({f"a{n}": np.full(200_000, float(n)) for n in range(20)})
    before = len(os.listdir("/proc/self/fd"))
    back = disk.load(manifest)

    assert len(os.listdir("/proc/self/fd")) == before
    assert len(back.values) == 21


def test_pruning_leaves_what_is_kept_and_nothing_else(disk: Disk) -> None:
    first = disk.write({"a": np.ones(MEGABYTE), "b": np.zeros(MEGABYTE)})
    second = disk.write({"a": np.ones(MEGABYTE), "c": "text"})
    stale = [disk.folder / "blobs" / ".abc.999999999.new", disk.folder / ".x.manifest.999999999.new"]
    for path in stale:
        path.write_bytes(b"unfinished")

    assert prune(disk.folder, keep=[second.id]) > 8 * MEGABYTE
    assert ids(disk.folder) == [second.id]
    assert {path.name for path in disk.blobs} == set(second.blobs())
    assert not any(path.exists() for path in stale)
    assert not disk.load(second).lost
    with pytest.raises(CheckpointDamaged):
        read(disk.folder, first.id)


def test_pruning_takes_nothing_from_a_writer_at_work(disk: Disk) -> None:
    manifest = disk.write({"x": 1})
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as writer:
        draft = disk.folder / "blobs" / f".abc.{writer.pid}.new"
        draft.write_bytes(b"unfinished")
        prune(disk.folder, keep=[manifest.id])

        assert draft.exists()
        writer.communicate()


def test_pruning_removes_nothing_if_it_can_not_know_what_is_needed(disk: Disk) -> None:
    first, second = disk.write({"x": 1}), disk.write({"y": "two"})
    path_of(disk.folder, second.id).write_bytes(b"damaged")
    before = disk.blobs
    with pytest.raises(CheckpointDamaged):
        prune(disk.folder, keep=[first.id, second.id])

    assert disk.blobs == before


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Disk]:
    """20 MB of a file system."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "none", place], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield Disk(place / "checkpoints")
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_full_disk_leaves_the_earlier_checkpoint_as_it_was(small_disk: Disk) -> None:
    rng = np.random.default_rng(0)
    good = small_disk.write({"a": np.ones(MEGABYTE)}, durable=True)
    before = small_disk.blobs
    with pytest.raises(CheckpointNotWritten, match="No space left on device"):
        small_disk.write({f"b{n}": rng.random(MEGABYTE // 2) for n in range(8)}, durable=True)

    assert small_disk.blobs == before
    assert ids(small_disk.folder) == [good.id]
    assert not small_disk.load(good).lost


def test_a_read_only_disk_is_said(small_disk: Disk) -> None:
    good = small_disk.write({"x": 1})
    subprocess.run(["mount", "-o", "remount,ro", small_disk.folder.parent], check=True)
    with pytest.raises(CheckpointNotWritten, match="Read-only file system"):
        small_disk.write({"x": 2})

    assert not small_disk.load(good).lost


def test_damage_on_a_read_only_disk_costs_what_it_hits(small_disk: Disk) -> None:
    manifest = small_disk.write({"a": np.ones(MEGABYTE), "x": 1})
    blob = small_disk.blobs[-1]
    content = bytearray(blob.read_bytes())
    content[5000] ^= 1
    blob.write_bytes(content)
    subprocess.run(["mount", "-o", "remount,ro", small_disk.folder.parent], check=True)
    values, lost = small_disk.load(manifest)

    assert [each.name for each in lost] == ["a"]
    assert values["x"] == 1


def test_what_the_disk_can_not_give_is_an_error_and_no_crash(tmp_path: Path) -> None:
    short = tmp_path / "short"
    short.write_bytes(b"x")
    with short.open("rb") as file, pytest.raises(OSError, match="Input/output error"):
        private_copy(file.fileno(), MEGABYTE)  # its pages behind the first are not there


def test_writing_leaves_no_process_and_no_descriptor(disk: Disk) -> None:
    before, children = set(os.listdir("/proc/self/fd")), set(psutil.Process().children())
    disk.write({"x": 1, "g": (n for n in ())})

    assert set(os.listdir("/proc/self/fd")) == before
    assert set(psutil.Process().children()) <= children  # other tests' may still be there
