"""What Jupyter adds to the Debug Adapter Protocol: files that stand for cells, names that stay hidden. Pure.

A frontend sets breakpoints before a cell runs, so both must give the cell the same file name: the hash of its
code, in a folder that `debugInfo` tells (JEP 47).
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import Any

import msgspec

from holdfast.errors import MalformedMessage
from holdfast.protocol import codec

HASH_METHOD = "Murmur2"
HASH_SEED = 0xC70F6907
"""ipykernel's, and any would do: it is told."""
SUFFIX = ".py"
CELL_NAME = "IPYKERNEL_CELL_NAME"
"""Environment variable: the file name of every cell, instead of ours (nbclient's tests set it)."""

_FILE = re.compile(r"(?:.*/)?(\d{1,10})\.py")
_FACTOR, _MASK = 0x5BD1E995, 0xFFFFFFFF
_HIDDEN = frozenset(
    {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__annotations__"}
    | {"__builtins__", "__builtin__", "__display__", "get_ipython", "exit", "quit", "open"}
    | {"_", "__", "___", "In", "Out", "_ih", "_oh", "_dh"}
)
_HIDDEN_KIND = re.compile(r"_\d|_i")  # results and inputs by number


class Request(msgspec.Struct):
    """Content of a `debug_request`: a request of the Debug Adapter Protocol."""

    command: str
    seq: int = 0
    arguments: dict[str, Any] | None = None

    def answer(self, body: object = None, message: str | None = None) -> dict[str, Any]:
        """A response; it says what failed if there is a `message`."""
        response = {
            "type": "response",
            "seq": self.seq,
            "request_seq": self.seq,
            "success": message is None,
            "command": self.command,
        }
        if body is not None:
            response["body"] = body
        if message is not None:
            response["message"] = message
        return response


def murmur2(data: bytes, seed: int = HASH_SEED) -> int:
    """MurmurHash2 of 32 bits, by Austin Appleby: words of four bytes, little-endian, then what is left."""
    whole = len(data) & ~3
    value = (seed ^ len(data)) & _MASK
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        mixed = word * _FACTOR & _MASK
        value = (value * _FACTOR & _MASK) ^ ((mixed ^ mixed >> 24) * _FACTOR & _MASK)
    if whole < len(data):
        value = (value ^ int.from_bytes(data[whole:], "little")) * _FACTOR & _MASK
    value = (value ^ value >> 13) * _FACTOR & _MASK
    return value ^ value >> 15


def cell_number(code: str) -> int:
    """What a cell's file is named by."""
    return murmur2(code.encode("utf-8", "surrogatepass"))


def cell_file(folder: str, code: str) -> str:
    """The file that stands for a cell."""
    return f"{folder}/{cell_number(code)}{SUFFIX}"


def number_of(file: str) -> int | None:
    """The number that a file is named by, if it may stand for a cell."""
    match = _FILE.fullmatch(file)
    return int(match[1]) if match else None


def is_shown(name: str) -> bool:
    """Whether a variable is the user's, and not IPython's."""
    return name not in _HIDDEN and not _HIDDEN_KIND.match(name)


def without_hidden(variables: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Variables of a response, without those that are not shown."""
    return [each for each in variables if is_shown(str(each.get("name", "")))]


def unwrapped(text: str) -> dict[str, Any]:
    """What a frame at a breakpoint was asked for: JSON in base64, as Python writes text down.

    MalformedMessage if it is none.
    """
    try:
        raw = base64.b64decode(text.strip("'\""), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage(f"a frame's answer: {error}") from error
    return codec.decode(raw, dict[str, Any], "a frame's answer")
