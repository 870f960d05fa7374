"""The lines above the first prompt: where the user is, since when, with whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from holdfast import __version__
from holdfast.console import ansi
from holdfast.console.names import called
from holdfast.visible import in_line

if TYPE_CHECKING:
    from holdfast.client.glance import Here, Runs
    from holdfast.protocol.operations import Info, Running

_DOT = " · "


def head(
    name: str, info: Info | Here | None, *, created: bool, own: str, others: Sequence[str], now: float
) -> str:
    """One line about the session, and one about the cell that runs in it, if any. `now`: since the epoch.

    `own`: our user's name, `others`: who else is attached.
    """
    words = [f"holdfast {__version__}"] if created else []
    words.append(f"session {name}")
    if info is not None:
        words.append(f"Python {in_line(info.python)}")
        words += [] if created else _past(info, others, now)
        words += ["a program that has stopped; exit: it goes on, Ctrl-D: it waits"] if info.embedded else []
    words += ["? for help, Ctrl-D to leave"] if created else ["Ctrl-D leaves"]
    lines = [ansi.paint(_DOT.join(words), ansi.NOTE)]
    if info is not None and info.running is not None:
        running = info.running
        since = duration(now - running.since)
        about = f"{running_title(running, own)} has been running for {since}"
        lines.append(ansi.paint(about, ansi.NOTE))
    return "\n".join(lines)


def running_title(running: Running | Runs, own: str) -> str:
    """What to call the cell of a client, for user `own`."""
    return f"In [{running.count or ' '}] of {called(running.client, running.session, own)}"


def duration(seconds: float) -> str:
    """Seconds as `4 s`, `2 min`, `3.1 h`, `2.4 days`: to the one figure that matters."""
    if seconds < 100:
        return f"{max(0, seconds):.0f} s"
    if seconds < 6_000:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86_400:.1f} days"


def _past(info: Info | Here, others: Sequence[str], now: float) -> list[str]:
    words = [f"up {duration(now - info.started)}", f"{info.cells} cell{'' if info.cells == 1 else 's'}"]
    return [*words, *([f"with {', '.join(others)}"] if others else [])]
