"""How errors read on the command line: one line what, one line what to try. Nothing else."""

from __future__ import annotations

import sys

from holdfast.errors import HoldfastError


class UsageError(HoldfastError):
    """The command line can't be understood, or asks for what can't be: exit status 2."""


def complain(error: HoldfastError) -> int:
    """Print `error` on stderr; the exit status it has."""
    print(f"holdfast: {error.what}", file=sys.stderr)
    if error.remedy:
        print(f"try: {error.remedy}", file=sys.stderr)
    return 2 if isinstance(error, UsageError) else 1


def tell(line: str) -> None:
    """Words of our own: on stderr, so that they never mix with what a program printed."""
    print(line, file=sys.stderr)
