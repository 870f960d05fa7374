"""Which cells are plain Python, so that IPython's input transformations would leave them as they are.

IPython splits each cell into tokens, with a tokenizer written in Python, to find its own syntax in it: a
fifth of the time of a short cell, and milliseconds for a long one. Most cells have no character that could
begin such syntax, which one regular expression tells. In doubt a cell is not plain.

What IPython transforms: inputtransformer2.py (prompts, indentation, `%`, `!`, `?`, `,`, `;`, `/`) and, for a
single line, prefilter.py (magics without `%`, macros, `exit`).
"""

from __future__ import annotations

import re
from typing import Any

from IPython.core.autocall import IPyAutocall
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.macro import Macro

_MAY_CHANGE = re.compile(
    r"""
      \?                                # help
    | ^[ \t]*[%!,;/]                    # begins a line: magics, shell, quoting calls
    | =\s*[%!]                          # the same, assigned
    | ^[ \t]+$                          # dedent(3) empties such lines
    | \A\s                              # leading lines and indentation are removed
    | ^[ \t]*(?:>>>|\.\.\.) | In\ \[    # prompts
    | PYTHON-MODE                       # a mark of Emacs
    | [\r\v\f\x1c-\x1e\x85\u2028\u2029] # other ends of lines
    """,
    re.VERBOSE | re.MULTILINE,
)
_FIRST_NAME = re.compile(r"[\w.*]*")
_DEFAULT = TransformerManager()
_ONE_LINE_CHECKERS = 7
"""Of a prefilter that nobody has added to."""


def transformed(shell: Any, cell: str) -> str:
    """As `shell.transform_cell(cell)`, which it calls unless the cell is plain."""
    if not cell or _MAY_CHANGE.search(cell) or _has_been_extended(shell):
        result: str = shell.transform_cell(cell)
        return result
    text = cell if cell.endswith("\n") else cell + "\n"
    if text.find("\n") == len(text) - 1 and not _is_plain_line(shell, cell):
        return str(shell.transform_cell(cell))
    return text


def _has_been_extended(shell: Any) -> bool:
    """Whether somebody has added transformations."""
    manager, prefilter = shell.input_transformer_manager, shell.prefilter_manager
    return bool(
        manager.cleanup_transforms != _DEFAULT.cleanup_transforms
        or manager.line_transforms != _DEFAULT.line_transforms
        or manager.token_transformers != _DEFAULT.token_transformers
        or shell.input_transformers_post
        or prefilter._transformers
        or len(prefilter._checkers) != _ONE_LINE_CHECKERS
        or shell.autocall
    )


def _is_plain_line(shell: Any, line: str) -> bool:
    """Whether the name that begins the line is not one that does something when it stands alone."""
    match = _FIRST_NAME.match(line)
    name = match.group() if match else ""
    return name not in shell.magics_manager.magics["line"] and not isinstance(
        shell.user_ns.get(name), Macro | IPyAutocall
    )
