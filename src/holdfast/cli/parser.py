"""argparse, with errors that read like all others of ours."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import NoReturn

from holdfast.cli.usage import UsageError


class Parser(ArgumentParser):
    """Overriding `error` is argparse's own way to have a word in it (argparse, "Exiting methods")."""

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise UsageError(message, f"{self.prog} --help")
