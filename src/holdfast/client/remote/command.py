"""What ssh is told: its options, which sockets it forwards, and what it runs on the other host. Pure.

The user's configuration of ssh holds: names of hosts, keys, agents, jump hosts. What would keep us from being
told when the connection is cut, or from getting our own words through, is set here.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping, Sequence

from holdfast.client.remote.address import Address
from holdfast.settings import Remote

PORTER = "__porter"
"""In place of a command: what runs there for as long as we are connected (`porter.py`)."""

WORDS = "__words"
"""In place of a command: the next word holds a whole command line, see `encoded`."""

NOT_FOUND = "holdfast-is-not-here"
"""What is said there on standard error if there is no Holdfast."""

NOT_FOUND_STATUS = 127
"""And the exit status, which is a shell's for that."""

_FIND = "; ".join(
    (
        'if command -v holdfast >/dev/null 2>&1; then exec holdfast "$@"; fi',
        # Who logs in has more in their PATH, mostly ~/.local/bin. Their start-up files may print something.
        'found=$("${SHELL:-sh}" -l -c "command -v holdfast" </dev/null 2>/dev/null | tail -n 1)',
        'if [ -x "$found" ]; then exec "$found" "$@"; fi',
        'if python3 -c "import holdfast" </dev/null >/dev/null 2>&1; then exec python3 -m holdfast "$@"; fi',
        f"echo {NOT_FOUND} >&2",
        f"exit {NOT_FOUND_STATUS}",
    )
)
"""For sh. The user's own shell, which may be fish or csh, sees it in single quotes: it has none, no
backslash and no exclamation mark, which mean something there even so."""


def of(
    address: Address,
    words: Sequence[str],
    settings: Remote,
    *,
    forwarded: Mapping[str, str] | None = None,
    alone: bool = False,
    terminal: bool = False,
) -> list[str]:
    """The command that runs `holdfast WORDS` there.

    `forwarded`: sockets that are made here, and those there that they lead to. `alone`: nobody is asked for
    anything. `terminal`: it gets one.
    """
    options = {
        "BatchMode": "yes" if alone else None,
        "ConnectTimeout": str(settings.connect_seconds),
        "ServerAliveInterval": str(settings.alive_seconds),
        "ServerAliveCountMax": str(settings.alive_count),
        # A connection that others share would not end when ours is cut, nor our sockets with us.
        "ControlMaster": "no",
        "ControlPath": "none",
        # Of those in the user's configuration for this host one may be there already, by another ssh.
        "ExitOnForwardFailure": "no",
        "RemoteCommand": "none",
        # Why a socket could not be forwarded is said at this level. On a terminal ssh says goodbye at it.
        "LogLevel": "ERROR" if terminal else "INFO",
    }
    told = ["ssh", "-t" if terminal else "-T"]
    for name, value in options.items():
        told += ["-o", f"{name}={value}"] if value is not None else []
    for here, there in (forwarded or {}).items():
        told += ["-L", f"{here}:{there}"]
    told += ["-l", address.user] if address.user else []
    told += ["-p", str(address.port)] if address.port else []
    return [*told, "--", address.host, _for_shell(words, settings.command)]


def encoded(words: Sequence[str]) -> list[str]:
    """A command line as two words that no shell changes."""
    return [WORDS, base64.urlsafe_b64encode(json.dumps(list(words)).encode()).decode().rstrip("=")]


def decoded(word: str) -> list[str]:
    """The command line in the second of them; ValueError if there is none."""
    words = json.loads(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
        raise ValueError(word)
    return words


def _for_shell(words: Sequence[str], command: str) -> str:
    """As one word: sshd has the user's shell read it."""
    script = f'exec {command} "$@"' if command else _FIND
    return f"exec sh -c {shlex.quote(script)} sh {shlex.join(words)}"
