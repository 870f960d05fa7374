"""`holdfast`: which command is meant, and how every failure reads. No command's own work.

    holdfast                 a console on a new session; with piped input: run it as python would
    holdfast COMMAND …       one of `COMMANDS`
    holdfast [-i] FILE …     run FILE (or -c CODE, -m MODULE) as python would; -i: then open a console
    holdfast --set standby.keep=3 …     any of these, with another setting

A command's name wins over a file of that name: `holdfast ./ls`, or `holdfast -- ls`, runs the file.

Exit status: 0 done, 1 failed, 2 wrong usage; of programs that were run, python's own.
"""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper

from holdfast import __version__
from holdfast.cli.commands import COMMANDS, OPTIONS
from holdfast.cli.habits import SYNONYMS, answer, as_ours
from holdfast.cli.usage import UsageError, as_typed, complain
from holdfast.errors import HoldfastError
from holdfast.likeness import nearest

COMPLETE = "__complete"
"""What the shells' completion asks: cli/shells/candidates.py."""

FROM_ELSEWHERE = ("__porter", "__words")
"""What the Holdfast of another host asks of this one, over ssh: client/remote/command.py."""

_SUFFIXES = (".py", ".pyc", ".pyw", ".pyz", ".ipynb")

_OF_THE_SYSTEM = {
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE
}  # fmt: skip
"""What it may refuse us at any time: no mistake of ours."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as of every program (128 + SIGINT)."""


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; its exit status. Prints every error, raises none."""
    words = sys.argv[1:] if arguments is None else arguments
    _open_closed_streams()
    try:
        status = _dispatch(words)
        sys.stdout.flush()  # here, where a reader that has gone is still told to us
        return status
    except HoldfastError as error:
        return complain(error, words)
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # the terminal has written ^C, and the shell's prompt comes next
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()  # whose reader has gone
        return 1
    except Exception as error:
        if os.environ.get("HOLDFAST_TRACEBACK"):
            raise
        if isinstance(error, OSError) and error.errno in _OF_THE_SYSTEM:
            return complain(_refused(error))
        # A mistake of ours; the user gets one line like for all others, and the way to more.
        return complain(
            HoldfastError(
                f"internal error: {type(error).__name__}: {error}",
                "HOLDFAST_TRACEBACK=1 holdfast … shows where",
            )
        )


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first == "--no-color":
        _without_colours()
        return _dispatch(arguments[1:])
    if first.partition("=")[0] == "--set":
        from holdfast.cli import setting  # noqa: PLC0415 - hardly ever there

        return _dispatch(setting.taken_from(arguments))
    if first == COMPLETE:
        from holdfast.cli.shells import candidates  # noqa: PLC0415 - as the commands: when asked for

        return candidates.tell(arguments[1:])
    if first in FROM_ELSEWHERE:
        return _dispatch_from_elsewhere(first, arguments[1:])
    if first in COMMANDS or first in SYNONYMS:
        return _run_command(SYNONYMS.get(first, first), arguments[1:])
    if first in ("-V", "--version"):
        print(f"holdfast {__version__}")
        return 0
    if first in ("-h", "--help", "help"):
        return _help(arguments[1:])
    if first == "--" and len(arguments) > 1:
        return _run_program(arguments[1:])
    if first in ("", "--", "-", "-c", "-m", "-i") or _is_program(first):
        return _run_program(arguments)
    raise _unknown(first, arguments[1:])


def _run_command(name: str, arguments: list[str]) -> int:
    from holdfast.cli.parser import parser_of  # noqa: PLC0415 - `--version` does without argparse

    try:
        options = parser_of(name, COMMANDS[name]).parse(as_ours(name, arguments))
    except SystemExit:  # it has printed the help
        return 0
    if options.no_color:
        _without_colours()
    if isinstance(sys.stdout, TextIOWrapper):  # file names may be nothing for it: shown they are all the same
        sys.stdout.reconfigure(errors="backslashreplace")
    if any("ssh://" in word for word in arguments):
        from holdfast.cli import elsewhere  # noqa: PLC0415 - most sessions are here

        if elsewhere.is_meant(name, options):
            return elsewhere.run(name, options, as_ours(name, arguments))
    status: int = options.run(options)
    return status


def _dispatch_from_elsewhere(what: str, arguments: list[str]) -> int:
    from holdfast.client.remote import command, porter  # noqa: PLC0415 - ssh is at the other end

    return porter.serve() if what == command.PORTER else _dispatch(command.decoded(arguments[0]))


def _is_program(word: str) -> bool:
    """Whether a word that is no command means a file; a missing one is told as that if it looks like one."""
    return not word.startswith("-") and (os.path.exists(word) or "/" in word or word.endswith(_SUFFIXES))


def _run_program(arguments: list[str]) -> int:
    if arguments and arguments[0].startswith("ssh://"):
        raise UsageError(f"{arguments[0]} is on another host", as_typed(["attach", *arguments]))
    if arguments in ([], ["--"], ["-i"]) and sys.stdin is not None and sys.stdin.isatty():
        from holdfast.cli import console  # noqa: PLC0415 - as the commands: when asked for

        return console.open_new()
    from holdfast.cli.programs import program  # noqa: PLC0415 - as above

    return program.run(arguments)


def _help(arguments: list[str]) -> int:
    if arguments and (name := SYNONYMS.get(arguments[0], arguments[0])) in COMMANDS:
        return _run_command(name, [*arguments[1:], "--help"])
    if arguments and not arguments[0].startswith("-"):
        raise _unknown(arguments[0], [])
    print("usage: holdfast [COMMAND …]   a console on a new session, or one of the commands")
    print("       holdfast [-i] FILE …   run FILE (or -c CODE, -m MODULE, piped input) as python would;")
    print("                              -i: then open a console on what it has left")
    print("       holdfast --set NAME=VALUE …   any of these, with another setting\n")
    width = max(map(len, COMMANDS))
    for name, summary in COMMANDS.items():
        print(f"  {name:<{width}}  {summary}")
    print("\nholdfast help COMMAND tells more; holdfast --version the version.")
    return 0


def _unknown(word: str, rest: list[str]) -> UsageError:
    """No command, option or file of ours: with what was meant, if that can be known."""
    if word.startswith("-"):
        what, near = f"there is no option {word.partition('=')[0]!r}", nearest(word, OPTIONS)
    else:
        what, near = f"there is no command {word!r}", nearest(word, [*COMMANDS, "help"])
    return UsageError(what, answer(word, rest) or (as_typed([near, *rest]) if near else "holdfast --help"))


def _refused(error: OSError) -> HoldfastError:
    """What the system does not let us do, in words."""
    if error.filename is not None:
        return HoldfastError(f"{error.filename}: {error.strerror}", "holdfast info")
    _drop_output()
    return HoldfastError(f"can't write the output: {error.strerror}", "holdfast info")


def _drop_output() -> None:
    """Python would complain once more when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_closed_streams() -> None:
    """What was closed (`>&-`) is /dev/null: else a file that we open gets its number, and is written to."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _without_colours() -> None:
    """From now on, here and in what is started."""
    os.environ["NO_COLOR"] = "1"
