"""Bytes by their digest: the same bytes are written once, and what is read is what was written.

Small pieces go together into one pack, of which there are two copies: it is small, and much depends on it.
Each piece has its own digest, so damage costs only what it hits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import xxhash

from holdfast.checkpoint.manifest import Piece, blobs_folder, twin_of
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
            for copy in (name, twin_of(name)):
                self._drop_damaged(copy, name)
                self._store(copy, [whole], len(whole))
        if self._durable:
            sync_folder(self._folder)
        return name

    def undo(self) -> None:
        """Remove what was written: a full disk should not stay full."""
        for path in self._made:
            path.unlink(missing_ok=True)

    def _store(self, blob: str, parts: list[Data], size: int) -> None:
        path = self._folder / blob
        if private_size(path) == size:
            if self._durable:
                sync_file(path)  # it may be of a writer that did not
            return
        write_whole(path, parts, self._durable, self._on_step)
        self._made.append(path)
        self.bytes_written += size

    def _drop_damaged(self, blob: str, digest: str) -> None:
        """Readers set damaged blobs aside, but not a pack: what of it is whole may still be wanted."""
        path = self._folder / blob
        if private_size(path) is not None and _digest(path.read_bytes()) != digest:
            path.unlink()


class Reader:
    """Gets bytes out of a folder; CheckpointDamaged if they are gone or not what was written."""

    def __init__(self, folder: Path, pack: str) -> None:
        self._folder = blobs_folder(folder)
        self._packs = (pack, twin_of(pack))
        self._read_packs: dict[str, bytearray] = {}

    def get(self, piece: Piece) -> memoryview:
        """Its bytes; the caller's alone, to keep and to change."""
        if piece.blob == _IN_PACK:
            return self._from_pack(piece)
        data = self._read(piece.blob)
        if len(data) != piece.size or _digest(data) != piece.digest:
            self._set_aside(piece.blob)
            raise CheckpointDamaged(f"its data is damaged ({piece.blob})")
        return data

    def _from_pack(self, piece: Piece) -> memoryview:
        error = CheckpointDamaged(f"its data is damaged ({self._packs[0]})")
        for pack in self._packs:
            try:
                if pack not in self._read_packs:
                    self._read_packs[pack] = bytearray(self._read(pack))
            except CheckpointDamaged as gone:
                error = gone
                continue
            data = self._read_packs[pack][piece.offset : piece.offset + piece.size]
            if len(data) == piece.size and _digest(data) == piece.digest:
                return memoryview(data)
        raise error

    def _read(self, blob: str) -> memoryview:
        try:
            descriptor = open_private(self._folder / blob, os.O_RDONLY)
        except (OSError, RefusedPath) as error:
            raise CheckpointDamaged(f"its data is gone ({blob})") from error
        try:
            size = os.fstat(descriptor).st_size
            if size >= MAPPED_BYTES:
                return private_copy(descriptor, size)
            data = bytearray(size)
            return memoryview(data)[: os.readv(descriptor, [data])]
        except OSError as error:
            raise CheckpointDamaged(f"its data can't be read ({blob}: {error.strerror})") from error
        finally:
            os.close(descriptor)

    def _set_aside(self, blob: str) -> None:
        """A damaged blob must not be taken for a good one by the next writer; `prune` removes it."""
        path = self._folder / blob
        with contextlib.suppress(OSError):  # on a disk that can't be written to there is no next writer
            path.rename(path.with_name(f"{blob}.damaged"))


def _digest(data: Data) -> str:
    return xxhash.xxh3_128_hexdigest(data)
