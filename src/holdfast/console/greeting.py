"""The lines above the first prompt: where the user is, since when, with whom. Pure."""

from __future__ import annotations

from holdfast import __version__
from holdfast.console import ansi
from holdfast.protocol.operations import Info

_DOT = " · "


def head(name: str, info: Info | None, *, created: bool, username: str, now: float) -> str:
    """One line about the session, and one about the cell that runs in it, if any. `now`: since the epoch."""
    words = [f"holdfast {__version__}"] if created else []
    words.append(f"session {name}")
    if info is not None:
        words.append(f"Python {info.python}")
        words += [] if created else _past(info, username, now)
        words += ["a program that has stopped; exit: it goes on, Ctrl-D: it waits"] if info.embedded else []
    words += ["? for help, Ctrl-D to leave"] if created else []
    lines = [ansi.paint(_DOT.join(words), ansi.NOTE)]
    if info is not None and info.running is not None:
        running = info.running
        since = duration(now - running.since)
        about = f"{running_title(running.count, running.client)} has been running for {since}"
        lines.append(ansi.paint(about, ansi.NOTE))
    return "\n".join(lines)


def running_title(count: int | None, client: str) -> str:
    """What to call somebody's cell."""
    return f"In [{count or ' '}] of {ansi.visible(client) or 'somebody'}"


def duration(seconds: float) -> str:
    """Seconds as `4 s`, `2 min`, `3.1 h`, `2.4 days`: to the one figure that matters."""
    if seconds < 100:
        return f"{max(0, seconds):.0f} s"
    if seconds < 6_000:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} days"


def _past(info: Info, username: str, now: float) -> list[str]:
    others = [ansi.visible(client) for client in info.clients if client and client != username]
    words = [f"up {duration(now - info.started)}", f"{info.cells} cell{'' if info.cells == 1 else 's'}"]
    return [*words, *([f"with {', '.join(others)}"] if others else [])]
