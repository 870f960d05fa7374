"""Commands for sessions on other hosts: `ssh://[user@]host[:port]/NAME` in the place of a session's name.

`attach` and `new` open a console here, on the session there. All other commands run there, as they stand:
what they print comes here, files that they name are that host's.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from threading import Thread

from holdfast import __version__
from holdfast.cli import console, listen, replay, setting
from holdfast.cli.foreign import Foreign, relay
from holdfast.cli.usage import UsageError, complain, tell
from holdfast.client import start
from holdfast.client.remote import command
from holdfast.client.remote.address import Address, is_address, parse
from holdfast.client.remote.complaints import SSH_FAILED, failure, harmless, is_reason
from holdfast.client.remote.session import RemoteSession
from holdfast.client.remote.tunnel import no_ssh
from holdfast.errors import SessionError
from holdfast.settings import Remote, Settings

_OURS = ("console.", "remote.")
"""Settings that are read here; all others are the session's."""

_BEFORE_A_NAME = ("", "--session=", "-s")
"""What may stand before a session's name in one word."""

_LINGER = (
    "{} may take away the session's sockets when you log out there. To keep them, once, there: "
    "loginctl enable-linger"
)


def is_meant(name: str, options: Namespace) -> bool:
    """Whether a command names a session on another host, or another host."""
    return any(map(is_address, _named(name, options)))


def run(name: str, options: Namespace, words: Sequence[str]) -> int:
    """Do it. `words`: as they were typed behind the command's name."""
    addresses = [_parsed(word) for word in _named(name, options) if is_address(word)]
    address = addresses[0]
    if len({each.place for each in addresses}) > 1 or len(addresses) < len(_named(name, options)):
        raise UsageError(f"{name} takes the sessions of one host at a time", f"holdfast {name} {address}")
    if name in ("attach", "new"):
        listen.check(options)
    if name == "attach" and not address.name:
        status = _run_there(address, ["ls"])
        if status == 0:
            tell(f"to join one: holdfast attach {address.place}/NAME")
        return status
    if name == "attach":
        console.check_terminal(f"holdfast attach {address}   (in a terminal)")
        return _attach(address, options)
    if name == "new" and not address.name:
        raise UsageError("a new session there needs a name", f"holdfast new {address.place}/NAME")
    if name == "new" and not options.detached:
        console.check_terminal(f"holdfast new -d {address}")
        return _new(address, options)
    if getattr(options, "export", None) is not None:
        raise UsageError(
            "--export would write the file there",
            f"{address.login} holdfast log --export FILE {address.name}, and scp",
        )
    return _run_there(address, [name, *_as_there(words, _named(name, options))])


def _named(name: str, options: Namespace) -> list[str]:
    """The words of the command line that name sessions."""
    found = getattr(options, "session" if name == "run" else "name", None)
    return [] if found is None else [found] if isinstance(found, str) else list(found)


def _parsed(word: str) -> Address:
    try:
        return parse(word)
    except SessionError as error:
        raise UsageError(error.what, error.remedy) from error


def _as_there(words: Sequence[str], named: Sequence[str]) -> list[str]:
    """With the names alone of the sessions that are `named`; what a program is given stays as it is."""
    told: list[str] = []
    left = list(named)
    for word in words:
        option = next((each for each in _BEFORE_A_NAME if word.removeprefix(each) in left), None)
        if option is None:
            told.append(word)
            continue
        address = word[len(option) :]
        left.remove(address)
        name = parse(address).name
        told += [option + name] if name else []
    return told


# A console here


def _attach(address: Address, options: Namespace) -> int:
    listen.take(options)
    console.load()
    settings = setting.told()
    session = RemoteSession(address, settings.remote)
    try:
        again: replay.Again | None = "fresh" if options.fresh else "replay" if options.replay else None
        told = session.open("attach", again=again, given=_given())
        _say_what_matters(session, address, lingers=told["lingers"])
        if told["begun"]:
            with session.ring() as bell:
                arrived = bell.ask("arrival", timeout=None)
            arrived["story"] = harmless(arrived["story"] or "")
            replay.tell_arrival(str(address), arrived, again, session.connection_file)
        elif given := _given():
            tell(f"{address} runs already, with its own settings; at its next start: {', '.join(given)}")
        return _open(session, address, settings, created=False)
    finally:
        session.close()


def _new(address: Address, options: Namespace) -> int:
    listen.take(options)
    console.load()
    settings = setting.told()
    session = RemoteSession(address, settings.remote)
    try:
        folder = None if options.cwd == os.curdir else options.cwd
        told = session.open("new", cwd=folder, given=_given())
        _say_what_matters(session, address, lingers=told["lingers"])
        with session.ring() as bell:
            listen.tell_how(options, address.name, bell, there=address)
        return _open(session, address, settings, created=True)
    finally:
        session.close()


def _open(session: RemoteSession, address: Address, settings: Settings, *, created: bool) -> int:
    ring = partial(session.ring, console.FAREWELL_SECONDS)
    way = console.Way(str(address), f"{address.name} on {address.host}", ring, session.find)
    return console.open_by(way, session.connection_file, settings.console, created=created)


def _say_what_matters(session: RemoteSession, address: Address, *, lingers: bool) -> None:
    if session.version != __version__:
        tell(f"{address.host} has Holdfast {session.version}, this is {__version__}")
    if not lingers:
        tell(_LINGER.format(address.host))


def _given() -> list[str]:
    return [each for each in start.given if not each.startswith(_OURS)]


# A command there


def _run_there(address: Address, words: Sequence[str]) -> int:
    """Run `holdfast WORDS` on that host; its exit status."""
    colours = ["--no-color"] if os.environ.get("NO_COLOR") else []
    flags = [f"--set={each}" for each in _given()]
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    remote: Remote = setting.told().remote
    told = command.of(address, command.encoded([*colours, *flags, *words]), remote, terminal=terminal)
    try:
        process = subprocess.Popen(
            told, stdout=subprocess.PIPE if sys.stdout.isatty() else None, stderr=subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise no_ssh() from error
    said: list[str] = []
    with process, ExitStack() as relaying:
        assert process.stderr is not None
        if process.stdout is not None:
            output = Thread(target=relay, args=(process.stdout, sys.stdout), daemon=True)
            output.start()
            relaying.callback(output.join)
        words_of_ssh = Foreign(sys.stderr)
        for line in process.stderr:
            text = line.decode(errors="replace")
            if is_reason(text):
                said.append(text)
            else:
                words_of_ssh.write(text)
                words_of_ssh.flush()
    if said and process.returncode in (SSH_FAILED, command.NOT_FOUND_STATUS, 2):
        raise failure(address, said, process.returncode)
    Foreign(sys.stderr).write("".join(said))  # they were the command's own
    if process.returncode == SSH_FAILED:
        complain(failure(address, [], process.returncode))
    return process.returncode
