"""argparse, with errors that read like all others of ours, near misses offered, and examples in the help."""

from __future__ import annotations

import importlib
import re
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from argparse import _SubParsersAction as SubParsers
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from holdfast.cli.usage import UsageError, as_typed
from holdfast.likeness import nearest

_WRONG_CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)")  # argparse.ArgumentError
_MISSING = re.compile(r"the following arguments are required: (.*)")
_NO_VALUE = re.compile(r"argument (?:\S+/)?(\S+): expected .*")
_ABOUT_ONE = re.compile(r"argument ([^:]+: .*)")


class _Missing(UsageError):
    """An argument that must be there is not; perhaps only because another one is not understood."""


class Parser(ArgumentParser):
    """Overriding `error` is argparse's own way to have a word in it (argparse, "Exiting methods")."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=RawDescriptionHelpFormatter, **{"allow_abbrev": False} | options)

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        remedy = f"{self.prog} --help"
        if missing := _MISSING.fullmatch(message):
            one = missing[1] if "|" in missing[1] else f"a {missing[1]}"
            raise _Missing(f"{self.prog.removeprefix('holdfast ')} needs {one}", remedy)
        if alone := _NO_VALUE.fullmatch(message):
            raise UsageError(f"{alone[1]} needs a value", remedy)
        wrong = _WRONG_CHOICE.search(message)
        if wrong is None:
            about = _ABOUT_ONE.fullmatch(message)
            raise UsageError(about[1] if about else message, remedy)
        word, choices = wrong[1], re.findall(r"[\w-]+", wrong[2])
        near = nearest(word, choices)
        what = f"{word!r} is none of {', '.join(choices)}"
        raise UsageError(what, f"{self.prog} {near or '--help'}")

    def parse(self, words: Sequence[str]) -> Namespace:
        """The options; SystemExit once the help was printed."""
        try:
            options, unknown = self.parse_known_args(words)
        except _Missing:
            known = set(self._options(words))
            for word in words:
                if word.startswith("--") and word.partition("=")[0] not in known:
                    raise self._surplus(word, words) from None
            raise
        if unknown:
            raise self._surplus(unknown[0], words)
        return options

    def _options(self, words: Sequence[str]) -> Iterator[str]:
        """All that begins with a dash, also of the command within the command that is among `words`."""
        for action in self._actions:  # argparse tells it nowhere else
            yield from action.option_strings
            if isinstance(action, SubParsers):
                for name, each in action.choices.items():
                    if name in words:
                        yield from each._options(words)

    def _surplus(self, word: str, words: Sequence[str]) -> UsageError:
        if not word.startswith("-"):
            return UsageError(f"{word!r} is one argument too many", f"{self.prog} --help")
        name, equals, value = word.partition("=")
        near = nearest(name, self._options(words))
        remedy = f"{self.prog} --help"
        if near is not None:
            command = self.prog.split()[1:]
            remedy = as_typed(
                [*command, *(f"{near}{equals}{value}" if each == word else each for each in words)]
            )
        return UsageError(f"there is no option {name!r}", remedy)


def parser_of(command: str, summary: str) -> Parser:
    """The parser of a command, which is a module beside this one."""
    module = importlib.import_module(f"holdfast.cli.commands.{command}")
    parser = Parser(
        prog=f"holdfast {command}",
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=_listed(getattr(module, "EXAMPLES", ())),
    )
    module.arguments(parser)
    parser.add_argument("--no-color", action="store_true", help="no colours (as NO_COLOR=1)")
    parser.set_defaults(run=module.run)
    return parser


def _listed(examples: Iterable[tuple[str, str]]) -> str | None:
    rows = list(examples)
    if not rows:
        return None
    width = max(len(command) for command, _ in rows)
    return "\n".join(["examples:", *(f"  {command.ljust(width)}   {what}" for command, what in rows)])
