"""A door with real sockets: what is read of very much at once."""

from __future__ import annotations

from collections.abc import Iterator

import jupyter_client.session
import pytest
import zmq

from holdfast import settings
from holdfast.access import doors
from holdfast.access.doorman import Doorman
from holdfast.access.doors import Door
from kit.deadline import Deadline
from kit.kernel import scratch

SECONDS = 10.0
MANY = 500


@pytest.fixture
def door() -> Iterator[Door]:
    with scratch() as folder, zmq.Context() as context:
        doors.open_own(folder / "door", folder / "door.json")
        doorman = Doorman(context)
        opened = Door(folder / "door.json", context, "session", settings.Wire(arriving_messages=MANY))
        with context.socket(zmq.DEALER) as client:
            client.linger = 0
            client.connect(opened.info.url("shell"))
            assert doorman.socket.poll(SECONDS * 1000)
            doorman.answer()
            known = jupyter_client.session.Session(key=opened.info.key.encode())
            for number in range(MANY):
                client.send_multipart(known.serialize(known.msg("kernel_info_request", {"n": number})))
            yield opened
        opened.close()
        doorman.close()


def test_of_very_many_messages_some_are_read_and_it_is_said_that_more_wait(door: Door) -> None:
    """Whoever sends faster than we read would else keep us from all others, and fill the memory."""
    left: list[zmq.Socket[bytes]] = []
    door.on_rest = left.append
    (socket,) = (socket for channel, socket in door.sources() if channel == "shell")
    read, deadline = 0, Deadline(SECONDS)
    while read < MANY:
        assert not deadline.passed
        socket.poll(100)
        before = len(left)
        some = door.arrivals("shell")
        assert len(some) <= MANY / 2
        assert len(left) > before or len(some) < doors.AT_ONCE
        read += len(some)
    assert left
    assert set(left) == {socket}
    assert door.arrivals("shell") == []
    assert door.refused == 0
