"""Brackets and quotes that close by themselves (`console.auto_close`): what the keys do. Off unless wanted.

A closing character is only put where nothing stands that it would enclose; typed over it goes past; Backspace
between two that enclose nothing takes both.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from prompt_toolkit.application import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from holdfast.console.keys import typing

_CLOSING = {"(": ")", "[": "]", "{": "}", '"': '"', "'": "'"}
_FREE = re.compile(r"[\s)\]},:;]|\Z")
"""What may stand behind a pair."""
_AFTER_WORD = re.compile(r"(?:\w|['\"\\])\Z")
"""Here a quote is an apostrophe, or ends something."""
_PREFIXED = re.compile(r"(?<!\w)[rbfuRBFU]{1,2}\Z")
"""But here it begins a string."""


def bindings() -> KeyBindings:
    """The keys. They come after all others."""
    keys = KeyBindings()
    for opening, closing in _CLOSING.items():
        if opening == closing:
            keys.add(opening, filter=typing & _begins_string(opening))(_put(opening))
        else:
            keys.add(opening, filter=typing & _before_free)(_put(opening))
        keys.add(closing, filter=typing & _before(closing))(_go_past)
    keys.add("backspace", filter=typing & _within_pair)(_take_both)
    return keys


def _put(opening: str) -> Callable[[KeyPressEvent], None]:
    def put(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(opening)
        event.current_buffer.insert_text(_CLOSING[opening], move_cursor=False)

    return put


def _go_past(event: KeyPressEvent) -> None:
    event.current_buffer.cursor_right()


def _take_both(event: KeyPressEvent) -> None:
    event.current_buffer.delete()
    event.current_buffer.delete_before_cursor()


def _around() -> tuple[str, str]:
    document = get_app().current_buffer.document
    return document.current_line_before_cursor, document.current_line_after_cursor


@Condition
def _before_free() -> bool:
    return _FREE.match(_around()[1]) is not None


@Condition
def _within_pair() -> bool:
    before, after = _around()
    return bool(before and after) and _CLOSING.get(before[-1]) == after[0]


def _before(closing: str) -> Condition:
    return Condition(lambda: _around()[1].startswith(closing))


def _begins_string(quote: str) -> Condition:
    def begins() -> bool:
        before, after = _around()
        if before.count(quote) % 2 or not _FREE.match(after):
            return False
        return not _AFTER_WORD.search(before) or _PREFIXED.search(before) is not None

    return Condition(begins)
