"""The card that a client leaves: what it says comes back, and nonsense is nobody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fuzz.holds.cards import left
from holdfast.protocol.notices import PRESENCE, Card, presence, presented
from holdfast.visible import as_name


@given(st.text(max_size=40), st.integers(0, 2**33))
def test_a_card_says_who_somebody_is(username: str, since: int) -> None:
    username = username.encode("utf-8", "replace").decode()
    assert presented(presence(Card("5e55", "console", since, username))) == Card(
        "5e55", "console", since, as_name(username)
    )


@given(st.binary(max_size=400))
def test_any_subscription_can_be_looked_at(subscription: bytes) -> None:
    left(subscription)
    left(PRESENCE + subscription)


def test_a_name_of_any_length_is_cut_and_still_a_card() -> None:
    card = presented(presence(Card("5e55", "console", 1.0, "a" * 10_000)))
    assert card is not None
    assert card.username.startswith("aaa")


def test_a_time_that_no_clock_tells_is_not_taken() -> None:
    card = presented(PRESENCE + b"console/" + b"9" * 200 + b"/5e55/ana")
    assert card is not None
    assert card.since == 0.0


def test_a_card_of_no_known_kind_is_nobodys() -> None:
    assert presented(PRESENCE + b"\x1b[2J/1/5e55/ana") is None
