"""Which way a terminal has, by what it says of itself."""

from __future__ import annotations

import pytest

from holdfast.console.pictures.protocols import Means, Protocols, Way
from holdfast.console.pictures.tmux import Outside

KITTY = Outside(True, "xterm-kitty", "kitty(0.36.4)", frozenset({"RGB"}))
IN_TMUX = {"TMUX": "/tmp/tmux-0/default,1,0", "TERM": "tmux-256color", "TERM_PROGRAM": "tmux"}


@pytest.mark.parametrize(
    ("env", "way"),
    [
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm2"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "xterm-256color", "WT_SESSION": "x"}, "sixel"),
        ({"TERM": "xterm-256color", "KONSOLE_VERSION": "240800"}, "kitty"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "vscode"}, "blocks"),
        ({"TERM": "xterm-256color"}, "blocks"),
        ({"TERM": "screen-256color", "KITTY_WINDOW_ID": "1"}, "blocks"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, "none"),
        ({"TERM": "linux"}, "none"),
        ({"TERM": "dumb"}, "none"),
        ({}, "none"),
    ],
)
def test_a_terminal_is_known_by_its_variables(env: dict[str, str], way: Way) -> None:
    assert Protocols("auto", env, lambda: None).means() == Means(way)


@pytest.mark.parametrize(
    ("outside", "means"),
    [
        (KITTY, Means("kitty", in_tmux=True)),
        (KITTY._replace(passes=False), Means("blocks", withheld=True)),
        (Outside(True, "xterm-256color", "iTerm2 3.5.10", frozenset()), Means("iterm2", in_tmux=True)),
        (Outside(False, "foot", "foot(1.16)", frozenset({"sixel"})), Means("sixel")),
        (Outside(True, "xterm-256color", "", frozenset()), Means("blocks")),
        (None, Means("blocks")),
    ],
)
def test_in_tmux_the_terminal_around_it_counts(outside: Outside | None, means: Means) -> None:
    assert Protocols("auto", IN_TMUX | {"KITTY_WINDOW_ID": "stale"}, lambda: outside).means() == means


@pytest.mark.parametrize("way", ["kitty", "sixel", "iterm2", "blocks", "none"])
def test_the_setting_has_the_last_word(way: Way) -> None:
    assert Protocols(way, {"TERM": "xterm-kitty"}, lambda: None).means() == Means(way)


def test_the_setting_does_not_forget_tmux() -> None:
    assert Protocols("iterm2", IN_TMUX, lambda: KITTY).means() == Means("iterm2", in_tmux=True)


def test_tmux_is_not_asked_for_each_frame_of_an_animation() -> None:
    asked = []
    protocols = Protocols("auto", IN_TMUX, lambda: asked.append(1))
    for _ in range(3):
        protocols.means()
    assert len(asked) == 1
