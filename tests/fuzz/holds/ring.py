"""The memory in which text travels, after code that writes where it must not."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from mmap import mmap

from holdfast.link.ring import DATA, RingReader, RingWriter

CAPACITY = 64
WORD = 8
WORDS = DATA // WORD
_DAMAGE = struct.Struct("<BQ")


def holds(data: bytes) -> None:
    """First how much was written before, then up to where is read, then which words are hit by what."""
    if len(data) < _DAMAGE.size:
        return
    count, upto = _DAMAGE.unpack_from(data)
    rest = data[_DAMAGE.size :]
    hits = {number % WORDS: word for number, word in _DAMAGE.iter_unpack(rest[: len(rest) // 9 * 9])}
    written_over(bytes(count % (CAPACITY + 1)), hits, upto)


def seeds() -> Iterator[bytes]:
    for number in range(WORDS):
        for word in (0, 1, 2**63, 2**64 - 1):
            yield _DAMAGE.pack(10, 20) + _DAMAGE.pack(number, word)


def pair() -> tuple[mmap, RingReader, RingWriter]:
    """New memory, and its two sides."""
    memory = mmap(-1, DATA + CAPACITY)
    return memory, RingReader(memory), RingWriter(memory)


def write_over(memory: mmap, damage: Mapping[int, int]) -> None:
    """Hit words by their numbers."""
    for number, word in damage.items():
        struct.pack_into("Q", memory, number * WORD, word)


def written_over(before: bytes, damage: Mapping[int, int], upto: int) -> None:
    """Little is read of what is no text, nobody fails, and what the next writer writes comes whole."""
    memory, reader, writer = pair()
    try:
        writer.begin(6)
        writer.put(before)
        reader.take(reader.head())
        write_over(memory, damage)
        read = 0
        for _ in range(3):
            read += len(reader.take(upto)) + len(reader.take(reader.head()))
        assert read <= CAPACITY
        reader.piped(5)
        reader.piped_safe()
        assert reader.piped_lost() == 0
        assert all(0 <= each < 2**32 for each in (*reader.sending, *reader.sent))
        reader.note_sent()
        assert reader.room_wanted() in (True, False)
        assert reader.begun() in (None, 6) or {8, 11} <= damage.keys()
        writer.fork_begins()
        writer.fork_ended()
        reader.mend(7)  # the writer has died of it
        reader.free(reader.position)
        assert reader.fork_under_way == 0
        assert reader.begun() is not None
        writer.rejoin()
        assert writer.put(b"whole") == 5
        assert reader.take(reader.head()) == b"whole"
    finally:
        writer._words.release()
        reader.close()
