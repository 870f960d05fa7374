"""Tab in real shells: what `holdfast completion` gives them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kit.kernel import environment, scratch
from kit.shell import Shell
from kit.terminal import TAB, Terminal

START = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
}
SET_UP = {
    "bash": "PS1='READY> '; eval \"$(holdfast completion bash)\"",
    "zsh": "autoload -Uz compinit; compinit -u -D; PROMPT='READY> '; eval \"$(holdfast completion zsh)\"",
    "fish": "function fish_prompt; echo -n 'READY> '; end; holdfast completion fish | source",
}


@pytest.fixture
def shell() -> Iterator[Shell]:
    with scratch() as home:
        shell = Shell(home)
        for name in ("work", "ledger"):
            (home / "state" / "sessions" / name).mkdir(parents=True)
        (shell.work / "program.py").touch()
        (shell.work / "folder").mkdir()
        yield shell
        shell.close()


@pytest.fixture(params=START)
def terminal(shell: Shell, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    kind = request.param
    if shutil.which(kind) is None:
        pytest.skip(f"{kind} is not installed")
    here = Path(sys.executable).parent
    env = environment(shell.home, shell.mark) | {
        "PATH": f"{here}:{os.environ['PATH']}",
        "HOME": str(shell.home),
        "LANG": "C.UTF-8",
    }
    command = ["sh", "-c", f'cd "{shell.work}" && exec {" ".join(START[kind])}']
    with Terminal(command, env) as terminal:
        terminal.send(SET_UP[kind] + "\r")
        terminal.wait_until(lambda: terminal.lines[-1:] == ["READY>"], "the prompt")
        yield terminal


def typed(terminal: Terminal, keys: str, line: str) -> None:
    """Type at an empty prompt, press Tab, wait for the line to be completed, and take it back."""
    terminal.send(keys + TAB)
    terminal.wait_until(lambda: any(each == f"READY> {line}" for each in terminal.lines), line)
    terminal.send("\x15")  # Ctrl-U
    terminal.wait_until(lambda: terminal.lines[-1:] == ["READY>"] or "READY>" in terminal.lines, "the prompt")


def test_tab_completes_commands_options_sessions_and_files(terminal: Terminal) -> None:
    typed(terminal, "holdfast inter", "holdfast interrupt")
    typed(terminal, "holdfast attach w", "holdfast attach work")
    typed(terminal, "holdfast a le", "holdfast a ledger")
    typed(terminal, "holdfast log --fol", "holdfast log --follow")
    typed(terminal, "holdfast kernel inst", "holdfast kernel install")
    typed(terminal, "holdfast prog", "holdfast program.py")
    typed(terminal, "holdfast new --cwd fol", "holdfast new --cwd folder/")
    typed(terminal, "holdfast config standby.kee", "holdfast config standby.keep")


def test_a_setting_is_followed_by_its_value_at_once(terminal: Terminal) -> None:
    terminal.send("holdfast --set standby.kee" + TAB)
    terminal.wait_for("READY> holdfast --set standby.keep=")
    terminal.send("9")
    terminal.wait_for("READY> holdfast --set standby.keep=9")


def test_tab_shows_what_there_is_to_choose_from(terminal: Terminal) -> None:
    terminal.send("holdfast attach " + TAB + TAB)
    terminal.wait_for("ledger")
    terminal.wait_for("work")
