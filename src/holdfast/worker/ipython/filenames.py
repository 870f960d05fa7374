"""Under which file names cells are compiled: those that a debugger's clients expect (protocol/debugging.py).

No such file need be there: tracebacks and `inspect` find the code in `linecache`, as IPython puts it there.
"""

from __future__ import annotations

import os

from IPython.core.compilerop import CachingCompiler

from holdfast.protocol import debugging


def compiler_in(folder: str) -> type[CachingCompiler]:
    """The class of a compiler whose cells seem to lie in `folder`."""

    class CellCompiler(CachingCompiler):
        """Names a cell by its code alone: a client computes the same before the cell runs."""

        def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:  # noqa: ARG002
            """The file name of a cell."""
            return os.environ.get(debugging.CELL_NAME) or debugging.cell_file(folder, raw_code)

    return CellCompiler
