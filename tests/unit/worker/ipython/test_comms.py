"""Comms after another process took over: which there are, which lack a half, what is said anew."""

from __future__ import annotations

import json
import mmap
import os
import socket
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import comm
import pytest

from holdfast.link.channel import Channel
from holdfast.link.messages import Publish
from holdfast.link.ring import RingWriter
from holdfast.worker.interrupts import Interrupts
from holdfast.worker.ipython import comms
from holdfast.worker.ipython.display import Publisher
from holdfast.worker.outlet import Outlet
from holdfast.worker.parents import Parents

RING_BYTES = 1 << 16


class Heard:
    """A worker's way out, and what a supervisor would hear of it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.theirs = Channel(theirs)
        self.memory = mmap.mmap(-1, RING_BYTES)
        self.room = os.eventfd(0)
        ring = RingWriter(self.memory)
        outlet = Outlet(Channel(ours), ring, self.room, Interrupts(ring))
        self.publisher = Publisher(outlet, Parents())
        self.channel = outlet.channel

    def said(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and content of what was published since this was asked last."""
        frames = self.theirs.receive()
        return [(frame.msg_type, json.loads(frame.content)) for frame in frames if isinstance(frame, Publish)]

    def close(self) -> None:
        self.theirs.close()
        self.channel.close()
        os.close(self.room)


@pytest.fixture
def heard() -> Iterator[Heard]:
    before = comm.create_comm, comm.get_comm_manager
    heard = Heard()
    comms.install(heard.publisher)
    yield heard
    comm.create_comm, comm.get_comm_manager = before
    comms.Comm.publisher = None
    heard.close()


def test_open_comms_are_living_and_closed_ones_are_not(heard: Heard) -> None:
    one, other = comm.create_comm(target_name="t"), comm.create_comm(target_name="t")
    other.close()

    assert comms.living() == [one.comm_id]
    assert [kind for kind, _ in heard.said()] == ["comm_open", "comm_open", "comm_close"]


def test_a_forgotten_comm_is_closed_without_a_word(heard: Heard) -> None:
    half = comm.create_comm(target_name="t")
    told: list[Any] = []
    half.on_close(told.append)
    heard.said()

    comms.forget([half.comm_id, "never there"])
    half.close()

    assert (comms.living(), heard.said()) == ([], [])
    assert told[0]["content"]["comm_id"] == half.comm_id


def test_a_callback_that_fails_does_not_keep_others_from_being_forgotten(heard: Heard) -> None:
    halves = [comm.create_comm(target_name="t") for _ in range(2)]
    halves[0].on_close(lambda _message: 1 / 0)

    comms.forget([each.comm_id for each in halves])

    assert comms.living() == []


def test_widgets_with_an_open_comm_say_their_state_again(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def widget(name: str, half: Any, fails: bool = False) -> SimpleNamespace:
        def send_state() -> None:
            told.append(name)
            if fails:
                raise ValueError("a trait of the user's")

        return SimpleNamespace(comm=half, send_state=send_state, open=lambda: told.append(f"{name} opened"))

    module = ModuleType("ipywidgets.widgets.widget")
    opened = [comm.create_comm(target_name="jupyter.widget") for _ in range(3)]
    comms.forget([opened[2].comm_id])
    vars(module)["_instances"] = {
        "1": widget("fails", opened[0], fails=True),
        "2": widget("open", opened[1]),
        "3": widget("forgotten", opened[2]),
        "4": widget("closed", None),
    }
    monkeypatch.setitem(sys.modules, module.__name__, module)

    comms.resend_states()

    assert told == ["forgotten opened", "fails", "open"]


def test_without_ipywidgets_there_is_nothing_to_say(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ipywidgets.widgets.widget", raising=False)  # of another test
    comms.resend_states()

    assert heard.said() == []


def test_an_older_widget_can_make_a_comm_by_ipykernels_signature(heard: Heard) -> None:
    half = comms.Comm("jupyter.widget", {"state": 1}, None, None, False, kernel=object(), comm_id="x")

    assert half.comm_id == "x"
    assert heard.said()[0][1] == {
        "data": {"state": 1},
        "comm_id": "x",
        "target_name": "jupyter.widget",
        "target_module": None,
    }
