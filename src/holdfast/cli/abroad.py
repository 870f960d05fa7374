"""A console on a session of another host, over TCP. What the address means is `client/abroad.py`'s."""

from __future__ import annotations

from holdfast.cli import console, setting
from holdfast.cli.usage import complain, tell
from holdfast.client import abroad
from holdfast.client.visit import Visit
from holdfast.errors import HoldfastError


def attach(word: str, host_key: str | None) -> int:
    """Open one on what `word` means, until it is left. `host_key`: what the host is to be known by."""
    there = abroad.place(word)
    console.check_terminal(f"holdfast attach {there}   (in a terminal)")
    settings = setting.told()
    visit = Visit(there, host_key, settings.remote)
    from holdfast.console.app import run  # noqa: PLC0415 - heavy

    left = run(str(there), visit.connection, settings.console, created=False, find=visit.find)
    visit.close()
    if left.status:
        _say_why(there)
    if visit.ended:
        tell(
            f"{there} has ended; its state is kept. there: holdfast attach {there.name} --listen tcp://ADDRESS"
        )
    else:
        tell(f"left {there}{'' if left.status else '; it goes on'}. back: holdfast attach {there}")
    return left.status


def _say_why(there: abroad.Place) -> None:
    """Why the session does not answer any more, as far as that can be known."""
    try:
        abroad.enter(there)
    except HoldfastError as error:
        complain(error)
