"""What a namespace becomes on disk, and back. A library: it knows no supervisor, no worker and no journal.

    FOLDER/ID.manifest     what a checkpoint holds: every variable with its verdict, checksummed
    FOLDER/blobs/DIGEST    bytes that manifests name: buffers, frames of the pickle stream, packs of them

Writing forks, so it runs in a disposable copy of the user's process; loading runs in a fresh worker. What
the supervisor needs is light: `manifest.py`, `pruning.py` and `words.py` import no pickle and no digests. The
only importer of pickle, cloudpickle and xxhash; docs/decisions/0005-checkpoint.md says why things are so.
"""
