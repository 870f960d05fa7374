"""A console on a session of another host, over TCP. What the address means is `client/abroad.py`'s."""

from __future__ import annotations

from holdfast.cli import console, setting
from holdfast.cli.usage import complain, tell
from holdfast.client import abroad
from holdfast.errors import HoldfastError


def attach(word: str, host_key: str | None) -> int:
    """Open one on what `word` means, until it is left. `host_key`: what the host is to be known by."""
    there = abroad.place(word)
    console.check_terminal(f"holdfast attach {there}   (in a terminal)")
    info = abroad.connection(there, host_key)
    settings = setting.told().console
    from holdfast.console.app import run  # noqa: PLC0415 - heavy

    left = run(str(there), info, settings, created=False, find=abroad.finder(info))
    if left.status:
        _say_why(there)
    tell(f"left {there}. back: holdfast attach {there}")
    return left.status


def _say_why(there: abroad.Place) -> None:
    """Why the session does not answer any more, as far as that can be known."""
    try:
        abroad.connection(there)
    except HoldfastError as error:
        complain(error)
