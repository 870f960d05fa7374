"""The file that says what a checkpoint holds, damaged or not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fuzz.holds.parts import home
from holdfast.checkpoint import manifest
from holdfast.checkpoint.manifest import Frame, Manifest, Piece, Verdict
from holdfast.errors import CheckpointError
from holdfast.paths import private_folder

_SEAL = b"s"
"""The first byte of an input whose rest is the body of a file with the right checksum."""

PIECE = Piece("blob", 0, 4, "00")
WHOLE = Manifest(
    "1", 1, 0.5, (3, 11), {"cell": [1]}, [Verdict("x", "value"), Verdict("g", "lost", "a generator")],
    [Frame("x", PIECE, None, 0, 1, [PIECE])], "pack", 4, 4,
)  # fmt: skip


def holds(data: bytes) -> None:
    if data.startswith(_SEAL):
        data = manifest._head(data[1:]) + b"\n" + data[1:]
    a_file(data)


def seeds() -> Iterator[bytes]:
    body = msgspec.json.encode(WHOLE)
    yield _SEAL + body
    yield manifest._head(body) + b"\n" + body
    yield b"holdfast checkpoint 2 00\n{}"


def a_file(content: bytes) -> None:
    """It is a manifest, which can be written and read again, or refused."""
    with home() as root:
        folder = private_folder(root / "checkpoints")
        path = manifest.path_of(folder, "1")
        path.write_bytes(content)
        path.chmod(0o600)
        try:
            found = manifest.read(folder, "1")
        except CheckpointError as error:
            assert str(path) in error.what
            return
    assert {*found.kept, *found.lost} == {*found.variables}
    list(found.blobs())
    assert msgspec.json.decode(msgspec.json.encode(found), type=Manifest) == found
