"""Displays that change: drawn anew where they stand, as long as nothing but displays stands below them.

Both ways of Jupyter: `update_display_data` brings new content, widgets tell that they look otherwise. A
widget that changed where it can't be drawn anew is shown once more when its cell is over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from holdfast.console.bundle import Bundles
from holdfast.console.pictures.picture import Picture
from holdfast.console.screen import Mark, Screen

STANDING = 32
"""Displays one below the other that are drawn anew: more bars than that are no progress display."""

BURIED = 32
"""Widgets of one cell that are watched though something else stands below them."""

_Content = Mapping[str, Any]


class _Display(NamedTuple):
    """A display on the screen: what it is known by, where it begins, what it shows."""

    identity: str
    begin: Mark
    content: _Content


class Displays:
    """What one cell displays; `others`: it is somebody else's."""

    def __init__(self, screen: Screen, bundles: Bundles, *, others: bool) -> None:
        self._others = others
        self._screen = screen
        self._bundles = bundles
        self._standing: list[_Display] = []
        """Those shown last, one below the other, with nothing between or after them."""
        self._buried: deque[_Content] = deque(maxlen=BURIED)
        """Widgets with something else below them."""
        self._stale: list[_Content] = []
        """Those of them that look otherwise now."""

    def show(self, content: _Content) -> None:
        """Show a display below everything else."""
        self._screen.fresh_line()
        begin = self._screen.mark()
        self.put(self._bundles.parts(content, others=self._others))
        self._standing = [*self._standing[1 - STANDING :], _Display(_identity(content), begin, content)]

    def update(self, content: _Content) -> None:
        """Show a display anew: in its place, or below everything else."""
        identity = _identity(content)
        places = [
            place for place, each in enumerate(self._standing) if identity and each.identity == identity
        ]
        for place in places:
            self._standing[place] = self._standing[place]._replace(content=content)
        if not places or not self._redraw(places[0]):
            self.show(content)

    def change(self, widget: str) -> None:
        """A widget looks otherwise now."""
        places = [place for place, each in enumerate(self._standing) if self._shows(each.content, widget)]
        if places:
            self._redraw(places[0])
        for content in self._buried:
            if self._shows(content, widget) and content not in self._stale:
                self._stale.append(content)

    def bury(self) -> None:
        """Something else is written below: what stands now stays as it is."""
        widgets = [each.content for each in self._standing if self._bundles.shows_widget(each.content)]
        self._buried.extend(widgets)
        self._standing = []

    def finish(self) -> None:
        """The cell is over: its last state is worth showing."""
        stale, self._stale = self._stale, []
        for content in stale:
            if content in self._buried:
                self._buried.remove(content)
                self.show(content)

    def put(self, parts: Sequence[str | Picture]) -> None:
        """Write text and pictures, each on lines of its own."""
        for part in parts:
            if isinstance(part, str):
                self._screen.write(part + "\n")
            else:
                self._screen.draw(part)

    def _redraw(self, first: int) -> bool:
        """Draw the displays from place `first` on anew; False if one can't go back there."""
        again = self._standing[first:]
        if not self._screen.holds(again[0].begin):
            self.bury()
            return False
        self._standing = self._standing[:first]
        self._screen.rewind(again[0].begin)
        for each in again:
            self.show(each.content)
        return True

    def _shows(self, content: _Content, widget: str) -> bool:
        shown = self._bundles.shows_widget(content)
        return shown is not None and self._bundles.widgets.involves(shown, widget)


def _identity(content: _Content) -> str:
    transient = content.get("transient")
    return str(transient.get("display_id", "")) if isinstance(transient, Mapping) else ""
