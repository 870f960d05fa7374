"""Where a session on another host is: `ssh://[user@]host[:port][/NAME]`. Pure, and light.

What is accepted can stand on ssh's command line as it is: neither user nor host can be taken for an option.
"""

from __future__ import annotations

import re

from holdfast.errors import SessionError
from holdfast.paths import checked_name

TYPE_CHECKING = False  # typing itself costs 5 ms
if TYPE_CHECKING:
    from typing import Final

SCHEME: Final = "ssh://"
MOST_PORT = 65_535
LONGEST = 255
"""Characters of a host's name (RFC 1035, 2.3.4), and of a user's."""

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@-]*")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?")
_PLACE = re.compile(
    r"(?:(?P<user>.*)@)?(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<host>[^\[\]:@]*))(?::(?P<port>[0-9]*))?"
)


class Address:
    """One host, as which user, at which port (0: as ssh has it), and which session there ("": none said)."""

    __slots__ = ("host", "name", "port", "user")

    def __init__(self, host: str, name: str = "", *, user: str = "", port: int = 0) -> None:
        self.host = host
        self.name = name
        self.user = user
        self.port = port

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Address) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f"{self.place}/{self.name}" if self.name else self.place

    @property
    def place(self) -> str:
        """The host's part alone."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{SCHEME}{user}{host}{f':{self.port}' if self.port else ''}"

    @property
    def login(self) -> str:
        """What a user types to get there without us."""
        user = f"{self.user}@" if self.user else ""
        return f"ssh {f'-p {self.port} ' if self.port else ''}{user}{self.host}"

    def of(self, name: str) -> Address:
        """Another session on the same host."""
        return Address(self.host, name, user=self.user, port=self.port)


def is_address(word: str) -> bool:
    """Whether a word is meant as one."""
    return word.startswith(SCHEME)


def parse(word: str) -> Address:
    """The address that `word` is; SessionError says what is wrong with it."""
    place, _, name = word.removeprefix(SCHEME).partition("/")
    found = _PLACE.fullmatch(place)
    if not word.startswith(SCHEME) or found is None:
        raise _wrong(word, "it is not ssh://[user@]host[:port]/NAME")
    user, ipv6, port = found["user"], found["ipv6"], found["port"]
    host = found["host"] if ipv6 is None else ipv6
    if user is not None and ":" in user:
        raise _wrong(f"{SCHEME}…@{host}", "a password has no place in it: ssh asks for it")
    if user is not None and not (_USER.fullmatch(user) and len(user) <= LONGEST):
        raise _wrong(word, f"{user!r} can't name a user")
    if not (_HOST if ipv6 is None else _IPV6).fullmatch(host) or len(host) > LONGEST:
        raise _wrong(word, f"{host!r} can't name a host" if host else "it names no host")
    if port is not None and not (len(port) <= len(str(MOST_PORT)) and 0 < int(port or 0) <= MOST_PORT):
        raise _wrong(word, f"{port!r} is not a port")
    return Address(host, checked_name(name) if name else "", user=user or "", port=int(port or 0))


def _wrong(word: str, what: str) -> SessionError:
    return SessionError(f"{word}: {what}", "holdfast attach ssh://host/NAME")
