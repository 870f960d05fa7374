"""What a console shows first: where the user is, what happened, what runs, and a prompt.

`draw` shows it before there is a console, in a tenth of a second: what is imported here is light, asyncio,
ZeroMQ and prompt_toolkit are loaded while the user reads (docs/decisions/0022-first-prompt-first.md). Then
`app` goes on with the same screen, where it is. Where `draw` does not apply, `arrival` calls `greet`.
"""

from __future__ import annotations

import os
import sys
import termios
import time
from typing import TYPE_CHECKING, NamedTuple, Self

from holdfast.client.glance import look
from holdfast.console import ansi, render
from holdfast.console.bundle import Bundles
from holdfast.console.colours import TERMINAL
from holdfast.console.greeting import head
from holdfast.console.keyboard import Keyboard
from holdfast.console.names import called, own_name
from holdfast.console.others import Others
from holdfast.console.recall import recalled
from holdfast.console.screen import Screen
from holdfast.console.sieve import Trust
from holdfast.visible import in_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from holdfast.client.doorbell import DoorbellClient
    from holdfast.client.glance import Glance, Here
    from holdfast.client.past import Past
    from holdfast.console.bundle import Images
    from holdfast.console.sieve import Escapes
    from holdfast.protocol.operations import Info
    from holdfast.settings import Console as Settings

CELLS = 10
"""That are asked for: mostly they are more than `recall` has room for."""

COLUMNS, ROWS = 40, 6
"""Of a smaller terminal a prompt may take more than a line, which is drawn when all is there."""


INSERTING = "[ins] "
"""The prompt's beginning in vi's first mode."""


class Look(NamedTuple):
    """Of the settings (`Console` of settings.py) those that are to be seen at once, with their defaults."""

    theme: str = TERMINAL
    images: Images = "auto"
    editing_mode: str = "emacs"
    escapes: Escapes = "safe"


def look_of(settings: Settings) -> Look:
    """What they say of it."""
    return Look(settings.theme, settings.images, settings.editing_mode, settings.escapes)


class Opening:
    """Of one console, for a `with` block: at its end the terminal is the user's again."""

    def __init__(self, as_set: Look, *, elsewhere: bool = False) -> None:
        """`elsewhere`: the session is on another host."""
        self.username = own_name()
        self.screen = Screen(sys.stdout, sys.stderr, as_set.theme)
        self.bundles = Bundles(as_set.images, sys.stdout)
        self.trust = Trust(elsewhere, as_set.escapes)
        self.others = Others(self.screen, self.bundles, self.username, trust=self.trust)
        self.keyboard = Keyboard()
        self.drawn: Glance | None = None
        """What was shown; None if nothing was."""
        self.bell: DoorbellClient | None = None
        """Hangs up when the session goes before we are its client."""
        self._vi = as_set.editing_mode == "vi"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.screen.standing.left():
            self.screen.write("\n")
        self.screen.settle()  # who leaves in the middle of a cell has its modes
        self.keyboard.release()
        if self.bell is not None:
            self.bell.close()

    def draw(self, name: str, bell: DoorbellClient) -> bool:
        """Show where we are in session `name` at once, if that can be done, and keep what is typed."""
        if not _is_usual_terminal():
            return False
        try:
            self.keyboard.hold()
        except (OSError, termios.error):
            return False
        glance = look(bell, CELLS)
        if glance is None or glance.here.asks:
            self.keyboard.release()
            return False
        self.drawn, self.bell = glance, bell
        self.greet(name, glance.here, glance.clients, glance.recent.cells)
        mode = ansi.paint(INSERTING, ansi.WARNING) if self._vi else ""
        self.screen.stand(mode + render.prompt_in(glance.here.execution_count + 1))
        return True

    def greet(
        self,
        name: str,
        info: Info | Here | None,
        company: Iterable[tuple[str, str, str]],
        past: list[Past],
        *,
        created: bool = False,
        notice: str | None = None,
    ) -> None:
        """Say where we are, what happened, what runs. `company`: the others' users, sessions and kinds."""
        own = self.username
        others = [f"{called(user, session, own)} ({in_line(kind)})" for user, session, kind in company]
        now = time.time()
        self.screen.note(head(name, info, created=created, own=own, others=others, now=now))
        if notice:
            self.screen.note(ansi.paint(notice, ansi.WARNING))
        ended = past[:-1] if past and not past[-1].ended else past
        lines = recalled(ended, own, self.screen.width)
        if lines:
            self.screen.note(ansi.paint("--- last cells ---", ansi.NOTE))
            self.screen.write("\n".join(lines) + "\n")
        for running in past[len(ended) :]:
            self.others.resume(running)


def _is_usual_terminal() -> bool:
    try:
        size = os.get_terminal_size(1)
    except OSError:
        return False
    if size.columns < COLUMNS or size.lines < ROWS or os.environ.get("TERM", "") in ("", "dumb", "unknown"):
        return False
    return all(map(os.isatty, (0, 1, 2)))
