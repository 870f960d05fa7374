"""`holdfast attach [NAME] [--replay | --fresh]`: a console on a session, started again if it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from holdfast.cli import console, listen, pick, setting
from holdfast.cli.usage import UsageError, tell
from holdfast.client import start
from holdfast.errors import SessionExists
from holdfast.listening import TCP

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from holdfast.client.doorbell import DoorbellClient

EXAMPLES = (
    ("holdfast attach", "the session used last"),
    ("holdfast attach work --replay", "what a reboot has cost is run again, after showing it"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "name",
        nargs="?",
        type=pick.session,
        help="or tcp://HOST[:PORT]/NAME (default: the session used last)",
    )
    parser.add_argument(
        "--host-key", metavar="KEY", help="of that host, at the first visit (there: keys host)"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--replay", action="store_true", help="run again what is not back, after showing it")
    how.add_argument("--fresh", action="store_true", help="bring nothing back; its log is kept")
    listen.add_to(parser)
    setting.add_to(parser)


def run(options: Namespace) -> int:
    """Attach."""
    if options.name is not None and options.name.startswith(TCP):
        from holdfast.cli import abroad  # noqa: PLC0415 - most sessions are here

        if any((options.fresh, options.replay, options.listen, options.port, options.public)):
            raise UsageError(
                "how a session over there begins is not said from here", f"holdfast attach {options.name}"
            )
        return abroad.attach(options.name, options.host_key)
    listen.take(options)
    name = pick.named_or_newest(options.name)
    again = options.fresh or options.replay
    if start.exists(name) and not (again and pick.is_running(name)):  # else there is worse to tell
        console.check_terminal(f"holdfast attach {name}   (in a terminal)")
    if again:
        bell = _begin_again(name, options)
    elif pick.is_running(name):
        setting.comes_late(name)
        return console.open_at_once(name, start.ensure(name))
    else:
        bell = start.ensure(name)
        story = _arrival(bell)["story"]
        tell(f"{name}: {story}" if story else f"{name} is started again")
    listen.tell_how(options, name, bell)
    return console.open_on(name, bell, created=False)


def _begin_again(name: str, options: Namespace) -> DoorbellClient:
    """Start it in the way that was asked for."""
    try:
        bell = start.begin_again(name, fresh=options.fresh)
    except SessionExists as error:
        remedy = f"{error.remedy}   (or in a cell: {'%reset' if options.fresh else '%recover code'})"
        raise SessionExists(error.what, remedy) from error
    from pathlib import Path  # noqa: PLC0415 - and more, which `attach` alone need not wait for

    from holdfast.cli import replay  # noqa: PLC0415

    file = Path(bell.ask("info")["connection_file"])
    replay.tell_arrival(name, _arrival(bell), "fresh" if options.fresh else "replay", file)
    return bell


def _arrival(bell: DoorbellClient) -> dict[str, Any]:
    """What it begins with, when its first worker is there: gigabytes from a slow disk take their time."""
    return bell.ask("arrival", timeout=None)
