"""What a checkpoint holds, as one checksummed file: written last, so what it names is there. Light.

The checksum finds damage, not malice: what keeps others from having us load something of theirs is that the
folder is private.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from holdfast.checkpoint.whole import sync_folder, write_whole
from holdfast.errors import CheckpointDamaged, CheckpointError
from holdfast.files import open_private
from holdfast.paths import private_folder

FORMAT: Final = 1
"""Of the manifest, the stream, and what the stream calls (`rebuilding.py`)."""

_SUFFIX: Final = ".manifest"
_MAGIC: Final = b"holdfast checkpoint"
_CHECKSUM_BYTES: Final = 16

How = Literal["value", "by value", "import", "lost"]
"""`value`: as it was; `by value`: a function or class, with its code; `import`: from where it is imported."""


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one variable."""

    name: str
    how: How
    reason: str = ""
    """In words: why it is lost; or, of a kept one, what is not as it was."""
    last_repr: str = ""
    """Of a lost one, shortened."""
    bytes: int = 0


class Piece(NamedTuple):
    """Bytes on disk."""

    blob: str
    """The file that holds them; "" is the manifest's pack."""
    offset: int
    size: int
    digest: str


class Frame(NamedTuple):
    """One variable's part of the stream; that of no variable ("") has what many refer to."""

    name: str
    stream: Piece
    head: Piece | None
    """The beginning of a stream that is not in the pack, once more: see `symbols.py`."""
    first: int
    """Number of the first object that it adds to the pickle memo, which all frames share."""
    end: int
    """Number of the first one that it does not add any more."""
    buffers: list[Piece]


class Manifest(msgspec.Struct, frozen=True):
    """One checkpoint."""

    id: str
    format: int
    created: float
    python: tuple[int, int]
    """Functions written under one minor version can't be loaded under another."""
    facts: dict[str, Any]
    """The caller's."""
    variables: list[Verdict]
    """In the namespace's order."""
    frames: list[Frame]
    """In the order in which they must be loaded."""
    pack: str
    """The blob in which small frames stand together; "" if there is none."""
    bytes_total: int
    bytes_written: int
    """What was not on disk already."""

    @property
    def kept(self) -> list[Verdict]:
        """Variables that it holds."""
        return [each for each in self.variables if each.how != "lost"]

    @property
    def lost(self) -> list[Verdict]:
        """Variables that it does not hold."""
        return [each for each in self.variables if each.how == "lost"]

    def blobs(self) -> Iterator[str]:
        """Names of the files it needs, some of them several times."""
        if self.pack:
            yield from (self.pack, twin_of(self.pack))
        for frame in self.frames:
            yield from (piece.blob for piece in (frame.stream, *frame.buffers) if piece.blob)


def twin_of(pack: str) -> str:
    """The second copy of a pack."""
    return f"{pack}.twin"


def blobs_folder(folder: Path) -> Path:
    """Where the bytes of a folder's checkpoints are; made if missing. RefusedPath if not private."""
    return private_folder(private_folder(folder) / "blobs")


def ids(folder: Path) -> list[str]:
    """Of the checkpoints in a folder, oldest first; whether they are whole is not looked at."""
    return sorted(path.stem for path in folder.glob(f"*{_SUFFIX}"))


def path_of(folder: Path, checkpoint: str) -> Path:
    """The file of a manifest, by its id."""
    return folder / f"{checkpoint}{_SUFFIX}"


def read(folder: Path, checkpoint: str) -> Manifest:
    """The manifest of this id. CheckpointDamaged; RefusedPath for a folder or file that is not ours alone."""
    private_folder(folder)
    path = path_of(folder, checkpoint)
    try:
        descriptor = open_private(path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read()
    except OSError as error:
        raise CheckpointDamaged(f"can't read {path}: {error.strerror}") from error
    head, _, body = content.partition(b"\n")
    if not head.startswith(_MAGIC):
        raise CheckpointDamaged(f"{path} is not a checkpoint of Holdfast")
    if head != _head(body):
        if (version := _version(head)) not in (None, FORMAT):
            raise CheckpointError(
                f"{path} is of version {version}, not {FORMAT}", "use the Holdfast that wrote it"
            )
        raise CheckpointDamaged(f"{path} is not what was written (its checksum is wrong)")
    try:
        return msgspec.json.decode(body, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CheckpointDamaged(f"{path} can't be understood: {error}") from error


def keep(folder: Path, manifest: Manifest, durable: bool) -> None:
    """Write it: the checkpoint is there from now on. OSError."""
    body = msgspec.json.encode(manifest)
    write_whole(path_of(folder, manifest.id), (_head(body), b"\n", body), durable)
    if durable:
        sync_folder(folder)


def _head(body: bytes) -> bytes:
    checksum = hashlib.blake2b(body, digest_size=_CHECKSUM_BYTES).hexdigest()
    return b"%s %d %s" % (_MAGIC, FORMAT, checksum.encode())


def _version(head: bytes) -> int | None:
    words = head.removeprefix(_MAGIC).split()
    return int(words[0]) if len(words) == 2 and re.fullmatch(rb"[0-9]{1,9}", words[0]) else None
