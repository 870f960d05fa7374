"""What `authorized_keys` says: a line for each key that may come in. Pure: text in, people out.

    # key                                            name  what it may do, from where, how long
    curve:rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7   ana   role=run from=10.0.0.0/8,::1 until=2026-12-31

A line that is wrong lets nobody in, and shuts nobody else out. Blank lines and lines that begin with `#`
count for nothing. Without `role=` somebody may watch, and no more.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple, get_args

from holdfast import z85

Role = Literal["watch", "run", "own"]
"""What somebody may do: see all that is put out; run cells, too, and interrupt; stop and undo, too."""

ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most."""

MAX_LINE = 1_000
"""Characters. A key, a name and a dozen networks fit."""

_REMEMBERED = 16_384
"""Lines whose meaning is: more than fit into a file (`kept.MAX_FILE`). One takes 30 microseconds: with
ten thousand, the session would stand still for a third of a second whenever one has changed."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAME = re.compile(r"[^\W_][\w.@+-]{0,59}")
_OPTIONS = ("role", "from", "until")


class Person(NamedTuple):
    """A key that may come in, and what for."""

    key: str
    """Public, in Z85."""
    name: str
    role: Role = "watch"
    sources: tuple[Network, ...] = ()
    """From where alone; empty: from anywhere."""
    until: datetime | None = None
    """When it ends, in UTC."""
    line: int = 0
    """Where it stands in the file, counted from 1."""

    def may(self, role: Role) -> bool:
        """Whether what needs `role` is allowed."""
        return ROLES.index(self.role) >= ROLES.index(role)

    def may_come(self, address: str, now: datetime) -> bool:
        """Whether it is let in from that address, at that time."""
        return self.may_come_at_all(now) and (not self.sources or _is_in(address, self.sources))

    def may_come_at_all(self, now: datetime) -> bool:
        """Whether its time is not over."""
        return self.until is None or now < self.until


class Wrong(NamedTuple):
    """A line that lets nobody in, and why."""

    line: int
    what: str


class Authorized(NamedTuple):
    """What a file says."""

    by_key: Mapping[str, Person] = {}
    wrong: tuple[Wrong, ...] = ()

    @property
    def people(self) -> tuple[Person, ...]:
        """All of them, in the order of their lines."""
        return tuple(self.by_key.values())

    def of(self, key: str) -> Person | None:
        """Whose key that is: asked for each message, however many lines there are."""
        return self.by_key.get(key)


def parse(text: str) -> Authorized:
    """All lines of a file."""
    by_key: dict[str, Person] = {}
    wrong: list[Wrong] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not says_something(line):
            continue
        try:
            person = person_of(line)._replace(line=number)
            if by_key.setdefault(person.key, person).line != number:
                raise ValueError(f"this key stands in line {by_key[person.key].line} already")
        except ValueError as error:
            wrong.append(Wrong(number, str(error)))
    return Authorized(by_key, tuple(wrong))


def says_something(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


@functools.lru_cache(maxsize=_REMEMBERED)
def person_of(line: str) -> Person:
    """What one line says; ValueError, in words for its writer, if it is none."""
    if len(line) > MAX_LINE:
        raise ValueError(f"it is longer than {MAX_LINE} characters")
    words = line.split()
    key = z85.read(words[0]) if words else None
    if key is None:
        raise ValueError(f"it does not begin with a key ({z85.PREFIX} and 40 characters)")
    if len(words) < 2 or not _NAME.fullmatch(words[1]):
        raise ValueError("after the key comes a name: letters, digits, and . @ + - _ in it")
    given: dict[str, str] = {}
    for word in words[2:]:
        option, equals, value = word.partition("=")
        if option not in _OPTIONS or not equals:
            raise ValueError(f"{word!r} is none of role=, from=, until=")
        if option in given:
            raise ValueError(f"{option}= stands there twice")
        given[option] = value
    return Person(
        key,
        words[1],
        _role(given.get("role", "watch")),
        _networks(given["from"]) if "from" in given else (),
        _end(given["until"]) if "until" in given else None,
    )


def without(text: str, name: str) -> tuple[str, int]:
    """The file without the lines that let `name` in, and how many these were. Nothing else in it changes."""
    kept, removed = [], 0
    for line in text.split("\n"):
        words = line.split()
        if says_something(line) and words[1:2] == [name]:  # also one that is wrong in another way
            removed += 1
        else:
            kept.append(line)
    return "\n".join(kept), removed


def _role(word: str) -> Role:
    for role in ROLES:
        if word == role:
            return role
    raise ValueError(f"{'role=' + word!r} is none of {', '.join(ROLES)}")


def _networks(value: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each) for each in value.split(","))
    except ValueError as error:
        raise ValueError(f"{'from=' + value!r}: {error}") from None


def _end(value: str) -> datetime:
    """A day counts to its end, in UTC; a time without a zone is UTC, too."""
    try:
        if len(value) == len("2026-12-31"):
            return datetime.combine(date.fromisoformat(value) + timedelta(days=1), time(), UTC)
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{'until=' + value!r} is no date such as 2026-12-31 or 2026-12-31T18:00") from None


def _is_in(address: str, sources: Iterable[Network]) -> bool:
    try:
        here: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(here, "ipv4_mapped", None)  # an IPv4 peer of a socket for both
    return any((mapped or here) in network for network in sources)
