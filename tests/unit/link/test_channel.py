"""Messages that are only looked at stay for whoever holds the socket next."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.holds.link import one_of_each
from holdfast.errors import LinkError
from holdfast.link.channel import BULK_BYTES, Channel
from holdfast.link.frames import Decoder, encode
from holdfast.link.messages import Absent, Bell, Frame, LeftBehind, Publish, Segment, StandbyTaken, Woken

Pair = tuple[Channel, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A worker's end, and the supervisor's as a bare socket."""
    theirs, ours = socket.socketpair()
    ours.setblocking(False)
    yield Channel(theirs), ours
    theirs.close()
    ours.close()


def heard(sock: socket.socket) -> list[tuple[int, Frame]]:
    """What somebody hears who takes over the socket."""
    channel = Channel(sock.dup(), keeps=True)
    try:
        return channel.numbered()
    finally:
        channel.close()


def test_what_was_not_taken_off_is_heard_by_the_next_one(pair: Pair) -> None:
    worker, ours = pair
    supervisor = Channel(ours, keeps=True)
    for parent in range(5):
        worker.send(Segment(0, parent, "stdout"))
    assert [number for number, _ in supervisor.numbered()] == [1, 2, 3, 4, 5]
    assert supervisor.numbered() == []
    supervisor.take_off(2)
    worker.send(Bell())
    assert [number for number, _ in supervisor.numbered()] == [6]
    assert [number for number, _ in heard(ours)] == [3, 4, 5, 6]


@pytest.mark.parametrize("keeps", [False, True])
def test_the_last_words_of_who_is_gone_are_heard_though_something_was_sent_first(keeps: bool) -> None:
    theirs, ours = socket.socketpair()
    with theirs:
        Channel(theirs).send(Segment(0, 1, "stdout"))
    ours.setblocking(False)
    supervisor = Channel(ours, keeps=keeps)
    supervisor.send(Bell())
    assert supervisor.ended
    assert len(supervisor.receive()) == 1
    assert supervisor.receive() == []
    supervisor.close()


def test_a_descriptor_comes_along_again(pair: Pair) -> None:
    worker, ours = pair
    reading, writing = os.pipe()
    worker.send(StandbyTaken(0, 1, 2, 3.0), writing)
    first, second = Channel(ours, keeps=True), None
    assert len(first.numbered()) == 1
    os.close(first.take_fd())
    os.close(writing)
    second = Channel(ours, keeps=True)
    assert len(second.numbered()) == 1
    descriptor = second.take_fd()
    second.take_off(1)
    os.write(descriptor, b"x")
    os.close(descriptor)
    assert os.read(reading, 2) == b"x"
    assert os.read(reading, 2) == b""  # none was left open
    os.close(reading)


def test_a_message_larger_than_a_socket_takes_arrives_and_can_be_looked_at_twice(pair: Pair) -> None:
    worker, ours = pair
    content = bytes(10 * BULK_BYTES)
    worker.send(Publish(0, 1, "display_data", content))
    worker.send(Bell())
    for _ in range(2):
        (_, publish), (number, _) = heard(ours)
        assert isinstance(publish, Publish)
        assert publish.content == content
        assert number == 2


@pytest.mark.parametrize("keeps", [False, True])
def test_what_was_said_before_nonsense_is_heard(pair: Pair, keeps: bool) -> None:
    worker, ours = pair
    worker.send(Segment(0, 1, "stdout"))
    worker.sock.send(b"nonsense" * 10)
    supervisor = Channel(ours, keeps=keeps)
    assert supervisor.receive() == [Segment(0, 1, "stdout")]
    assert supervisor.ended
    assert supervisor.receive() == []


def open_now() -> int:
    return len(os.listdir("/proc/self/fd"))


@given(
    st.lists(
        st.sampled_from([bytes(encode(message, 1)) for message in one_of_each()]) | st.binary(max_size=30),
        max_size=4,
    ),
    st.binary(max_size=40),
    st.booleans(),
    st.booleans(),
)
def test_whatever_comes_with_whichever_descriptor_is_messages_or_refused_and_nothing_stays_open(
    said: list[bytes], bulk: bytes, sealed: bool, keeps: bool
) -> None:
    before = open_now()
    theirs, ours = socket.socketpair()
    memory = os.memfd_create("bulk", os.MFD_ALLOW_SEALING)
    os.write(memory, bulk)
    if sealed:
        fcntl.fcntl(memory, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_WRITE)
    ours.setblocking(False)
    channel = Channel(ours, keeps=keeps)
    with theirs, contextlib.suppress(LinkError):
        for each in said:
            if each:
                socket.send_fds(theirs, [each], [memory])
        while channel.numbered():
            os.close(channel.take_fd())
    os.close(memory)
    channel.close()
    assert open_now() == before


@given(st.lists(st.integers(1, 40), min_size=1, max_size=20), st.integers(1, 30))
def test_however_the_bytes_are_cut_numbers_and_sizes_are_those_of_the_messages(
    streams: list[int], piece: int
) -> None:
    sent = [encode(Segment(0, number, "x" * size), number) for number, size in enumerate(streams, 1)]
    data = b"".join(sent)
    decoder = Decoder()
    pieces = (data[begin : begin + piece] for begin in range(0, len(data), piece))
    found = [(decoder.number, decoder.size) for each in pieces for _ in decoder.feed(each)]
    assert found == [(number, len(each)) for number, each in enumerate(sent, 1)]
    assert decoder.pending == 0


def test_a_name_that_is_no_utf8_costs_no_message() -> None:
    left = LeftBehind([Absent("file", "log", os.fsdecode(b"/caf\xe9"))])
    (woken,) = Decoder().feed(encode(Woken(0, 1, left, ["comm"]), 1))

    assert isinstance(woken, Woken)
    assert woken.left.not_restored == [Absent("file", "log", "/caf\\udce9")]
    assert woken.comms == ["comm"]
