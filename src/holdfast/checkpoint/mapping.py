"""A file as memory that can be written, while the file stays as it is (mmap(2), MAP_PRIVATE).

Not by the module mmap: it keeps a descriptor for each, and a namespace may have thousands of arrays. The file
may be unlinked, not shortened.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import weakref

_FAILED = ctypes.c_void_p(-1).value
_MADV_POPULATE_READ = 22  # asm-generic/mman-common.h; Linux 5.14

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int64,
)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def private_copy(descriptor: int, size: int) -> memoryview:
    """The first `size` bytes of a file, writable; pages are copied when they are written. OSError."""
    address = _libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE, descriptor, 0)
    if address == _FAILED:
        raise OSError(ctypes.get_errno(), f"can't map {size} bytes")
    # All are read for the digest. An old kernel refuses; what the disk can't give would be a crash there.
    if _libc.madvise(address, size, _MADV_POPULATE_READ) and ctypes.get_errno() == errno.EFAULT:
        _libc.munmap(address, size)
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    memory = (ctypes.c_char * size).from_address(address)
    weakref.finalize(memory, _libc.munmap, address, size).atexit = False
    return memoryview(memory).cast("B")
