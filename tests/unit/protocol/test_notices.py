"""The card that a client leaves: what it says comes back, and nonsense is nobody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.protocol.notices import PRESENCE, Card, presence, presented


@given(st.text(max_size=40), st.integers(0, 2**33))
def test_a_card_says_who_somebody_is(username: str, since: int) -> None:
    username = username.encode("utf-8", "replace").decode()
    assert presented(presence(Card("5e55", "console", since, username))) == Card(
        "5e55", "console", since, username
    )


@given(st.binary(max_size=400))
def test_any_subscription_can_be_looked_at(subscription: bytes) -> None:
    assert presented(subscription) is None or subscription.startswith(PRESENCE)
    presented(PRESENCE + subscription)


def test_a_name_of_any_length_is_cut_and_still_a_card() -> None:
    card = presented(presence(Card("5e55", "console", 1.0, "a" * 10_000)))
    assert card is not None
    assert card.username.startswith("aaa")


def test_a_card_of_no_known_kind_is_nobodys() -> None:
    assert presented(PRESENCE + b"\x1b[2J/1/5e55/ana") is None
