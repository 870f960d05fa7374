"""What no checkpoint needs any more, removed. Light; only while nobody writes to the folder."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from holdfast.checkpoint.manifest import blobs_folder, ids, path_of, read
from holdfast.checkpoint.whole import drafts


def prune(folder: Path, keep: Collection[str]) -> int:
    """Remove every checkpoint but those of these ids, and what only the others needed. Bytes that were freed.

    CheckpointDamaged if one of `keep` can't be read: then nothing is removed, since it can't say what it
    needs. A writer at work would find a blob that is there and count on it: the caller sees to it that there
    is none.
    """
    needed = {blob for each in keep for blob in read(folder, each).blobs()}
    blobs = blobs_folder(folder)
    # Manifests first: one whose blobs are gone would be worse than blobs that nobody names.
    gone = [path_of(folder, each) for each in ids(folder) if each not in keep]
    gone += drafts(folder)
    at_work = {path for path in blobs.iterdir() if path.name.startswith(".")} - set(drafts(blobs))
    gone += [path for path in blobs.iterdir() if path.name not in needed and path not in at_work]
    freed = 0
    for path in gone:
        freed += path.lstat().st_size
        path.unlink()
    return freed
