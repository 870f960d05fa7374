"""Files of cells on disk: reading whichever kind it is, and writing notebooks. No other module here does.

A notebook is written as it was: order, indentation, line ends, what is escaped. nbformat is not used for it
(docs/decisions/0020-cell-files.md).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import secrets
import tokenize
from pathlib import Path
from typing import Any

import msgspec

from holdfast.cellfiles import percent
from holdfast.cellfiles.document import Document
from holdfast.errors import HoldfastError

NOTEBOOK = ".ipynb"

_INDENTED = re.compile(r"\{(\r?\n)([ \t]+)\"")


class Style(msgspec.Struct, frozen=True):
    """How a file's JSON is laid out; by default as nbformat does it."""

    indent: str | None = " "
    newline: str = "\n"
    escaped: bool = False
    """No character beyond ASCII stands in it."""
    ends_line: bool = True

    @classmethod
    def of(cls, text: str) -> Style:
        """That of a file."""
        found = _INDENTED.match(text)
        newline, indent = (found[1], found[2]) if found else ("\n", None)
        return cls(indent, newline, text.isascii() and "\\u" in text, text.endswith("\n"))


class Place:
    """A notebook's place on disk: written only over what was read there, or over nothing."""

    def __init__(self, path: Path, style: Style, seen: tuple[int, ...] | None) -> None:
        """`seen`: of the file, when it was read; None if there was none."""
        self.path = path
        self._style = style
        self._seen = seen

    def check(self) -> None:
        """HoldfastError if nothing can be written there: better before cells run than after."""
        if self.path.suffix != NOTEBOOK:
            raise HoldfastError(f"{self.path.name} is no notebook's name", f"one that ends in {NOTEBOOK}")
        if not os.access(self.path.parent, os.W_OK | os.X_OK):
            raise HoldfastError(f"can't write into {self.path.parent}", "--output FILE writes it elsewhere")

    def write(self, document: Document) -> bool:
        """Replace the file as a whole. True if somebody had changed it: then one beside it is written.

        HoldfastError if it can't be.
        """
        moved = self._seen is not None and _look(self.path) not in (self._seen, None)
        if moved:
            self.path = _beside(self.path)
        content = _encoded(document.tree, self._style)
        try:
            replace(self.path, content)
            self._seen = _look(self.path)
        except OSError as error:
            remedy = "--output FILE writes it elsewhere"
            raise HoldfastError(f"can't write {self.path}: {error.strerror}", remedy) from error
        return moved


def read(path: Path) -> tuple[Document, Place | None]:
    """A file of cells, and the place where its outputs go: a notebook's own. HoldfastError."""
    try:
        if path.suffix != NOTEBOOK:
            with tokenize.open(path) as file:
                return percent.read(file.read()), None
        seen = _look(path)
        text = path.read_bytes().decode()
    except OSError as error:
        raise HoldfastError(f"can't read {path}: {error.strerror}") from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise HoldfastError(f"can't read {path}: {error}") from error
    try:
        document = Document(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise HoldfastError(f"{path} is not a notebook: {error}") from error
    except HoldfastError as error:
        raise HoldfastError(f"{path}: {error.what}", error.remedy) from error
    language = document.language
    if language not in ("python", "ipython", None):
        raise HoldfastError(f"{path} is a notebook for {language}, not for Python")
    return document, Place(Path(os.path.realpath(path)), Style.of(text), seen)


def place_for(path: Path) -> Place:
    """A place for a notebook that is to be written anew, over what is there now."""
    return Place(Path(os.path.realpath(path)), Style(), _look(path))


def _beside(path: Path) -> Path:
    """A name that no file has."""
    names = (f"{path.stem}-run{number or ''}{NOTEBOOK}" for number in itertools.count())
    return next(found for name in names if not os.path.lexists(found := path.with_name(name)))


def _encoded(tree: dict[str, Any], style: Style) -> bytes:
    separators = (",", ": ") if style.indent is not None else None
    text = json.dumps(tree, indent=style.indent, ensure_ascii=style.escaped, separators=separators)
    try:
        content = text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can hold
        text = json.dumps(tree, indent=style.indent, separators=separators)
        content = text.encode()
    content += b"\n" if style.ends_line else b""
    return content if style.newline == "\n" else content.replace(b"\n", style.newline.encode())


def replace(path: Path, content: bytes) -> None:
    """Write a file as a whole, on disk when it is there (rename(2), fsync(2)); mode and owner as before."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with contextlib.suppress(OSError):  # a new file; or one that somebody shares with us
                before = path.stat()
                os.fchmod(file.fileno(), before.st_mode & 0o777)
                os.fchown(file.fileno(), before.st_uid, before.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _look(path: Path) -> tuple[int, ...] | None:
    """What changes when somebody writes the file; None if it is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
