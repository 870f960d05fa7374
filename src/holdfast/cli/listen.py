"""`--listen`, `--port`, `--public`: settings of a session that is joined over TCP, and how to join it."""

from __future__ import annotations

import re
from socket import gethostname
from typing import TYPE_CHECKING

from holdfast.cli import setting
from holdfast.cli.usage import UsageError, tell
from holdfast.client import start
from holdfast.listening import TCP

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from holdfast.client.doorbell import DoorbellClient
    from holdfast.client.remote.address import Address


def add_to(parser: ArgumentParser) -> None:
    """Let a command take them, that starts a session."""
    parser.add_argument("--listen", metavar="tcp://ADDRESS", help="let others join over TCP (holdfast keys)")
    parser.add_argument("--port", type=int, metavar="N", help="with --listen: the first of its five ports")
    parser.add_argument("--public", action="store_true", help="with --listen: at an address for everybody")


def check(options: Namespace) -> None:
    """UsageError if an option is there, but not what it belongs to."""
    if options.listen is None and (options.port is not None or options.public):
        raise UsageError("--port and --public belong to --listen", f"holdfast new --listen {TCP}ADDRESS")
    if getattr(options, "host_key", None) is not None:  # of `attach`, where TCP is another way
        place = f"{TCP}HOST/NAME"
        raise UsageError(f"--host-key belongs to {place}", f"holdfast attach {place} --host-key KEY")


def take(options: Namespace) -> None:
    """Remember them for the session that is started."""
    check(options)
    if options.listen is None:
        return
    given = {"address": options.listen, "port": options.port, "public": "true" if options.public else None}
    for name, value in given.items():
        if value is not None:
            start.given.append(setting.checked(f"listen.{name}={value}"))


def tell_how(options: Namespace, name: str, bell: DoorbellClient, there: Address | None = None) -> None:
    """If it was asked for: what others type to come in to session `name`, the first time.

    `there`: the host, if it is another one. Its key is not here then.
    """
    if options.listen is None:
        return
    from holdfast.client.remote.complaints import harmless  # noqa: PLC0415 - hardly ever asked for

    if there is None:
        from holdfast import z85  # noqa: PLC0415 - as above
        from holdfast.keys import kept  # noqa: PLC0415 - as above

        host, pair = gethostname(), kept.pair(kept.HOST)
        key = None if pair is None else f"'{z85.shown(pair.public)}'"
    else:
        host = f"[{there.host}]" if ":" in there.host else there.host
        key = f"KEY   (to see it: {there.login} holdfast keys host)"
    for door in map(harmless, bell.ask("info")["doors"]):
        tell(f"open: {door}")
        if key is not None and door.startswith(TCP):
            place = re.sub(rf"(?<=^{TCP})(0\.0\.0\.0|\[::\])", host, door.split()[0])
            tell(f"to join: holdfast attach {place}/{name} --host-key {key}")
