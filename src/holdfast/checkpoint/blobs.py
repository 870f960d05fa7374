"""Bytes by their digest: the same bytes are written once, and what is read is what was written.

Small pieces go together into one pack; each has its own digest, so damage costs only what it hits.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import xxhash

from holdfast.checkpoint.manifest import Piece, blobs_folder
from holdfast.checkpoint.mapping import private_copy
from holdfast.checkpoint.whole import Data, sync_file, sync_folder, write_whole
from holdfast.errors import CheckpointDamaged, RefusedPath
from holdfast.files import open_private, private_size

OWN_FILE_BYTES: Final = 64 * 1024
"""From here on a piece has a file of its own. Making one, synced, takes as long as writing some 100 KiB more
into the pack; the pack is written again when any of its pieces has changed."""

MAPPED_BYTES: Final = 1024 * 1024
"""From here on a buffer is mapped, not read: below, the copy is cheaper than the faults."""

_IN_PACK: Final = ""


class Writer:
    """Puts bytes into a folder. Raises OSError as it comes from the system."""

    def __init__(self, folder: Path, durable: bool, on_step: Callable[[], object] = lambda: None) -> None:
        self._folder = blobs_folder(folder)
        self._durable = durable
        self._on_step = on_step
        self._pack: list[Data] = []
        self._pack_bytes = 0
        self._made: list[Path] = []
        self.bytes_written = 0

    def put(self, data: Data) -> Piece:
        """Where `data` stands now. It must not change before `finish` if it is small."""
        size, digest = memoryview(data).nbytes, _digest(data)
        if size < OWN_FILE_BYTES:
            self._pack.append(data)
            self._pack_bytes += size
            return Piece(_IN_PACK, self._pack_bytes - size, size, digest)
        self._store(digest, [data], size)
        return Piece(digest, 0, size, digest)

    def finish(self) -> str:
        """Have everything on disk; the pack's name, "" if there is none."""
        name = ""
        if self._pack:
            whole = b"".join(self._pack)
            name = _digest(whole)
            self._drop_damaged(name)
            self._store(name, [whole], len(whole))
        if self._durable:
            sync_folder(self._folder)
        return name

    def undo(self) -> None:
        """Remove what was written: a full disk should not stay full."""
        for path in self._made:
            path.unlink(missing_ok=True)

    def _store(self, digest: str, parts: list[Data], size: int) -> None:
        path = self._folder / digest
        if private_size(path) == size:
            if self._durable:
                sync_file(path)  # it may be of a writer that did not; costs nothing if it did
            return
        write_whole(path, parts, self._durable, self._on_step)
        self._made.append(path)
        self.bytes_written += size

    def _drop_damaged(self, name: str) -> None:
        """Readers set damaged blobs aside, but not a pack: what of it is whole may still be wanted."""
        path = self._folder / name
        if private_size(path) is not None and _digest(path.read_bytes()) != name:
            path.unlink()


class Reader:
    """Gets bytes out of a folder; CheckpointDamaged if they are gone or not what was written."""

    def __init__(self, folder: Path, pack: str) -> None:
        self._folder = blobs_folder(folder)
        self._pack_name = pack
        self._pack: bytearray | None = None

    def get(self, piece: Piece) -> memoryview:
        """Its bytes; the caller's alone, to keep and to change."""
        if piece.blob == _IN_PACK:
            data = memoryview(bytearray(self._packed(piece)))
        else:
            data = self._read(piece.blob, piece.size)
        if len(data) != piece.size or _digest(data) != piece.digest:
            self._set_aside(piece.blob)
            raise CheckpointDamaged(f"its data is damaged ({piece.blob or self._pack_name})")
        return data

    def _packed(self, piece: Piece) -> memoryview:
        if self._pack is None:
            self._pack = bytearray(self._read(self._pack_name, None))
        return memoryview(self._pack)[piece.offset : piece.offset + piece.size]

    def _read(self, blob: str, size: int | None) -> memoryview:
        path = self._folder / blob
        try:
            descriptor = open_private(path, os.O_RDONLY)
        except (OSError, RefusedPath) as error:
            raise CheckpointDamaged(f"its data is gone ({blob})") from error
        try:
            there = os.fstat(descriptor).st_size
            if size is not None and there != size:
                self._set_aside(blob)
                raise CheckpointDamaged(f"its data is damaged ({blob})")
            if there >= MAPPED_BYTES:
                return private_copy(descriptor, there)
            data = bytearray(there)
            return memoryview(data)[: os.readv(descriptor, [data])]
        except OSError as error:
            raise CheckpointDamaged(f"its data can't be read ({blob}: {error.strerror})") from error
        finally:
            os.close(descriptor)

    def _set_aside(self, blob: str) -> None:
        """A damaged blob must not be taken for a good one by the next writer; `prune` removes it."""
        if blob != _IN_PACK:
            path = self._folder / blob
            path.rename(path.with_name(f"{blob}.damaged"))


def _digest(data: Data) -> str:
    return xxhash.xxh3_128_hexdigest(data)
