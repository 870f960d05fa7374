"""Whatever happens to the files: what is whole is loaded, what is not is named, nothing comes back wrong."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast.checkpoint.manifest import path_of, read
from holdfast.errors import CheckpointDamaged, RefusedPath

from .conftest import Disk, reasons, session


def flipped(path: Path, position: int) -> None:
    """One bit of a file, turned over."""
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << position % 8
    path.chmod(0o600)
    path.write_bytes(content)


def arrays(number: int) -> dict[str, Any]:
    """Variables with a file of their own each, and one that holds the first of them."""
    made: dict[str, Any] = {f"a{n}": np.full(20_000, float(n)) for n in range(number)}
    return {**made, "both": [made["a0"], "text"], "other": {"text": made["a1"]}}


def test_a_manifest_with_any_bit_turned_over_is_refused(disk: Disk) -> None:
    manifest = disk.write(session("x = [1]; g = (n for n in x)\ndef f(): return x"))
    path = path_of(disk.folder, manifest.id)
    for position in range(path.stat().st_size):
        flipped(path, position)
        with pytest.raises(CheckpointDamaged):
            read(disk.folder, manifest.id)
        flipped(path, position)

    assert read(disk.folder, manifest.id) == manifest


@pytest.mark.parametrize(
    "body",
    [b'{"id":"\xff"}', b'{"facts":{"a":' + b"[" * 100_000, b"{}", b""],
    ids=["no text", "deep", "empty", "nothing"],
)
def test_what_only_looks_like_a_manifest_is_refused(disk: Disk, body: bytes) -> None:
    path = path_of(disk.folder, disk.write({"x": 1}).id)
    checksum = hashlib.blake2b(body, digest_size=16).hexdigest().encode()
    for head in (b"1 " + checksum, b"1 00", b"9" * 5000 + b" 00"):
        path.write_bytes(b"holdfast checkpoint " + head + b"\n" + body)
        with pytest.raises(CheckpointDamaged):
            read(disk.folder, path.stem)


def test_a_manifest_cut_off_anywhere_is_refused(disk: Disk) -> None:
    manifest = disk.write({"x": 1})
    path = path_of(disk.folder, manifest.id)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointDamaged):
            read(disk.folder, manifest.id)


def test_a_bit_of_the_stream_turned_over_loses_nothing(disk: Disk) -> None:
    namespace = session("x = [1]; y = {'x': x}\nclass A: pass\na = A()")
    manifest = disk.write(namespace)
    pack = disk.folder / "blobs" / manifest.pack
    for position in range(pack.stat().st_size):
        flipped(pack, position)
        values, lost = disk.load(manifest)
        assert not lost
        assert values["y"] == {"x": [1]}
        flipped(pack, position)


def test_the_same_bit_in_both_copies_costs_what_needs_it(disk: Disk) -> None:
    namespace = session(
        "x = [1]; y = {'x': x}; z = [y, 3]\nclass A: pass\na = A(); s = 'text'; t = ('text', s)"
    )
    manifest = disk.write(namespace)
    packs = [disk.folder / "blobs" / name for name in set(manifest.blobs())]
    losses = set()
    for position in range(packs[0].stat().st_size):
        for pack in packs:
            flipped(pack, position)
        values, lost = disk.load(manifest)
        losses.add(frozenset(each.name for each in lost))
        for name in ("x", "y", "z", "s", "t"):
            assert name not in values or values[name] == namespace[name]
        assert "a" not in values or type(values["a"]) is values["A"]
        assert values.keys() | {each.name for each in lost} >= namespace.keys() - {"__builtins__"}
        for pack in packs:
            flipped(pack, position)

    assert {frozenset({"x", "y", "z"}), frozenset({"z"}), frozenset({"A", "a"}), frozenset({"a"})} <= losses


@pytest.mark.parametrize("harm", ["gone", "shorter", "other", "not ours"])
def test_a_damaged_array_costs_only_what_holds_it(disk: Disk, harm: str) -> None:
    manifest = disk.write(arrays(5))
    frame = next(frame for frame in manifest.frames if frame.name == "a0")
    blob = disk.folder / "blobs" / frame.buffers[0].blob
    match harm:
        case "gone":
            blob.unlink()
        case "shorter":
            os.truncate(blob, 100)
        case "other":
            flipped(blob, 77_777)
        case _:
            blob.chmod(0o644)
    values, lost = disk.load(manifest)
    words = "damaged" if harm in ("shorter", "other") else "gone"

    assert reasons(lost) == {
        "a0": f"its data is {words} ({blob.name})",
        "both": "it shares data with a0, which is lost",
    }
    assert all((values[f"a{n}"] == float(n)).all() for n in range(1, 5))  # type: ignore[attr-defined]
    assert values["other"]["text"] is values["a1"]  # type: ignore[index]


def test_of_a_large_damaged_object_the_names_are_still_known(disk: Disk) -> None:
    code = (
        "import datetime\n"
        "big = [datetime.date(2000, 1, 1) for _ in range(20_000)]\n"
        "one = datetime.date(2001, 1, 1); of = big[7]"
    )
    manifest = disk.write(session(code))
    frame = next(frame for frame in manifest.frames if frame.name == "big")
    flipped(disk.folder / "blobs" / frame.stream.blob, 50_000)
    values, lost = disk.load(manifest)

    assert reasons(lost)["big"].startswith("its data is damaged")
    assert reasons(lost)["of"] == "it shares data with big, which is lost"
    assert values["one"] == session(code)["one"]


def test_damage_is_mended_by_the_next_checkpoint(disk: Disk) -> None:
    namespace = arrays(2)
    manifest = disk.write(namespace)
    for blob in disk.blobs:
        flipped(blob, 60)
    assert disk.load(manifest).lost

    assert not disk.load(disk.write(namespace)).lost


def test_a_folder_that_others_may_enter_is_refused(disk: Disk) -> None:
    manifest = disk.write({"x": 1})
    disk.folder.chmod(0o755)
    with pytest.raises(RefusedPath):
        disk.load(manifest)
    with pytest.raises(RefusedPath):
        disk.write({"x": 1})


def test_blobs_that_others_may_enter_are_refused(disk: Disk) -> None:
    manifest = disk.write({"x": 1})
    (disk.folder / "blobs").chmod(0o777)
    with pytest.raises(RefusedPath):
        disk.load(manifest)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_folder_of_somebody_else_is_refused(disk: Disk) -> None:
    manifest = disk.write({"x": 1})
    os.chown(disk.folder, 65534, 65534)
    with pytest.raises(RefusedPath):
        disk.load(manifest)


def test_a_manifest_that_is_a_link_is_refused(disk: Disk, tmp_path: Path) -> None:
    manifest = disk.write({"x": 1})
    path = path_of(disk.folder, manifest.id)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RefusedPath):
        disk.load(manifest)


def test_files_are_for_their_user_alone(disk: Disk) -> None:
    disk.write(arrays(2), durable=True)

    folders = (disk.folder, disk.folder / "blobs")
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    files = [path for path in disk.folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} <= {0o600, 0o400}
