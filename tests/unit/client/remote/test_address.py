"""`ssh://user@host:port/NAME`: what is accepted means one thing, and can be no option of ssh's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.remote import command
from holdfast.client.remote.address import Address, parse
from holdfast.errors import SessionError
from holdfast.settings import Remote

letters = st.text("abzAZ019_", min_size=1, max_size=8)
dotted = st.builds(lambda first, rest: first + rest, letters, st.text("a0._-", max_size=8))
names = st.builds(lambda first, rest: first + rest, st.sampled_from("aZ0"), st.text("aZ0._-", max_size=20))
addresses = st.builds(
    lambda host, name, user, port: Address(host, name, user=user, port=port),
    dotted | st.sampled_from(["::1", "fe80::1%eth0", "10.0.0.2"]),
    names | st.just(""),
    dotted | st.sampled_from(["", "ana@corp.example"]),
    st.integers(0, 65_535),
)


@given(addresses)
def test_an_address_reads_as_it_is_written(address: Address) -> None:
    again = parse(str(address))
    assert (again.host, again.name, again.user, again.port) == (
        address.host,
        address.name,
        address.user,
        address.port,
    )


@given(st.text() | st.text("ssh:/@[]-%.0a \n'$`").map(lambda rest: f"ssh://{rest}"))
def test_whatever_is_typed_is_an_address_or_told_to_be_none(word: str) -> None:
    try:
        address = parse(word)
    except SessionError:
        return
    assert address.name in ("", word.rpartition("/")[2])
    for part in (address.host, address.user):
        assert not part.startswith("-")
        assert not set(part) & set(" \n\t'\"$`\\;&|<>()")


@given(addresses)
def test_ssh_takes_neither_host_nor_user_for_an_option(address: Address) -> None:
    told = command.of(address, ["ls"], Remote())
    assert told[told.index("--") + 1] == address.host
    assert len(told) == told.index("--") + 3


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("ssh://-oProxyCommand=x/work", "can't name a host"),
        ("ssh://-x@host/work", "can't name a user"),
        ("ssh://ana:secret@host/work", "a password has no place in it"),
        ("ssh://host:0/work", "is not a port"),
        ("ssh://host:70000/work", "is not a port"),
        ("ssh://host:/work", "is not a port"),
        ("ssh:///work", "it names no host"),
        ("ssh://host/../x", "can't name a session"),
        ("ssh://host/a/b", "can't name a session"),
        ("ssh://a b/work", "can't name a host"),
        ("http://host/work", "it is not ssh://"),
    ],
)
def test_what_is_wrong_is_said(word: str, what: str) -> None:
    with pytest.raises(SessionError) as caught:
        parse(word)
    assert what in caught.value.what
    assert "secret" not in caught.value.what


def test_what_a_user_types_without_us_is_what_we_type() -> None:
    assert parse("ssh://ana@host:22/work").login == "ssh -p 22 ana@host"
    assert parse("ssh://[::1]/work").place == "ssh://[::1]"
