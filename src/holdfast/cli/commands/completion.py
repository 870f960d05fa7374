"""`holdfast completion bash|zsh|fish`: the script that lets a shell complete commands, options and names.

The scripts, in `shells/`, only ask `holdfast __complete` (candidates.py), so they never get out of date.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from holdfast.cli.usage import tell

SHELLS = ("bash", "zsh", "fish")

EXAMPLES = (
    ('eval "$(holdfast completion bash)"', "as a line of ~/.bashrc"),
    ('eval "$(holdfast completion zsh)"', "as a line of ~/.zshrc, after compinit"),
    ("holdfast completion fish | source", "as a line of ~/.config/fish/config.fish"),
)


def arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("shell", choices=SHELLS, metavar="|".join(SHELLS), help="whose script to print")


def run(options: Namespace) -> int:
    """Print it."""
    script = Path(__file__).parents[1] / "shells" / f"holdfast.{options.shell}"
    sys.stdout.write(script.read_text())
    if sys.stdout.isatty():  # who reads it wanted to know what to do with it
        how, where = EXAMPLES[SHELLS.index(options.shell)]
        tell(f"\nto use it, {where}:  {how}")
    return 0
