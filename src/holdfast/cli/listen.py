"""`--listen`, `--port`, `--public`: settings of a session that is joined over TCP, and how to join it."""

from __future__ import annotations

import re
from socket import gethostname
from typing import TYPE_CHECKING

from holdfast.cli import setting
from holdfast.cli.usage import UsageError, tell
from holdfast.client import start

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from holdfast.client.doorbell import DoorbellClient


def add_to(parser: ArgumentParser) -> None:
    """Let a command take them, that starts a session."""
    parser.add_argument("--listen", metavar="tcp://ADDRESS", help="let others join over TCP (holdfast keys)")
    parser.add_argument("--port", type=int, metavar="N", help="with --listen: the first of its five ports")
    parser.add_argument("--public", action="store_true", help="with --listen: at an address for everybody")


def take(options: Namespace) -> None:
    """Remember them for the session that is started."""
    given = {"port": options.port, "public": "true" if options.public else None}
    if options.listen is None:
        if any(given.values()):
            raise UsageError("--port and --public belong to --listen", "holdfast new --listen tcp://ADDRESS")
        return
    for name, value in ({"address": options.listen} | given).items():
        if value is not None:
            start.given.append(setting.checked(f"listen.{name}={value}"))


def tell_how(options: Namespace, name: str, bell: DoorbellClient) -> None:
    """If it was asked for: what others type to come in to session `name`, the first time."""
    if options.listen is None:
        return
    from holdfast.keys import kept, z85  # noqa: PLC0415 - hardly ever asked for

    host = kept.pair(kept.HOST)
    for door in bell.ask("info")["doors"]:
        tell(f"open: {door}")
        if host is not None and door.startswith("tcp://"):
            there = re.sub(r"(?<=^tcp://)(0\.0\.0\.0|\[::\])", gethostname(), door.split()[0])
            tell(f"to join: holdfast attach {there}/{name} --host-key '{z85.shown(host.public)}'")
