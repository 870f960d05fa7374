"""What a supervisor that was killed had written down and not sent: others' clients get it, or are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path

import pytest
import zmq

from holdfast import settings
from holdfast.access import doors
from holdfast.access.doorman import Doorman
from holdfast.access.doors import Door
from holdfast.journal.history import History
from holdfast.journal.journal import Journal
from holdfast.link.ring import RingReader
from holdfast.supervisor.clients.broadcast import NOBODY, Broadcast
from holdfast.supervisor.ledger import Ledger
from holdfast.supervisor.loop import Loop
from holdfast.supervisor.succession.unsent import Unsent
from kit.kernel import scratch
from kit.wire import Client

OUTPUTS = ["1", "2", "3", "4", "5"]


class Succession:
    """A supervisor with what another one has left: a journal with five outputs, and the ring."""

    def __init__(self, folder: Path) -> None:
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._doorman = Doorman(self._context)
        self.journal = Journal.open(folder, settings.Output())
        self.history = History.open(folder / "history.db")
        self.journal.begin()
        for seq, text in enumerate(OUTPUTS, 1):
            content = json.dumps({"name": "stdout", "text": text}).encode()
            self.journal.output(None, seq, "stream", content, 0.0)
        self.journal.flush()
        self.ring = RingReader(mmap(-1, 4096))
        ledger = Ledger(self.journal, self.history, Loop(), 20.0)
        self.broadcast = Broadcast(ledger, self.journal.begin(), "work")
        self.own, self.guest = (self._opened(folder, name) for name in ("own", "guest"))

    def took_over(self) -> tuple[list[str], list[str]]:
        """What the clients at our own door hear, and those at another one."""
        Unsent("work", self.journal, self.broadcast, self.ring).send(lambda _: NOBODY)
        self.broadcast.tell_guests("stream", b'{"name":"stdout","text":"end"}', NOBODY)
        self.broadcast.notice("stream", {"name": "stdout", "text": "end"}, NOBODY)
        self.broadcast.flush()
        return heard(self.own), heard(self.guest)

    def close(self) -> None:
        for client in (self.own, self.guest):
            client.close()
        for door in self.broadcast.doors:
            door.close()
        self._doorman.close()
        self._context.term()
        self.journal.close()
        self.history.close()

    def _opened(self, folder: Path, name: str) -> Client:
        file = folder / f"{name}.json"
        doors.open_own(folder / name, file)
        door = Door(file, self._context, "session", settings.Wire())
        door.ours = name == "own"
        self.broadcast.doors.append(door)
        client = Client(json.loads(file.read_text()))
        while not client.published:
            self._doorman.answer()
            door.greet()
            client.listen(0.01)
        return client


def heard(client: Client) -> list[str]:
    def texts() -> list[str]:
        return [m["content"]["text"] for m in client.published if m["msg_type"] == "stream"]

    client.until(lambda: texts()[-1:] == ["end"], "the end")
    return texts()[:-1]


@pytest.fixture
def succession() -> Iterator[Succession]:
    with scratch() as folder:
        made = Succession(folder)
        yield made
        made.close()


def test_nothing_comes_twice_when_all_had_left(succession: Succession) -> None:
    succession.ring.note_sending(1, 5)
    succession.ring.note_sent()
    assert succession.took_over() == ([], [])


def test_what_was_not_sent_is_sent_to_who_cannot_ask_for_it(succession: Succession) -> None:
    succession.ring.note_sending(1, 3)
    succession.ring.note_sent()
    assert succession.took_over() == ([], ["4", "5"])


def test_what_may_not_have_left_is_not_repeated_but_named(succession: Succession) -> None:
    succession.ring.note_sending(1, 2)
    succession.ring.note_sent()
    succession.ring.note_sending(1, 3)
    own, guest = succession.took_over()
    assert own == []
    assert "may be missing here. All of it: holdfast log work" in guest[0]
    assert guest[1:] == ["4", "5"]


def test_what_one_before_the_last_had_not_sent_is_sent_too(succession: Succession) -> None:
    """The last one was killed while it waited for the clients."""
    succession.ring.note_sending(1, 4)
    succession.ring.note_sent()
    succession.journal.output(None, 1, "stream", b'{"name":"stdout","text":"6"}', 0.0)  # in the second run
    succession.journal.flush()
    succession.journal.begin()
    assert succession.took_over() == ([], ["5", "6"])


def test_a_supervisor_that_kept_no_such_account_leaves_nothing_to_send(succession: Succession) -> None:
    assert succession.took_over() == ([], [])
