"""Keys as they are written: `curve:` and 40 characters of Z85 (zmq_curve(7), rfc.zeromq.org/spec/32). Pure.

The word before a key says of what kind it is, and keeps a line from beginning with `#`, which Z85 has.
"""

from __future__ import annotations

import re

PREFIX = "curve:"

_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
_LARGEST = 2**32
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def shown(key: str) -> str:
    """A public key as people copy it."""
    return PREFIX + key


def read(word: str) -> str | None:
    """The public key that such a word is; None if it is none."""
    key = word.removeprefix(PREFIX)
    return key if key != word and is_key(key) else None


def is_key(key: str) -> bool:
    """Whether it is 32 bytes in Z85."""
    return _KEY.fullmatch(key) is not None and all(
        _number(key[start : start + 5]) < _LARGEST for start in range(0, len(key), 5)
    )


def encoded(raw: bytes) -> str:
    """32 bytes, as libzmq hands them over, in Z85."""
    text = []
    for start in range(0, len(raw), 4):
        number, digits = int.from_bytes(raw[start : start + 4]), ""
        for _ in range(5):
            number, digit = divmod(number, 85)
            digits = _DIGITS[digit] + digits
        text.append(digits)
    return "".join(text)


def _number(digits: str) -> int:
    number = 0
    for each in digits:
        number = number * 85 + _DIGITS.index(each)
    return number
