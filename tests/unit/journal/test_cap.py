"""The cap on output, against a model that keeps everything and cuts at the end."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.journal.cap import ROW_BYTES, Kept
from holdfast.settings import Output

LIMITS = Output(journal_head_bytes=1_000, journal_tail_bytes=700)
SIZES = st.integers(0, 900)


class Disk:
    """Rows as a file would have them: written in groups, cut where `Kept` says."""

    def __init__(self) -> None:
        self.rows: dict[int, bytes] = {}
        self.head: int | None = None
        self.omitted = 0

    def write(self, kept: Kept) -> None:
        if kept.cut:
            self.rows = {at: row for at, row in self.rows.items() if at <= kept.head or at >= kept.tail}
            self.head, self.omitted = kept.head, kept.omitted
        self.rows.update({row.place: row.content for row in kept.waiting()})
        kept.written()

    def reopened(self) -> Kept:
        sizes = [(place, len(content)) for place, content in sorted(self.rows.items())]
        return Kept.restored(LIMITS, sizes, self.head, self.omitted)


def cut(contents: list[bytes]) -> tuple[list[bytes], list[bytes], int]:
    """Head, tail and omitted bytes of the whole output."""
    head: list[bytes] = []
    while len(head) < len(contents):
        content = contents[len(head)]
        if sum(len(row) + ROW_BYTES for row in [*head, content]) > LIMITS.journal_head_bytes:
            break
        head.append(content)
    rest = contents[len(head) :]
    tail: list[bytes] = []
    for content in reversed(rest):
        if sum(len(row) + ROW_BYTES for row in [*tail, content]) > LIMITS.journal_tail_bytes:
            break
        tail.insert(0, content)
    return head, tail, sum(map(len, rest)) - sum(map(len, tail))


def contents_of(sizes: list[int]) -> list[bytes]:
    return [bytes([number % 256]) * size for number, size in enumerate(sizes)]


@given(groups=st.lists(st.lists(SIZES, max_size=12), max_size=8), reopen=st.lists(st.booleans(), min_size=8))
def test_head_and_tail_of_the_whole_output_are_kept_however_it_is_grouped(
    groups: list[list[int]], reopen: list[bool]
) -> None:
    disk, kept = Disk(), Kept(LIMITS)
    contents = contents_of([size for group in groups for size in group])
    remaining = iter(contents)
    for group, again in zip(groups, reopen, strict=False):
        for _ in group:
            kept.add(1, 1, "stream", next(remaining), 0.0)
        disk.write(kept)
        if again:
            kept = disk.reopened()
    head, tail, omitted = cut(contents)
    assert [disk.rows[place] for place in sorted(disk.rows)] == head + tail
    assert disk.omitted == omitted


@example(sizes=[500, 900], after=[100], reopen=True)  # all that was left out was the last row
@given(sizes=st.lists(SIZES, max_size=60), after=st.lists(SIZES, max_size=60), reopen=st.booleans())
def test_a_jump_in_the_places_is_exactly_where_something_is_missing(
    sizes: list[int], after: list[int], reopen: bool
) -> None:
    disk, kept = Disk(), Kept(LIMITS)
    contents = contents_of(sizes + after)
    for content in contents[: len(sizes)]:
        kept.add(1, 1, "stream", content, 0.0)
    disk.write(kept)
    if reopen:
        kept = disk.reopened()
    for content in contents[len(sizes) :]:
        kept.add(1, 1, "stream", content, 0.0)
    disk.write(kept)
    head, tail, _ = cut(contents)
    places = sorted(disk.rows)
    if len(head) + len(tail) == len(contents):
        assert places == list(range(1, len(contents) + 1))
    else:
        assert places[: len(head)] == list(range(1, len(head) + 1))
        assert all(place > len(head) + 1 for place in places[len(head) :])


@given(sizes=st.lists(SIZES, max_size=200))
def test_what_waits_is_never_more_than_a_head_and_a_tail(sizes: list[int]) -> None:
    kept = Kept(LIMITS)
    waiting = 0
    for content in contents_of(sizes):
        waiting += kept.add(1, 1, "stream", content, 0.0)
        assert waiting == sum(len(row.content) for row in kept.waiting())
        assert waiting <= LIMITS.journal_head_bytes + LIMITS.journal_tail_bytes


def test_a_row_larger_than_the_tail_is_left_out_and_counted() -> None:
    kept = Kept(LIMITS)
    kept.add(1, 1, "display_data", bytes(5_000), 0.0)
    assert (kept.waiting(), kept.omitted, kept.cut) == ([], 5_000, True)


def test_tiny_rows_are_bounded_in_number() -> None:
    kept = Kept(LIMITS)
    for _ in range(10_000):
        kept.add(1, 1, "stream", b"", 0.0)
    assert len(kept.waiting()) <= (LIMITS.journal_head_bytes + LIMITS.journal_tail_bytes) // ROW_BYTES
