"""The thin process that Jupyter starts and watches for a kernel. The session itself lives elsewhere.

It starts the session's supervisor where there is none, has it open the connection file as a door, and stays:

    first                    -> {"op": "open_door", "file": …, "hold": true}
    SIGINT                   -> {"op": "interrupt"}
    SIGTERM, parent gone     -> {"op": "leave"}, exit 0: the client left, the session decides what that means
    {"event": "door_closed"} -> exit 0: Jupyter sees its kernel end exactly when its door is shut
    end of file              -> the supervisor was killed: start another one, which takes over, and go on;
                                or begins anew, if that one was dying when we came
                                exit 1 if it found nothing: Jupyter starts the next launcher on FILE, and
                                says so

All of this happens before a first reply, so what is imported here is paid at every start: stdlib only, and
little of it (no argparse, no subprocess, no typing). Nothing about messages, keys or cells belongs here.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from _blake2 import blake2b  # hashlib's own, without the 10 ms that loading OpenSSL costs
from collections import namedtuple
from collections.abc import Callable
from functools import partial

from holdfast import __version__
from holdfast.client import start
from holdfast.client.doorbell import DoorbellClient
from holdfast.errors import HoldfastError, NoAnswer

USAGE = """\
usage: python -m holdfast.kernel -f FILE [--session NAME] [--set NAME=VALUE] [IPython's own flags]

  -f FILE          Jupyter connection file to serve
  --session NAME   the session behind it; without it FILE has a session of its own
  --set NAME=VALUE a setting of that session (holdfast config lists them)
"""

FILE_FLAGS = ("-f", "--f", "--IPKernelApp.connection_file")
"""Names of the connection file's flag: ours, and two that ipykernel's callers use."""

BEGINNINGS = 3
"""Supervisors that may die before they have said a word: somebody kills them, and that may have no end."""

Options = namedtuple("Options", ["file", "session", "flags", "settings"])  # noqa: PYI024 - typing costs 5 ms at every start
"""file: absolute path; session: name given, or None; flags: what is left for IPython, in order; settings:
those of `--set`."""


def main(arguments: list[str]) -> int:
    """Run the launcher; return its exit status. Errors are one or two lines on stderr, never a traceback."""
    if "-h" in arguments or "--help" in arguments:
        print(USAGE, end="")
        return 0
    if "--version" in arguments:
        print(__version__)
        return 0
    status = 2
    try:
        options = parse(arguments)
        status = 1
        return _launch(options)
    except HoldfastError as error:
        lines = [f"holdfast: {error.what}"] + ([f"try: {error.remedy}"] if error.remedy else [])
        print(*lines, sep="\n", file=sys.stderr)
        return status


def parse(arguments: list[str]) -> Options:
    """Read the command line. Raises HoldfastError when there is no usable connection file."""
    file: str | None = None
    session: str | None = None
    settings: list[str] = []
    flags: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, _, value = argument.partition("=")
        if name in FILE_FLAGS:
            file = value or next(rest, None)
        elif name == "--session":
            session = value or next(rest, None)
            if session is None:
                raise HoldfastError("--session was given no name", "add the name: --session work")
        elif name == "--set":
            settings.append(value or next(rest, ""))
        else:
            flags.append(argument)
    if not file:
        raise HoldfastError("no connection file was given", "python -m holdfast.kernel -f FILE")
    if not os.path.isfile(file):
        raise HoldfastError(f"there is no connection file {file}", "let Jupyter write it: start a notebook")
    return Options(os.path.abspath(file), session, tuple(flags), tuple(settings))


def session_of(file: str) -> str:
    """Name of the session that belongs to the connection file at this absolute path, and to nothing else."""
    return "kernel-" + blake2b(os.fsencode(file), digest_size=4).hexdigest()


def _launch(options: Options) -> int:
    signals = SignalPipe()  # first: from here on a signal waits its turn instead of ending a start half-way
    parent = _parent_descriptor()
    name = options.session or session_of(options.file)
    named = options.session is not None
    start.given += options.settings
    begin = partial(start.ensure, name, named=named, cwd=os.getcwd(), create=True, flags=options.flags)
    return Watch(begin, signals, parent, name).run(options.file)


class SignalPipe:
    """SIGINT and SIGTERM as bytes that can be waited for; the handlers themselves do nothing.

    The process has one such pipe: the interpreter writes each signal's number to it (signal(3py),
    set_wakeup_fd).
    """

    def __init__(self) -> None:
        self._reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)  # full: as many are waiting as can matter
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)

    def fileno(self) -> int:
        """Readable when a signal has come."""
        return self._reader

    def take(self) -> set[int]:
        """Numbers of the signals that came since the last call; many of one kind are one."""
        return set(os.read(self._reader, select.PIPE_BUF))


class Watch:
    """What a launcher does beside its session: open the door, then wait for session, signals and parent."""

    def __init__(
        self,
        begin: Callable[[], DoorbellClient],
        signals: SignalPipe,
        parent: int | None,
        name: str,
    ) -> None:
        self._begin = begin
        self._beginnings = BEGINNINGS  # that are left
        self._signals = signals
        self._parent = parent  # descriptor of the process that Jupyter's client lives in
        self._name = name
        self._poll = select.poll()
        for source in (signals, parent):
            if source is not None:
                self._poll.register(source, select.POLLIN)
        self._file = ""
        self._join(begin())

    def run(self, file: str) -> int:
        """Be the kernel of the connection file `file` until there is an exit status to return.

        Raises HoldfastError when the door can't be opened or the supervisor vanished.
        """
        self._file = file
        self._ask("open_door", file=file, hold=True)
        while True:
            ready = {descriptor for descriptor, _ in self._poll.poll()}
            if self._bell.fileno() in ready and self._heard_the_end():
                return 0
            numbers = self._signals.take() if self._signals.fileno() in ready else set()
            if self._parent in ready or signal.SIGTERM in numbers:
                self._ask("leave")
                return 0
            if signal.SIGINT in numbers and "interrupt" not in self._asked:  # one on its way says it all
                self._ask("interrupt")

    def _join(self, bell: DoorbellClient) -> None:
        self._bell = bell
        self._asked: list[str] = []  # operations whose reply is not here yet, oldest first
        self._poll.register(bell, select.POLLIN)

    def _join_again(self) -> None:
        """The supervisor was killed. HoldfastError unless another one goes on with the session."""
        self._poll.unregister(self._bell)
        self._bell.close()
        self._beginnings -= 1
        self._join(self._begin() if self._beginnings > 0 else self._successor())
        self._ask("open_door", file=self._file, hold=True)

    def _successor(self) -> DoorbellClient:
        """Whoever has taken over from it."""
        lost = HoldfastError(
            f"the session {self._name} lost its supervisor", f"see what it ran: holdfast log {self._name}"
        )
        try:
            bell = start.revive(self._name)
        except HoldfastError as error:
            raise lost from error
        if bell is None:
            raise lost
        return bell

    def _ask(self, operation: str, **arguments: object) -> None:
        self._asked.append(operation)
        with contextlib.suppress(NoAnswer):  # it is gone, which the next look at the bell tells
            self._bell.send(operation, **arguments)

    def _heard_the_end(self) -> bool:
        messages = self._bell.receive()
        if messages is None:
            self._join_again()
            return False
        if messages:
            self._beginnings = 0
        for message in messages:
            if message.get("event") == "door_closed":
                return True
            if "ok" not in message or not self._asked:
                continue
            if self._asked.pop(0) == "open_door" and not message["ok"]:
                raise HoldfastError(message["what"], message.get("remedy"))
        return False


def _parent_descriptor() -> int | None:
    """Descriptor that becomes readable when the process named by JPY_PARENT_PID ends (pidfd_open(2)).

    None when there is no such variable or it names somebody else: started through a wrapper script, the
    launcher's parent is not who set it. Whom Jupyter started itself (hence a session's leader) has another
    parent only if that one has ended already: HoldfastError, or a descriptor that is readable at once.
    """
    named = os.environ.get("JPY_PARENT_PID", "")
    started_by_jupyter = os.getsid(0) == os.getpid()
    if not named.isdecimal() or int(named) <= 1 or not (started_by_jupyter or int(named) == os.getppid()):
        return None
    try:
        return os.pidfd_open(int(named))
    except ProcessLookupError:
        raise HoldfastError("the process that started this kernel has ended already") from None
