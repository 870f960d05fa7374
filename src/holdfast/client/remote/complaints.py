"""Why ssh has ended, from what it said on its standard error: in words, with what to try. Pure.

ssh says it in English whatever the locale, and has for many years (ssh.c, sshconnect2.c, clientloop.c of
OpenSSH). What is not known here is shown as it was said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from holdfast.client.remote.address import Address
from holdfast.client.remote.command import NOT_FOUND, NOT_FOUND_STATUS
from holdfast.errors import NoAnswer

LONGEST = 300
"""Characters of a line of ssh's that is shown as it is."""

SSH_FAILED = 255
"""ssh's exit status for its own failures (ssh(1), EXIT STATUS); all others are the command's."""


class _Known(NamedTuple):
    said: re.Pattern[str]
    what: str
    remedy: str
    lasting: bool
    """It stays so until somebody does something about it: trying again does not help."""


def _known(said: str, what: str, remedy: str, *, lasting: bool) -> _Known:
    return _Known(re.compile(said), what, remedy, lasting)


_TO_SEE = "{login}   (that must work by itself)"

_ALL = (
    _known(r"Could not resolve hostname [^:]*: (.*)", "there is no host {host}: {0}", _TO_SEE, lasting=False),
    _known(
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|Host key verification failed",
        "the key of {host} is not the one that ssh knows",
        _TO_SEE,
        lasting=True,
    ),
    _known(
        r"(Permission denied \(.*|Too many authentication failures)",
        "{host} lets you not in: {0}",
        _TO_SEE,
        lasting=True,
    ),
    _known(
        r"connect to (?:host|address) \S+ port \d+: (.*)",
        "{host} can't be reached: {0}",
        _TO_SEE,
        lasting=False,
    ),
    _known(
        re.escape(NOT_FOUND),
        "there is no Holdfast on {host}, or it is not found there",
        "pip install holdfast, there; or: holdfast --set remote.command=/path/to/holdfast attach {address}",
        lasting=True,
    ),
    _known(
        r"holdfast: there is no command '__",
        "the Holdfast on {host} is too old to be reached from here",
        "pip install -U holdfast, there",
        lasting=True,
    ),
)


class Failed(NoAnswer):
    """There is no connection to a host. `lasting`: trying again does not help."""

    def __init__(self, what: str, remedy: str | None = None, *, lasting: bool = False) -> None:
        super().__init__(what, remedy)
        self.lasting = lasting


_ASIDE = "Warning: "


def is_reason(line: str) -> bool:
    """Whether a line of ssh's tells why it ends: it is told in our words then."""
    return any(each.said.search(line) for each in _ALL)


def _is_aside(line: str) -> bool:
    """Whether it is one of those with which ssh goes on."""
    return line.startswith(_ASIDE)


def failure(address: Address, said: Sequence[str], status: int | None) -> Failed:
    """Why there is no connection. `status`: ssh's exit status, if it has ended."""
    names = {"host": address.host, "login": address.login, "name": address.name or "NAME", "address": address}
    for known in _ALL:
        for line in said:
            if found := known.said.search(line):
                parts = [harmless(each or "").rstrip(".") for each in found.groups()]
                return Failed(
                    known.what.format(*parts, **names), known.remedy.format(**names), lasting=known.lasting
                )
    last = next((harmless(line) for line in reversed(said) if line.strip() and not _is_aside(line)), "")
    if status == NOT_FOUND_STATUS:  # the command that the user has set
        what = f"what remote.command names is not on {address.host}"
        return Failed(f"{what}: {last}" if last else what, "holdfast config remote.command", lasting=True)
    why = "it does not answer" if status is None else last or "it ended without a word"
    return Failed(f"no connection to {address.host}: {why.rstrip('.')}", address.login)


def forbidden(address: Address) -> Failed:
    """The other side answers by itself, but lets nothing through to a socket there."""
    by_hand = address.login.replace("ssh ", "ssh -t ", 1)
    return Failed(
        f"{address.host} forbids to forward sockets",
        f"AllowStreamLocalForwarding yes in its sshd_config; or: {by_hand} holdfast attach {address.name}",
        lasting=True,
    )


def harmless(text: str) -> str:
    """What another host says, for a terminal: what can't be printed is left out."""
    return "".join(each for each in " ".join(text.split()) if each.isprintable())[:LONGEST]
