"""What could come next on a command line, found by walking its words through the commands' own parsers.

    holdfast __complete WORD…      the words after `holdfast`; the last one is begun, and may be empty

Prints a candidate a line, with what it means behind a tab. A line that begins with the tab asks the shell to
complete names of `files` or `folders` by itself. What a mistyped command line means is not our business here:
nothing is printed.
"""

from __future__ import annotations

import time
from argparse import REMAINDER, Action, ArgumentParser
from argparse import _SubParsersAction as SubParsers
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from holdfast.cli.commands import COMMANDS, OPTIONS
from holdfast.cli.habits import SYNONYMS
from holdfast.cli.parser import parser_of
from holdfast.visible import in_line

FILES, FOLDERS = "files", "folders"

SET = "--set"

_PATHS = {"FILE": FILES, "PATH": FILES, "SCRIPT": FILES, "DIR": FOLDERS}
"""What the help calls an argument -> what it is."""

_MANY = ("*", "+", REMAINDER)
"""Arguments after which the same may come again."""


class Candidate(NamedTuple):
    """A word, and what it means; without a word: which names the shell should complete by itself."""

    word: str
    meaning: str


def tell(words: Sequence[str]) -> int:
    """Print what could stand for the last of `words`."""
    for word, meaning in candidates(words or [""]):
        print(f"{word}\t{in_line(meaning)}")
    return 0


def candidates(words: Sequence[str]) -> list[Candidate]:
    """What could stand for the last of `words`, which follow `holdfast`."""
    *before, begun = words
    before = _without_flags(before)
    if before == [SET]:
        return _beginning(_with_value(_settings()), begun)
    if not before:
        found = _beginning(_first(begun), begun)
        return found or [Candidate("", FILES)]
    command = SYNONYMS.get(before[0], before[0])
    if command == "help":
        return _beginning(_commands(), begun) if len(before) == 1 else []
    if command not in COMMANDS:
        return [Candidate("", FILES)]  # a program and its arguments
    return _beginning(Walk(parser_of(command, COMMANDS[command]), before[1:]).next(begun), begun)


def _without_flags(words: list[str]) -> list[str]:
    """What follows those that may stand before the command."""
    while words and words[0].startswith("--"):
        name, equals, _ = words[0].partition("=")
        if name == SET and not equals:
            if len(words) == 1:
                return words
            words = words[2:] if words[1] != "=" else words[3:]
        elif words[0] in OPTIONS or name == SET:
            words = words[1:]
        else:
            break
    return words


def _first(begun: str) -> Iterator[Candidate]:
    """In place of a command."""
    if begun.startswith("-"):
        yield from (Candidate(each, "") for each in OPTIONS)
    else:
        yield from _commands()
        yield Candidate("help", "tell about a command")


def _commands() -> Iterator[Candidate]:
    yield from (Candidate(*each) for each in COMMANDS.items())


def _beginning(found: Iterable[Candidate], begun: str) -> list[Candidate]:
    return [each for each in found if not each.word or each.word.startswith(begun)]


class Walk:
    """Where on its command line a parser stands after some words."""

    def __init__(self, parser: ArgumentParser, words: Iterable[str]) -> None:
        self._enter(parser)
        self._waiting: Action | None = None  # an option of which values come next
        self._left = 0  # so many
        self._dashed = True  # options may come
        self._typed: set[str] = set()
        for word in words:
            self._take(word)

    def next(self, begun: str) -> Iterator[Candidate]:
        """What could come, whether it begins so or not."""
        name, equals, _ = begun.partition("=")
        if self._waiting is not None:
            yield from _values(self._waiting, self._typed)
        elif equals and self._dashed and name in self._options:
            for each in _values(self._options[name], self._typed):
                yield Candidate(f"{name}={each.word}", each.meaning) if each.word else each
        elif begun.startswith("-") and self._dashed:
            yield from self._dashed_ones()
        elif self._places:
            yield from _values(self._places[0], self._typed)
        elif self._dashed:
            yield from self._dashed_ones()

    def _enter(self, parser: ArgumentParser) -> None:
        actions = parser._actions  # argparse tells it nowhere else
        self._options = {name: action for action in actions for name in action.option_strings}
        self._places = [action for action in actions if not action.option_strings]

    def _take(self, word: str) -> None:
        if word == "=" and self._waiting is not None:
            return  # bash takes `--option=value` apart
        self._typed.add(word)
        if self._waiting is not None:
            self._left -= 1
            self._waiting = self._waiting if self._left else None
        elif self._dashed and word == "--":
            self._dashed = False
        elif self._dashed and word.startswith("-") and word != "-":
            self._option(self._options.get(word))  # with a value in the same word none is waited for
        elif self._places:
            self._place(self._places[0], word)

    def _option(self, action: Action | None) -> None:
        if action is None or action.nargs == 0:
            return
        if action.nargs == REMAINDER:
            self._places, self._dashed = [action], False
        else:
            self._waiting, self._left = action, action.nargs if isinstance(action.nargs, int) else 1

    def _place(self, action: Action, word: str) -> None:
        if isinstance(action, SubParsers):
            if word in action.choices:
                self._enter(action.choices[word])
            else:
                self._places, self._dashed = [], False
            return
        if action.nargs == REMAINDER:
            self._dashed = False
        if action.nargs not in _MANY:
            del self._places[0]

    def _dashed_ones(self) -> Iterator[Candidate]:
        """By their long names, of which one may have two: --provisioner and --no-provisioner."""
        for name, action in self._options.items():
            shown = _is_long(name) or not any(map(_is_long, action.option_strings))
            if shown and not self._typed.intersection(action.option_strings):
                yield Candidate(name, _meaning(action))


def _is_long(option: str) -> bool:
    return option.startswith("--")


def _meaning(action: Action) -> str:
    words = action.help or ""
    return words if "%" not in words else words.partition("(")[0].strip()  # %(default)s


def _values(action: Action, typed: set[str]) -> Iterator[Candidate]:
    """What an argument may be."""
    if isinstance(action, SubParsers):
        # Their help stands in pseudo-actions, one for each command within the command.
        yield from (Candidate(each.dest, each.help or "") for each in action._get_subactions())
    elif action.choices is not None:
        yield from (Candidate(str(each), "") for each in action.choices)
    elif (kind := getattr(action.type, "__name__", "")) in _KINDS:
        yield from (each for each in _KINDS[kind]() if each.word not in typed)
    elif SET in action.option_strings:
        yield from _with_value(_settings())
    elif isinstance(action.metavar, str) and action.metavar in _PATHS:
        yield Candidate("", _PATHS[action.metavar])
    elif action.nargs == REMAINDER:
        yield Candidate("", FILES)


def _sessions(*, running: bool | None = None) -> Iterator[Candidate]:
    """Names of sessions, those used last first."""
    from holdfast.cli import pick, text  # noqa: PLC0415 - most command lines name none
    from holdfast.client import start  # noqa: PLC0415 - as above

    now = time.time()
    for name in sorted(start.known(), key=start.last_use, reverse=True):
        if running is None or pick.is_running(name) is running:
            yield Candidate(name, f"used {text.ago(now - start.last_use(name))}")


def _running() -> Iterator[Candidate]:
    return _sessions(running=True)


def _ended() -> Iterator[Candidate]:
    return _sessions(running=False)


def _kernels() -> Iterator[Candidate]:
    from holdfast.jupyter import kernelspec  # noqa: PLC0415 - as above

    return (Candidate(name, str(folder)) for name, folder in sorted(kernelspec.installed().items()))


def _settings() -> Iterator[Candidate]:
    from holdfast.config import names, words  # noqa: PLC0415 - as above

    purposes = words.purposes()
    for name in [*names.sections(), *names.known()]:
        yield Candidate(name, words.first_sentence(purposes.get(name, "")))


def _with_value(settings: Iterable[Candidate]) -> Iterator[Candidate]:
    return (Candidate(f"{name}=", meaning) for name, meaning in settings if "." in name)


_KINDS = {
    "session": _sessions,
    "running": _running,
    "ended": _ended,
    "kernel": _kernels,
    "named": _settings,
}
"""Name of what makes a value of an argument's word (`type` of argparse; see cli/pick.py) -> what there is."""
