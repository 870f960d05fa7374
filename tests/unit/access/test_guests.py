"""What those who come in over TCP are known by: nobody can take another's, nor make him lose it."""

from __future__ import annotations

import pytest

from holdfast.access.guests import Guests
from holdfast.access.remote import Remote
from holdfast.access.threshold import Threshold
from holdfast.keys import authorized, kept
from holdfast.protocol.notices import Card
from holdfast.settings import Listen
from kit.abroad import new_keys
from kit.kernel import scratch

ANA, BO = new_keys(), new_keys()


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> object:
    with scratch() as folder:
        monkeypatch.setenv("HOLDFAST_HOME", str(folder))
        lines = [f"curve:{keys.public} {name} role=watch" for name, keys in (("ana", ANA), ("bo", BO))]
        kept.change_authorized(lambda _: "\n".join(lines))
        assert len(authorized.parse("\n".join(lines)).people) == 2
        yield Remote(Guests(Threshold(Listen())), Listen())


def test_a_place_that_was_taken_stays_whoever_takes_however_many(remote: Remote) -> None:
    guests = remote.guests
    assert guests.sits(b"session of ana", ANA.public)
    assert all(guests.sits(b"%d" % number, BO.public) for number in range(10_000))
    assert not guests.sits(b"session of ana", BO.public)
    assert len(guests._owners) < 100, "who takes many loses his own oldest"
    assert guests.sits(b"session of ana", ANA.public)


def test_who_ends_a_subscription_to_anothers_card_ends_his_own(remote: Remote) -> None:
    card = Card("of ana", "console", 1.0, "ana")
    shown = remote.named(b"card", card, ANA.public)
    strange = remote.named(b"card", card, BO.public)
    assert (shown.username, strange.username) == ("ana", "?")
    assert remote.taken_back(b"card", card) == strange
    assert remote.taken_back(b"card", card) == shown
