"""Which way this terminal has to show a picture. Decided from what is known of it, without asking it.

A terminal that is asked may not answer, or answer late, and what it says then is typed into somebody's cell.
So a terminal that nobody knows gets half blocks, and the setting `console.images` has the last word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from holdfast.console.pictures.tmux import Outside, look_outside

Way = Literal["kitty", "sixel", "iterm2", "blocks", "none"]

TMUX_SECONDS = 5.0
"""So long it is taken for granted that the same terminal is around tmux: for an animation, say."""

_KITTY = ("kitty", "ghostty")
"""In TERM, or in what the terminal calls itself: they know kitty's protocol, and its placeholders."""

_ITERM2_PROGRAMS = frozenset({"iTerm.app", "WezTerm", "mintty", "Tabby", "Hyper", "rio", "WarpTerminal"})
"""Values of TERM_PROGRAM. Not VS Code: its pictures are switched off unless somebody switched them on."""

_ITERM2_KINDS = ("iterm2", "wezterm", "mintty", "rio")

_SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft")
"""Beginnings of TERM."""


class Means(NamedTuple):
    """How pictures are shown here."""

    way: Way
    in_tmux: bool = False
    """The terminal is reached through tmux, which has to be asked to hand things on."""
    withheld: bool = False
    """The terminal has a better way, but tmux lets nothing through."""


class Protocols:
    """The way that fits now. It may change: tmux goes on when its terminal is another one."""

    def __init__(
        self,
        wanted: Way | Literal["auto"],
        env: Mapping[str, str],
        outside: Callable[[], Outside | None] = look_outside,
    ) -> None:
        self._wanted = wanted
        self._env = env
        self._outside = outside
        self._known: tuple[float, Outside | None] = float("-inf"), None

    def means(self) -> Means:
        """How a picture is shown now."""
        if self._wanted in ("none", "blocks"):
            return Means(self._wanted)
        if not self._env.get("TMUX"):
            return Means(of_environment(self._env) if self._wanted == "auto" else self._wanted)
        outside = self._around_tmux()
        if self._wanted != "auto":
            own = self._wanted == "sixel" and outside is not None and "sixel" in outside.features
            return Means(self._wanted, in_tmux=not own)
        return _through_tmux(outside)

    def _around_tmux(self) -> Outside | None:
        asked, outside = self._known
        now = time.monotonic()
        if now - asked > TMUX_SECONDS:
            outside = self._outside()
            self._known = now, outside
        return outside


def of_environment(env: Mapping[str, str]) -> Way:
    """The way of the terminal that has set these variables."""
    term, program = env.get("TERM", ""), env.get("TERM_PROGRAM", "")
    if term in ("", "dumb", "linux"):
        return "none"
    if term.startswith("screen"):  # GNU screen hands nothing on
        return _blocks(env)
    if (
        "KITTY_WINDOW_ID" in env
        or _names(term, _KITTY)
        or _names(program, _KITTY)
        or "KONSOLE_VERSION" in env
    ):
        return "kitty"
    if program in _ITERM2_PROGRAMS or env.get("LC_TERMINAL") == "iTerm2":
        return "iterm2"
    if term.startswith(_SIXEL_TERMS) or "WT_SESSION" in env:
        return "sixel"
    return _blocks(env)


def _through_tmux(outside: Outside | None) -> Means:
    if outside is None:
        return Means("blocks")
    kitty = _names(f"{outside.term} {outside.kind}", _KITTY)
    if kitty and outside.passes:
        return Means("kitty", in_tmux=True)
    if "sixel" in outside.features:  # tmux draws them itself
        return Means("sixel")
    iterm2 = _names(outside.kind, _ITERM2_KINDS)
    if iterm2 and outside.passes:
        return Means("iterm2", in_tmux=True)
    return Means("blocks", withheld=kitty or iterm2)


def _blocks(env: Mapping[str, str]) -> Way:
    """Half blocks are nothing but colours (no-color.org)."""
    return "none" if env.get("NO_COLOR") else "blocks"


def _names(text: str, names: tuple[str, ...]) -> bool:
    return any(name in text.lower() for name in names)
