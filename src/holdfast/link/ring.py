"""Text on its way out of the worker, in shared memory: it survives the writer's death. Pure.

One writer (the worker), one reader (the supervisor). Positions only grow; the byte of position p lies at
p modulo the capacity. Each side stores only its own position, one aligned 8-byte store after the bytes are in
place, so the other side never sees half a write and a writer that dies in between has written nothing.

The worker runs code that may write anywhere, so also here. Whatever stands in the words then, neither side
fails or waits for ever: what can't be true counts as nothing new, and whose word it is writes it again.

    0   head: bytes ever written (the writer's)
    8   tail: bytes that need not be kept any more (the reader's, who may have read further)
    16  1 while the reader sleeps and wants a bell (set by the reader, cleared by the writer)
    24  1 while the writer waits for room (set by the writer, cleared by the reader)
    32  turn of the job that an interrupt is meant for (set by the reader, cleared by the writer)
    40  bytes ever read from the pipes beside the ring (the reader's)
    48  bytes of those that need not be kept any more (the reader's)
    56  forks begun and ended by the writer to keep its state: odd while one is under way (the writer's)
    64  turn of the job that was begun last (the writer's)
    72  position (epoch << 32 | seq) up to which the reader may have sent to clients what was put out
    80  position up to which that has left the reader
    88  the word at 64 once more, its bits turned over
    128 the bytes
"""

from __future__ import annotations

from mmap import mmap

DATA = 128
"""Where the bytes begin: two cache lines have room for all positions."""

_HEAD, _TAIL, _ASLEEP, _WAITING, _INTERRUPT, _PIPED, _PIPED_SAFE, _FORKS, _BEGUN, _SENDING, _SENT = range(11)
_BEGUN_TURNED = 11
_ONES = (1 << 64) - 1


class _Ring:
    def __init__(self, memory: mmap) -> None:
        self._memory = memory
        self._words = memoryview(memory)[:DATA].cast("Q")
        self.capacity = len(memory) - DATA

    def head(self) -> int:
        """Bytes ever written."""
        return self._words[_HEAD]

    def begun(self) -> int | None:
        """Turn of the last job of which anything was done, by any worker. None: that was written over."""
        turn = self._words[_BEGUN]
        return turn if self._words[_BEGUN_TURNED] == turn ^ _ONES else None

    def begin(self, turn: int) -> None:
        """From here on something of this job may have been done. Turns only grow."""
        self._words[_BEGUN_TURNED] = turn ^ _ONES
        self._words[_BEGUN] = turn

    def close(self) -> None:
        """Let go of the memory."""
        self._words.release()
        self._memory.close()


class RingWriter(_Ring):
    """The worker's side."""

    def __init__(self, memory: mmap) -> None:
        super().__init__(memory)
        self.position = self.head()  # kept here: reading shared memory costs more than an attribute

    def put(self, data: bytes) -> int:
        """Write as much of `data` as there is room for; returns how many bytes."""
        position, capacity = self.position, self.capacity
        kept = position - self._words[_TAIL]
        if not 0 <= kept < capacity:
            return 0
        count = min(len(data), capacity - kept)
        offset = position % capacity
        first = min(count, capacity - offset)
        memory = self._memory
        if first == len(data):
            memory[DATA + offset : DATA + offset + first] = data
        else:
            memory[DATA + offset : DATA + offset + first] = data[:first]
            memory[DATA : DATA + count - first] = data[first:count]
        self.position = self._words[_HEAD] = position + count
        return count

    def bell_wanted(self) -> bool:
        """Whether the reader sleeps; asking takes the wish, so each sleep is ended by one bell."""
        if self._words[_ASLEEP]:
            self._words[_ASLEEP] = 0
            return True
        return False

    def wait_for_room(self) -> bool:
        """Ask the reader for a sign when there is room. False: there is room already."""
        self._words[_WAITING] = 1
        return not 0 <= self.position - self._words[_TAIL] < self.capacity

    def interrupted_turn(self) -> int:
        """The job that an interrupt is meant for; 0: whoever sent SIGINT, it was not the supervisor."""
        return self._words[_INTERRUPT]

    def interrupt_heard(self) -> None:
        """That interrupt is done with."""
        self._words[_INTERRUPT] = 0

    def fork_begins(self) -> None:
        """What follows takes a moment, or hangs."""
        self._words[_FORKS] = (self._words[_FORKS] + 1) & _ONES

    def fork_ended(self) -> None:
        """It did not hang. Also said by who was made by it."""
        self._words[_FORKS] = (self._words[_FORKS] + (self._words[_FORKS] & 1)) & _ONES

    def rejoin(self) -> None:
        """Take up the shared position again, after another writer (since dead) has moved it."""
        self.position = self.head()
        self.fork_ended()


class RingReader(_Ring):
    """The supervisor's side. What it has read stays in the ring until `free` says that it is safe."""

    def __init__(self, memory: mmap) -> None:
        super().__init__(memory)
        self.position = self._tail = self._words[_TAIL]
        self._piped = self._words[_PIPED]
        if not any(self._words):  # a new one
            self.begin(0)

    def head(self) -> int:
        """Bytes ever written; those that were read, if it can't be known."""
        head = self._words[_HEAD]
        return head if self.position <= head <= self._tail + self.capacity else self.position

    def mend(self, turn: int) -> None:
        """The writer is dead, and worked on this job: put right what it has left that can't be true."""
        if self._words[_HEAD] != (head := self.head()):
            self._words[_HEAD] = head
        self._words[_TAIL] = self._tail
        self._words[_FORKS] &= _ONES - 1  # none is under way
        if self.begun() is None:
            self.begin(turn)

    def go_to(self, position: int) -> None:
        """Begin where another reader has stopped. What lies before is safe."""
        self.position = position
        self.free(position)

    def take(self, upto: int) -> bytes:
        """The bytes from the last position to `upto`, if these were written."""
        position, capacity = self.position, self.capacity
        count = min(upto, self.head()) - position
        if count <= 0:
            return b""
        offset = position % capacity
        first = min(count, capacity - offset)
        data = self._memory[DATA + offset : DATA + offset + first]
        if first < count:
            data += self._memory[DATA : DATA + count - first]
        self.position = position + count
        return data

    def free(self, position: int) -> None:
        """The writer may write over what lies before `position`."""
        self._words[_TAIL] = self._tail = position

    @property
    def unsafe(self) -> int:
        """Bytes that were read and not freed."""
        return self.position - self._tail

    def sleep(self) -> None:
        """Ask for a bell at the next byte."""
        self._words[_ASLEEP] = 1

    def aim_interrupt(self, turn: int) -> None:
        """Say which job the SIGINT is for that is sent next."""
        self._words[_INTERRUPT] = turn

    @property
    def pressed(self) -> bool:
        """Whether the writer waits for what was read to be freed, or can't see that it was."""
        return bool(self._words[_WAITING]) and (self.unsafe > 0 or self._words[_TAIL] != self._tail)

    def piped(self, count: int) -> None:
        """So many bytes are being taken out of the pipes, which lose them then (fewer, if negative)."""
        self._words[_PIPED] = self._piped = (self._piped + count) & _ONES

    def piped_safe(self) -> None:
        """All of them are safe."""
        self._words[_PIPED_SAFE] = self._piped

    def piped_lost(self) -> int:
        """Bytes, at most, that a reader before us had taken out of the pipes and not made safe."""
        lost = self._words[_PIPED] - self._words[_PIPED_SAFE]
        self.piped_safe()
        return max(0, lost)

    @property
    def sending(self) -> tuple[int, int]:
        """Epoch and number of the last message that may have been sent to clients: none after it was."""
        return divmod(self._words[_SENDING], 1 << 32)

    @property
    def sent(self) -> tuple[int, int]:
        """Epoch and number of the last message that has left, with all before it."""
        return divmod(self._words[_SENT], 1 << 32)

    def note_sending(self, epoch: int, seq: int) -> None:
        """All up to this message is about to be sent."""
        self._words[_SENDING] = epoch << 32 | seq

    def note_sent(self) -> None:
        """All that was about to be sent has left."""
        self._words[_SENT] = self._words[_SENDING]

    @property
    def fork_under_way(self) -> int:
        """Number of the fork that the writer is in the middle of; 0: none."""
        count = self._words[_FORKS]
        return count if count & 1 else 0

    def room_wanted(self) -> bool:
        """Whether the writer waits for room; asking takes the wish."""
        if self._words[_WAITING]:
            self._words[_WAITING] = 0
            return True
        return False
