"""What the user is told of the connection: lost, silent, mended. And whether anything was missed."""

from __future__ import annotations

from collections.abc import Callable

from holdfast import sizes
from holdfast.client.catchup import Missed
from holdfast.client.ears import Ears
from holdfast.client.succession import Successor
from holdfast.console import ansi


class Connection(Ears):
    """To the session `name`."""

    def __init__(self, name: str, note: Callable[[str, str], None], on_return: Callable[[], None]) -> None:
        """`note` shows a line in a colour; `on_return`: the session may have changed."""
        self._name = name
        self._note = note
        self._on_return = on_return

    def returned(self, seconds: float, found: Successor) -> None:
        """It is reached again."""
        if found.story is None:
            self._note(f"{found.gone} was gone for {seconds:.1f} s; nothing was lost", ansi.NOTE)
        else:
            self._note(f"{self._name} had ended, and was begun again elsewhere: {found.story}", ansi.WARNING)
        self._on_return()

    def sought(self, what: str) -> None:
        """It may take a while."""
        self._note(what, ansi.WARNING)

    def silence(self, seconds: float | None) -> None:
        """It does not answer, or does again."""
        if seconds is None:
            what = f"{self._name} does not answer; what you run waits until it does. Ctrl-\\ leaves"
            self._note(what, ansi.WARNING)
        else:
            self._note(f"{self._name} answers again, after {seconds:.0f} s", ansi.NOTE)

    def missed(self, what: Missed) -> None:
        """Too much has happened meanwhile, or nobody tells what."""
        if what.unknown:
            why = f"some of what happened is missing here: {self._name} did not tell it in time"
            self._note(f"{why}; all of it: holdfast log {self._name}", ansi.WARNING)
            return
        cells = f"{what.cells} cell{'s' * (what.cells != 1)} ran unseen" if what.cells else ""
        size = f"{sizes.short(what.size)} of output are left out" if what.size else ""
        told = " and ".join(filter(None, (cells, size)))
        self._note(f"meanwhile {told}; all of it: holdfast log {self._name}", ansi.WARNING)

    def unfit(self, what: str) -> bool:
        """Some of what came is left out."""
        self._note(what, ansi.WARNING)
        return True
