"""Text through shared memory comes whole and in order; whatever is written over, nobody fails or waits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fuzz.holds.ring import CAPACITY, WORDS, pair, write_over, written_over
from holdfast.link.ring import RingReader, RingWriter

HEAD, TAIL, BEGUN, BEGUN_TURNED = 0, 1, 8, 11
"""Numbers of words."""


class Text(RuleBasedStateMachine):
    """A writer and a reader, each at its own pace; the writer dies now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.reader, self.writer = pair()
        self.written = self.read = b""

    @rule(data=st.binary(max_size=2 * CAPACITY))
    def write(self, data: bytes) -> None:
        room = CAPACITY - (len(self.written) - len(self.read) + self.reader.unsafe)
        count = self.writer.put(data)
        assert count == min(len(data), room)
        self.written += data[:count]

    @rule(back=st.integers(0, 10))
    def look(self, back: int) -> None:
        self.read += self.reader.take(self.reader.head() - back)

    @rule(part=st.integers(0, CAPACITY))
    def free(self, part: int) -> None:
        self.reader.free(self.reader.position - min(part, self.reader.unsafe))

    @rule()
    def another_writer_takes_over(self) -> None:
        self.reader.mend(0)
        self.writer = RingWriter(self.memory)

    @rule()
    def another_reader_takes_over(self) -> None:
        place = self.reader.position
        self.reader = RingReader(self.memory)
        self.reader.go_to(place)

    @invariant()
    def what_is_read_is_what_was_written(self) -> None:
        assert self.written.startswith(self.read)
        assert self.reader.head() == len(self.written)


TestText = Text.TestCase


words = st.sampled_from([0, 1, 2**63, 2**64 - 1]) | st.integers(0, 200) | st.integers(0, 2**64 - 1)


@given(
    st.binary(max_size=CAPACITY),
    st.dictionaries(st.integers(0, WORDS - 1), words, min_size=1),
    st.integers(0, 2**64 - 1),
)
def test_whatever_is_written_over_little_is_read_and_what_comes_after_is_whole(
    before: bytes, damage: dict[int, int], upto: int
) -> None:
    written_over(before, damage, upto)


@given(st.sampled_from([TAIL, HEAD]), words)
def test_a_writer_that_lives_on_is_heard_again(place: int, word: int) -> None:
    memory, reader, writer = pair()
    writer.put(b"x" * 10)
    reader.take(reader.head())
    reader.free(reader.position)
    write_over(memory, {place: word})
    if not writer.put(b"y"):
        assert writer.wait_for_room()
        assert reader.pressed
        reader.free(reader.position)
        assert reader.room_wanted()
        assert writer.put(b"y")
    assert b"y" in reader.take(reader.head())


@given(st.integers(1, 2**64 - 1), st.integers(0, 2**64 - 1), st.booleans())
def test_it_is_never_believed_that_a_job_was_not_begun_which_was(turn: int, word: int, both: bool) -> None:
    memory, reader, writer = pair()
    writer.begin(turn)
    write_over(memory, {BEGUN: word} | ({BEGUN_TURNED: word} if both else {}))
    assert reader.begun() in (None, turn)
    reader.mend(turn)
    assert reader.begun() == turn
    assert writer.begun() == turn


def test_a_page_of_zeros_is_no_memory_of_nothing_begun() -> None:
    memory, reader, writer = pair()
    writer.begin(3)
    memory[:] = bytes(len(memory))
    assert reader.begun() is None


def test_nothing_was_begun_before_the_first_job() -> None:
    _, reader, _ = pair()
    assert reader.begun() == 0
