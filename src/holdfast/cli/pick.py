"""Which session is meant, and a new one's name. Asks the disk and doorbells, starts nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from itertools import count

from holdfast.client import start
from holdfast.errors import NoAnswer, NoSuchSession, SessionError
from holdfast.paths import MAX_NAME

_TRIES = 1000

_PROGRAMS = re.compile(r"run-[0-9]+-[0-9a-f]{6}")


def session(word: str) -> str:
    """An argument that names a session: what argparse takes it for, and what completion offers for it."""
    return word


def running(word: str) -> str:
    """The same, of one that runs."""
    return word


def ended(word: str) -> str:
    """The same, of one that does not."""
    return word


def named_or_newest(name: str | None) -> str:
    """`name`; without one the session that was used last, a running one before those that ended."""
    if name is not None:
        return name
    found = candidates()
    if not found:
        raise NoSuchSession("there are no sessions", "holdfast")
    return max(found, key=lambda each: (is_running(each), start.last_use(each)))


def candidates() -> list[str]:
    """The sessions that may be meant if none is named: not those of programs, which end with them."""
    return [each for each in start.known() if not _PROGRAMS.fullmatch(each)]


def for_program() -> str:
    """The name of a session for one program."""
    return f"run-{os.getpid()}-{os.urandom(3).hex()}"


def named_and_rest(
    name: str | None, rest: list[str], is_rest: Callable[[str], bool]
) -> tuple[str, list[str]]:
    """The same where more may follow: `name` is part of that if it looks so and is no session's."""
    if name is not None and is_rest(name) and not start.exists(name):
        return named_or_newest(None), [name, *rest]
    return named_or_newest(name), rest


def is_running(name: str) -> bool:
    """Whether somebody answers the session's doorbell."""
    try:
        start.ring(name).close()
    except (SessionError, NoAnswer):
        return False
    return True


def names_for(folder: str) -> Iterator[str]:
    """Names for a new session in `folder`: its own name, then `name-2`, `name-3` and so on."""
    base = re.sub(r"[^A-Za-z0-9._-]+", "-", os.path.basename(folder)).strip("-._")[: MAX_NAME - 5]
    base = base or "session"
    yield base
    for number in count(2):
        yield f"{base}-{number}"
        if number > _TRIES:
            raise SessionError(f"there are more than {_TRIES} sessions named {base!r}", "holdfast new NAME")
