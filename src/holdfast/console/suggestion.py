"""The rest of a line, in grey behind the cursor: how the newest line of the history that begins so goes on.

It is there to be taken, and otherwise not there: Up, Right and Enter do what they do without it. Taken it is
by keys that have nothing to do at the end of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, emacs_insert_mode
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from holdfast.console.keys import typing

LINE_CHARACTERS = 400
"""Longer lines are not proposed: they are pasted data, and would push the prompt about."""

_WORD = re.compile(r"\W*\w+|\W+")


class Lines:
    """All lines of the history, oldest first, as one text that is searched from its end.

    So a key costs microseconds, and the first of a line a few milliseconds with 100,000 entries: while a line
    grows, the search goes on from where it was, since what begins with more of it can't be newer.
    """

    def __init__(self) -> None:
        self._text = "\n"
        """Each line without its indent, between two newlines."""
        self._trail: list[tuple[str, int]] = []
        """What was asked for, each the beginning of the next, and where its answer begins (-1: nowhere)."""

    def put_before(self, entries: Iterable[str]) -> None:
        """Entries older than all that are known, oldest first."""
        self._text = f"\n{''.join(map(_stripped, entries))}{self._text[1:]}"
        self._trail.clear()

    def append(self, entry: str) -> None:
        """The newest entry."""
        self._text += _stripped(entry)
        self._trail.clear()

    def rest(self, typed: str) -> str:
        """What follows `typed` in the newest line that begins with it and is longer; else nothing."""
        while self._trail and not typed.startswith(self._trail[-1][0]):
            self._trail.pop()
        found = self._search(typed, self._trail[-1][1] if self._trail else len(self._text))
        self._trail.append((typed, found))
        begin = found + 1 + len(typed)
        return self._text[begin : self._text.index("\n", begin)] if found >= 0 else ""

    def _search(self, typed: str, newest: int) -> int:
        """The newline before the newest line that will do, which is not newer than the one at `newest`."""
        wanted = f"\n{typed}"
        found = newest
        while found >= 0:
            found = self._text.rfind(wanted, 0, found + len(wanted))
            if found < 0 or self._text[found + len(wanted)] != "\n":
                break
            found -= 1  # it is the line itself
        return found


class Suggester(AutoSuggest):
    """Proposes from `lines` while the cursor is at the end of the text."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def get_suggestion(self, _buffer: Buffer, document: Document) -> Suggestion | None:
        """The rest of the last line, or None."""
        typed = document.current_line.lstrip()
        if not typed or not document.is_cursor_at_the_end:
            return None
        rest = self._lines.rest(typed)
        return Suggestion(rest) if rest else None


def bindings() -> KeyBindings:
    """The keys that take a suggestion, or a word of it. Right is kept from it: prompt_toolkit lets it."""
    keys = KeyBindings()
    for key in ("end", "c-e", "c-f"):
        keys.add(key, filter=typing & _proposed)(_take)
    keys.add("c-right", filter=typing & _proposed)(_take_word)
    keys.add("escape", "f", filter=emacs_insert_mode & typing & _proposed)(_take_word)
    keys.add("escape", filter=emacs_insert_mode & typing & _proposed)(_dismiss)
    keys.add("right", filter=_proposed)(_do_nothing)
    return keys


@Condition
def _proposed() -> bool:
    buffer = get_app().current_buffer
    return buffer.suggestion is not None and buffer.document.is_cursor_at_the_end


def _take(event: KeyPressEvent) -> None:
    proposed = event.current_buffer.suggestion
    if proposed is not None:
        event.current_buffer.insert_text(proposed.text)


def _take_word(event: KeyPressEvent) -> None:
    proposed = event.current_buffer.suggestion
    word = _WORD.match(proposed.text) if proposed is not None else None
    if word is not None:
        event.current_buffer.insert_text(word[0])


def _dismiss(event: KeyPressEvent) -> None:
    event.current_buffer.suggestion = None


def _do_nothing(_event: KeyPressEvent) -> None:
    """The cursor is at the end."""


def _stripped(entry: str) -> str:
    """The lines of an entry that may be proposed, each with its newline."""
    lines = (line.strip() for line in entry.splitlines())
    return "".join(f"{line}\n" for line in lines if 0 < len(line) <= LINE_CHARACTERS)
