"""What ssh says when it ends, in our words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.client.remote.address import parse
from holdfast.client.remote.complaints import failure, harmless, is_reason

WORK = parse("ssh://ana@far/work")


@pytest.mark.parametrize(
    ("said", "what", "lasting"),
    [
        (
            "ssh: Could not resolve hostname far: Name or service not known",
            "there is no host far: Name or service not known",
            False,
        ),
        (
            "ssh: connect to host far port 22: Connection refused",
            "far can't be reached: Connection refused",
            False,
        ),
        (
            "ssh: connect to host fe80::1 port 22: No route to host",
            "far can't be reached: No route to host",
            False,
        ),
        (
            "ana@far: Permission denied (publickey,password).",
            "far lets you not in: Permission denied (publickey,password)",
            True,
        ),
        ("Host key verification failed.", "the key of far is not the one that ssh knows", True),
        ("holdfast-is-not-here", "there is no Holdfast on far, or it is not found there", True),
        (
            "holdfast: there is no command '__porter'",
            "the Holdfast on far is too old to be reached from here",
            True,
        ),
    ],
)
def test_a_known_reason_is_told_in_our_words(said: str, what: str, lasting: bool) -> None:
    error = failure(WORK, ["Warning: something else", f"{said}\r\n"], 255)
    assert error.what == what
    assert error.lasting is lasting
    assert error.remedy
    assert is_reason(said)


def test_an_unknown_one_is_shown_as_it_was_said() -> None:
    error = failure(WORK, ["Timeout, server far not responding.\r\n", "\r\n"], 255)
    assert error.what == "no connection to far: Timeout, server far not responding"
    assert error.remedy == "ssh ana@far"
    assert not error.lasting
    assert failure(WORK, [], 255).what == "no connection to far: it ended without a word"


def test_what_ssh_has_said_is_no_reason_while_it_goes_on() -> None:
    added = "Warning: Permanently added 'far' (ED25519) to the list of known hosts.\r\n"
    assert failure(WORK, [added], None).what == "no connection to far: it does not answer"
    assert failure(WORK, ["Authorized users only\n"], None).what == "no connection to far: it does not answer"
    assert failure(WORK, [added], 255).what == "no connection to far: it ended without a word"


def test_a_password_that_was_wrong_is_ssh_s_to_say_while_it_asks_again() -> None:
    assert not is_reason("Permission denied, please try again.")
    assert not is_reason("Warning: Permanently added 'far' (ED25519) to the list of known hosts.")


@given(st.lists(st.text()), st.none() | st.integers(0, 255))
def test_whatever_is_said_fits_a_terminal_s_line(said: list[str], status: int | None) -> None:
    error = failure(WORK, said, status)
    assert error.what.isprintable()
    assert error.remedy is None or error.remedy.isprintable()


@given(st.text())
def test_what_is_harmless_is_printable(text: str) -> None:
    assert harmless(text).isprintable()
