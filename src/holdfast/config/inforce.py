"""What a running session was started with, kept beside its sockets.

A supervisor that takes over may be started by anybody, from any folder, with any variables: it goes on with
these. They end with the session's processes; the next start looks anew.
"""

from __future__ import annotations

import os

import msgspec

from holdfast import files, paths
from holdfast.config import given
from holdfast.config.given import Given
from holdfast.config.layers import Found
from holdfast.errors import HoldfastError


def keep(name: str, found: Found) -> None:
    """Write them down. OSError if that can't be done."""
    files.replace(paths.session_settings(name), msgspec.json.encode(found.given))


def kept(name: str) -> Found | None:
    """Those of session `name`, as far as this release knows them; None if there are none to be read."""
    try:
        with open(files.open_private(paths.session_settings(name), os.O_RDONLY), "rb") as file:
            said = msgspec.json.decode(file.read(), type=list[Given])
    except (OSError, HoldfastError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    judged = (given.read(each.name, each.value, each.layer, each.place) for each in said)
    return Found(each for each in judged if isinstance(each, Given))
