"""What other clients are called on the screen, and what they call us."""

from __future__ import annotations

import os
import pwd

from holdfast.visible import in_line

NAME_WIDTH = 24

_SESSION_DIGITS = 4
"""Enough of a client's session to tell two consoles of one user apart."""


def called(username: str, session: str, own: str) -> str:
    """A client by its user's name; namesakes of `own`, and the nameless, by their session, too."""
    name = in_line(username)[:NAME_WIDTH]
    if name and name != own:
        return name
    return f"{name} {in_line(session)[:_SESSION_DIGITS]}".strip() or "?"


def own_name() -> str:
    """The user's login name; what other clients see."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's made-up user
        return str(os.getuid())
