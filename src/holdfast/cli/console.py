"""Opening a console on a session, and what is said when it is left. The console itself is `console/`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from holdfast.cli import pick, setting
from holdfast.cli.usage import UsageError, complain, tell
from holdfast.client import start
from holdfast.config import places
from holdfast.errors import HoldfastError, NoSuchSession, SessionExists, SessionNotRunning
from holdfast.visible import in_line

if TYPE_CHECKING:
    from holdfast.client.doorbell import DoorbellClient
    from holdfast.client.succession import Find
    from holdfast.console.opening import Opening
    from holdfast.settings import Console

FAREWELL_SECONDS = 1.0
"""So long who leaves waits to hear what became of the session: it may stand still, and be left for that."""


def check_terminal(instead: str) -> None:
    """UsageError if there is none for a console: before a session is started for it."""
    if not os.isatty(0):
        raise UsageError("a console needs a terminal to read from", instead)


def open_new() -> int:
    """A console on a new session named after the current folder. When it is left idle and alone, it ends."""
    load()
    name, bell = start_new(os.getcwd())
    return open_on(name, bell, created=True, may_end=True)


def load() -> None:
    """Begin to load the console, while a supervisor comes up, which takes as long."""
    from threading import Thread  # noqa: PLC0415 - what is here must not cost `attach` its first moment

    def imported() -> None:
        import holdfast.config.inforce  # noqa: PLC0415
        import holdfast.console.app  # noqa: PLC0415
        import holdfast.console.prompt  # noqa: F401, PLC0415

    Thread(target=imported, daemon=True).start()


def start_new(folder: str) -> tuple[str, DoorbellClient]:
    """Start a session with the first free name for `folder`, there; its name and doorbell."""
    for name in pick.names_for(folder):
        try:
            return name, start.create(name, cwd=folder)
        except SessionExists:
            continue
    raise AssertionError("names_for ends with an error")


class Way(NamedTuple):
    """To a session of this machine; to those of others: `cli/elsewhere.py`."""

    name: str
    """By which it is attached again."""
    title: str
    """What it is called when it is left."""
    ring: Callable[[], DoorbellClient]
    """Within FAREWELL_SECONDS, if it is on another host."""
    find: Find | None = None
    """How it is found again when the connection was lost, if it is on another host."""


def open_on(name: str, bell: DoorbellClient, *, created: bool, may_end: bool = False) -> int:
    """Run the console until it is left, then say what became of the session."""
    settings = _settings(name, created)
    with bell:
        connection_file = Path(bell.ask("info")["connection_file"])
    way = Way(name, name, lambda: start.ring(name))
    return open_by(way, connection_file, settings, created=created, may_end=may_end)


def open_at_once(name: str, bell: DoorbellClient) -> int:
    """The same, on a session that runs; where it can be, its first lines are drawn before all is loaded."""
    from holdfast.console.opening import Look, Opening, look_of  # noqa: PLC0415 - light, but not for a new session

    settings = None if places.unsaid(os.environ) and not start.given else _settings(name, created=False)
    look = Look() if settings is None else look_of(settings)
    with Opening(look) as opening:
        if opening.draw(name, bell) and opening.drawn is not None:
            settings = settings or _settings(name, created=False)
            file = Path(opening.drawn.here.connection_file)
            way = Way(name, name, lambda: start.ring(name))
            return open_by(way, file, settings, created=False, opening=opening)
    bell.close()  # an answer that came late may still be in it
    return open_on(name, start.ensure(name), created=False)


def open_by(
    way: Way,
    connection_file: Path,
    settings: Console,
    *,
    created: bool,
    may_end: bool = False,
    opening: Opening | None = None,
) -> int:
    """The same, by a way that is known."""
    from holdfast.console.app import run  # noqa: PLC0415 - heavy, and `start_new` does without

    left = run(way.name, connection_file, settings, created=created, find=way.find, opening=opening)
    ended = _farewell(way, left.session, may_end)
    return left.status if ended is None else ended


def _settings(name: str, created: bool) -> Console:
    """The console's own."""
    from holdfast.config import inforce  # noqa: PLC0415 - 30 ms

    settings = setting.told().console
    session = inforce.kept(name) if created else None
    told = [each for each in session.given if each.layer == "project"] if session else []
    if told:  # by a file that the user may not have read
        from holdfast.cli import text  # noqa: PLC0415 - as below
        from holdfast.config.words import shown  # noqa: PLC0415 - hardly ever needed

        values = ", ".join(f"{each.name} = {shown(each.value)}" for each in told)
        tell(f"set by {text.short_folder(told[0].source)}: {values}")
    return settings


def _farewell(way: Way, session: str, may_end: bool) -> int | None:
    """Say what becomes of it; the exit status of a session's end, None if it goes on or that is not known.

    `session`: of our own console, whose end the supervisor may not have heard of yet.
    """
    back, name = f"back: holdfast attach {way.name}", way.title
    try:
        with way.ring() as bell:
            info = bell.ask("info", timeout=FAREWELL_SECONDS)
            company = bell.ask("clients", timeout=FAREWELL_SECONDS)["clients"]
            others = [each for each in company if each["session"] != session]
            if may_end and info["state"] != "busy" and not others:
                start.stop(name, bell)
                return _tell_what_is_kept(way, f"ended {name}; its state is kept. {back}")
            tell(f"left {name}; it goes on{_what_goes_on(info, others)}. {back}")
    except (SessionNotRunning, NoSuchSession):
        return _tell_what_is_kept(way, f"{name} has ended; its state is kept. {back}")
    except HoldfastError as error:
        tell(f"left {name}: {error.what}. {back}")
    return None


def _tell_what_is_kept(way: Way, all_of_it: str) -> int | None:
    """The same for all consoles, also one that had no ears yet, or none any more, when it was ended."""
    if way.find is not None:  # what another host keeps is there
        tell(all_of_it)
        return None
    from holdfast.cli.logs import kept  # noqa: PLC0415 - SQLite, when the console is over

    kept.await_end(way.name)
    if trouble := kept.not_written(way.name):
        return complain(trouble)
    tell(all_of_it)
    return 1 if kept.ended_by(way.name) == "crash" else 0


def _what_goes_on(info: dict[str, Any], others: list[dict[str, Any]]) -> str:
    """Of the session that was left: the cell that runs, and who stays."""
    going: list[str] = []
    if info["running"] is not None:
        does = "waits for an answer" if info["question"] is not None else "is running"
        going.append(f"In[{info['running']['count']}] {does}")
    elif info["state"] == "busy":
        going.append("it is busy")
    if others:
        names = sorted(in_line(each["name"]) for each in others)
        going.append(f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} attached")
    return f" ({'; '.join(going)})" if going else ""
