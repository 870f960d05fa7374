"""Is a piece of input ready to run, and how is the next line indented? For supervisor and console alike.

It must be had without the worker, which may be busy, and without IPython, which is slow to import: so this
module is stdlib only, keeps nothing, reads nothing and never runs code. IPython's additions (`%magic`,
`!cmd`, `obj?` ...) are replaced by plain statements; what is left is judged by Python's own parser.

It agrees with IPython's `TransformerManager.check_complete`, but for what `tests/unit/test_completeness.py`
names.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from dataclasses import dataclass
from typing import Literal, NamedTuple

Status = Literal["complete", "incomplete", "invalid"]

INDENT = "    "
"""What a new block adds, where the block around it does not indent by tabs."""

# CPython's flag for this very question (codeop.py): an error at the very end says "incomplete input".
_ALLOW_INCOMPLETE_INPUT = 0x4000
_FLAGS = _ALLOW_INCOMPLETE_INPUT | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

_PROMPTS = (
    (re.compile(r"[ \t]*>>>(?: |$)"), re.compile(r"[ \t]*(?:>>>|\.\.\.)(?: |$)")),
    (
        re.compile(r" ?(?:\[(?:nav|ins)\] )?In \[\d+\]: ?"),
        re.compile(r" ?(?:\[(?:nav|ins)\] )?In \[\d+\]: ?|[ \t]*\.{3,}: ?"),
    ),
)
"""Pairs: what the first line of a pasted transcript begins with, and what any line of it may begin with."""

_PIECE = re.compile(
    r"""
      (?P<triple> \"{3} | '{3} )
    | (?P<string> "(?:\\.|[^"\\\n])*"? | '(?:\\.|[^'\\\n])*'? )
    | (?P<comment> \#[^\n]* )
    | (?P<open> [(\[{] )
    | (?P<close> [)\]}] )
    | (?P<joined> \\\n )
    | (?P<newline> \n )
    | (?P<help> \?\??[ \t]*(?=\n|\Z) )
    | (?P<assign> (?<![=!<>+\-*/%&|^@:~])=(?!=)[ \t]* )
    """,
    re.VERBOSE | re.DOTALL,
)
"""What matters in a logical line; everything between is skipped."""

_EMPTY_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_TRIPLE_END = {quotes: re.compile(rf"(?:\\.|[^\\])*?{quotes}", re.DOTALL) for quotes in ('"""', "'''")}
_LINE_START = re.compile(r"(?P<indent>[ \t\f]*)(?P<escape>/(?=\S)|[!%?,;])?")
_REST = re.compile(r"(?:\\\n|[^\n])*")
_ASSIGNED_ESCAPE = re.compile(r"!|%[^\W\d]")
_HELP_TARGET = re.compile(r"(?<![\w*])(?:[^\W\d]|\*)[\w*]*\Z|[\w*\]]\[-?\d+\]\Z")
"""What ends the text before `?`: a name, perhaps with wildcards, or an item by number."""


class Completeness(NamedTuple):
    """The verdict on a piece of input. `indent` is the next line's white space, if `status` is incomplete."""

    status: Status
    indent: str = ""


def check(code: str) -> Completeness:
    """Whether `code`, as typed so far, is ready to run.

    `invalid` means that no further line can mend it: run it, and let the user see the error.
    """
    text = code.replace("\r\n", "\n")
    blank_end = text[len(text.rstrip()) :]
    finished = "\n" in blank_end
    if text.rstrip().endswith("\\") and not text.lstrip().startswith("%%"):
        return Completeness("incomplete", _last_indent(text))
    text = _dedented(without_prompts(text))
    if text.startswith("%%"):
        return _check_cell_magic(text)
    outline = _outline(text)
    if outline.open:
        return Completeness("incomplete", _last_indent(text))
    verdict = _compile(outline.plain)
    if verdict == "complete" and outline.last_indent and not finished:
        verdict = "incomplete"  # an empty line ends a block, as at Python's own prompt
    if verdict == "incomplete":
        return Completeness("incomplete", _next_indent(text, outline))
    return Completeness(verdict)


def without_prompts(code: str) -> str:
    """`code`; if it is a pasted transcript, without its prompts (`>>>`, `In [1]:`, `...:`) and its indent."""
    text = _dedented(code)
    head = text.partition("\n")[0]
    for first, any_line in _PROMPTS:
        if first.match(head):
            return _dedented("\n".join(any_line.sub("", line, count=1) for line in text.split("\n")))
    return code


@dataclass(slots=True)
class _Outline:
    """A cell with IPython's syntax replaced, and how it ends."""

    plain: str = ""
    """Python source: what is not Python became `pass` or `None`."""
    open: bool = False
    """A bracket or a triple-quoted string is still open."""
    last_indent: str = ""
    """White space before the last logical line that holds code."""
    opens_block: bool = False
    """That line ends in a colon."""


def _outline(text: str) -> _Outline:
    outline = _Outline()
    position = 0
    parts: list[str] = []
    while position < len(text):
        line = _LogicalLine(text, position)
        parts.append(line.plain)
        if line.has_code:
            outline.last_indent, outline.opens_block = line.indent, line.opens_block
        outline.open = line.open
        position = line.end
    outline.plain = "".join(parts)
    return outline


class _LogicalLine:
    """One logical line of `text` from `start`: read at once, then looked at by its attributes."""

    def __init__(self, text: str, start: int) -> None:
        head = _LINE_START.match(text, start)
        assert head is not None  # the pattern matches the empty string
        self.indent = head["indent"]
        self.has_code = False
        self.open = False
        """The text ends within a bracket or a triple-quoted string."""
        self.end = len(text)
        """Where the next logical line begins."""
        self.plain = ""
        """The line as Python source."""
        self._text = text
        self._start = start
        self._depth = 0
        self._code_end = start
        if head["escape"]:
            self._end_as(head["indent"] + "pass", head.end())
        else:
            self._read(head.end())

    @property
    def opens_block(self) -> bool:
        """Whether the last character of code is a colon."""
        return self.has_code and self._text[self._code_end - 1] == ":"

    def _read(self, position: int) -> None:
        """Go from piece to piece until the line ends, or turns out to be special."""
        text, may_assign = self._text, True
        while piece := _PIECE.search(text, position):
            self._note_code(position, piece.start())
            position = piece.end()
            match piece.lastgroup:
                case "newline" if self._depth == 0:
                    self.plain, self.end = text[self._start : position], position
                    return
                case "assign" if may_assign and self._depth == 0:
                    may_assign = False
                    if _ASSIGNED_ESCAPE.match(text, position):
                        self._end_as(text[self._start : position] + "None", position)
                        return
                case "help" if self._asks_for_help(piece):
                    self._end_as(self.indent + "pass", position)
                    return
                case "triple":
                    position = self._end_of_string(piece)
                case "open" | "close":
                    self._depth = max(0, self._depth + (1 if piece.lastgroup == "open" else -1))
            if piece.lastgroup not in ("comment", "newline", "joined"):
                self._note_code(piece.start(), position)
        self._note_code(position, len(text))
        self.plain = text[self._start :]
        self.open = self.open or self._depth > 0

    def _end_as(self, plain: str, position: int) -> None:
        """The line is special: it reads as `plain`, and what follows `position` belongs to it."""
        rest = _REST.match(self._text, position)
        assert rest is not None  # the pattern matches the empty string
        self.has_code = True
        self._code_end = position
        self.plain, self.end = plain + "\n", rest.end() + 1

    def _end_of_string(self, opening: re.Match[str]) -> int:
        closing = _TRIPLE_END[opening[0]].match(self._text, opening.end())
        self.open = closing is None
        return closing.end() if closing else len(self._text)

    def _note_code(self, start: int, end: int) -> None:
        stripped = self._text[start:end].rstrip()
        if stripped:
            self.has_code = True
            self._code_end = start + len(stripped)

    def _asks_for_help(self, mark: re.Match[str]) -> bool:
        """Whether `mark` ends `obj?` or `f(obj?`; inside brackets only at the end of all."""
        if self._depth and self._text[mark.end() :].strip():
            return False
        return _HELP_TARGET.search(self._text[self._start : mark.start()]) is not None


def _check_cell_magic(text: str) -> Completeness:
    """A cell magic takes all lines up to an empty one: only the user knows where another language ends."""
    *body, last = text.split("\n")
    ended = len(body) > 1 and not last.strip() and not body[-1].strip()
    return Completeness("complete") if ended else Completeness("incomplete", _last_indent(text))


def _compile(source: str) -> Status:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning is the worker's to show, when it compiles the cell
        try:
            compile(source.rstrip() + "\n", "<input>", "exec", _FLAGS, dont_inherit=True)
        except SyntaxError as error:
            return "incomplete" if "incomplete input" in str(error) else "invalid"
        except (ValueError, OverflowError, MemoryError, RecursionError):
            return "invalid"  # null bytes, huge numbers, nesting that the parser refuses
    return "complete"


def _dedented(text: str) -> str:
    """`text` without leading empty lines and without the indent that all its lines share."""
    return textwrap.dedent(_EMPTY_LINES.sub("", text, count=1))


def _last_indent(text: str) -> str:
    line = text.removesuffix("\n").rsplit("\n", 1)[-1]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _next_indent(text: str, outline: _Outline) -> str:
    if outline.opens_block:
        return outline.last_indent + ("\t" if "\t" in outline.last_indent else INDENT)
    return _last_indent(text)
