"""Settings on real sessions: those of the folder are in force, and wrong ones cost no session."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.deadline import Deadline
from kit.kernel import environment, running, scratch
from kit.processes import wait_for_end
from kit.shell import SECONDS, Shell
from kit.terminal import Terminal

HOLDFAST = [sys.executable, "-m", "holdfast"]

PROJECT = "[standby]\nkeep = 2\n"


@pytest.fixture
def shell() -> Iterator[Shell]:
    with scratch() as home:
        (home / "config").mkdir()
        shell = Shell(home)
        yield shell
        (home / "config" / "settings.toml").unlink(missing_ok=True)
        shell.close()


def in_force(shell: Shell, name: str, setting: str) -> tuple[Any, str]:
    """The value that session `name` has, and where it is from."""
    (told,) = json.loads(shell.good("config", setting, "--session", name, "--json"))
    return told["value"], told["from"]


def test_a_session_that_starts_in_a_project_has_its_settings(shell: Shell) -> None:
    (shell.work / "pyproject.toml").write_text(
        "[project]\nname = 'ledger'\n[tool.holdfast.standby]\nkeep = 2\n"
    )
    (shell.work / "sub").mkdir()
    shell.good("new", "work", "-d", "--cwd", "sub")
    assert in_force(shell, "work", "standby.keep") == (2, "project")
    with shell.client("work") as client:
        for number in range(1, 5):
            client.execute(f"x = {number}").reply()
    deadline = Deadline(SECONDS)
    while shell.info("work")["standby"]["after"] != 4:  # type: ignore[index]
        assert not deadline.passed
    assert "the earliest that is kept is that after In[3] (%undo 1)" in shell.run("undo", "work", "3").stderr
    assert shell.run("undo", "work", "1").returncode == 0


def test_variables_and_flags_reach_the_session(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDFAST_STANDBY_KEEP", "4")
    shell.good("new", "one", "-d", "--set", "checkpoint.enabled=false")
    assert in_force(shell, "one", "standby.keep") == (4, "variable")
    assert in_force(shell, "one", "checkpoint.enabled") == (False, "flag")
    shell.good("--set", "standby.keep=3", "new", "two", "-d")
    assert in_force(shell, "two", "standby.keep") == (3, "flag")
    assert in_force(shell, "two", "checkpoint.enabled") == (True, "default")


def test_wrong_settings_start_nothing_and_say_where_they_are(shell: Shell) -> None:
    (shell.work / "holdfast.toml").write_text("[standby]\nkep = 2\n")
    place = f"{shell.work}/holdfast.toml:2: no setting 'standby.kep'; did you mean standby.keep?"
    for arguments in (("new", "work", "-d"), ("-c", "print(1)")):
        done = shell.run(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert place in done.stderr
        assert done.stderr.endswith("\ntry: holdfast config standby.keep\n")
    assert shell.good("ls", "--json") == "[]\n"
    assert shell.run("config", "standby.keep").returncode == 1
    assert shell.run("--set", "project=false", "-c", "print(1)").stdout == "1\n"


def test_wrong_settings_keep_nobody_from_a_running_session(shell: Shell) -> None:
    shell.good("new", "work", "-d")
    (shell.home / "config" / "settings.toml").write_text("[console]\nediting_mood = 'vi'\n")
    with Terminal(
        [*HOLDFAST, "attach", "work"], environment(shell.home, shell.mark), columns=140
    ) as terminal:
        terminal.wait_for_last_prompt()
        assert "settings.toml:2: no setting 'console.editing_mood'; did you mean" in terminal.text
        terminal.send("print(6 * 7)\r")
        terminal.wait_for("\n42")


def test_a_session_goes_on_with_its_settings_when_its_supervisor_is_killed(shell: Shell) -> None:
    (shell.work / "holdfast.toml").write_text(PROJECT)
    shell.good("new", "work", "-d", "--set", "life.adopt_seconds=300")
    pid = int(str(shell.info("work")["pid"]))
    (shell.work / "holdfast.toml").write_text("[standby]\nkep = 2\n")
    os.kill(pid, signal.SIGKILL)
    assert wait_for_end(pid, Deadline(SECONDS))
    assert shell.info("work")["adopted"]
    assert in_force(shell, "work", "standby.keep") == (2, "project")
    assert in_force(shell, "work", "life.adopt_seconds") == (300.0, "flag")


def test_a_new_session_says_what_a_project_has_set(shell: Shell) -> None:
    (shell.work / "holdfast.toml").write_text(PROJECT)
    env = environment(shell.home, shell.mark)
    command = ["env", "-C", str(shell.work), *HOLDFAST]
    with Terminal([*command, "new", "work"], env, columns=140) as terminal:
        terminal.wait_for_last_prompt()
        assert f"set by {shell.work}/holdfast.toml: standby.keep = 2" in terminal.text
    with Terminal([*command, "attach", "work", "--set", "standby.keep=3"], env, columns=140) as terminal:
        terminal.wait_for_last_prompt()
        assert "set by" not in terminal.text
        assert "work runs already, with its own settings; at its next start: standby.keep=3" in terminal.text


def test_settings_for_the_console_are_the_users_own(shell: Shell) -> None:
    (shell.home / "config" / "settings.toml").write_text("[console]\nediting_mode = 'vi'\n")
    with Terminal([*HOLDFAST], environment(shell.home, shell.mark)) as terminal:
        terminal.wait_for_last_prompt()
        terminal.send("prunt(7)\x1b0llriA\r")  # vi: into command mode, and mend the word
        terminal.wait_for("\n7")


def project_above(folder: Path) -> Any:
    """A project's file above the folder in which the launcher starts."""
    (folder / "holdfast.toml").write_text(PROJECT)
    return scratch()


def test_a_kernel_has_the_settings_of_its_notebooks_folder_and_of_its_flags() -> None:
    with running("--set", "standby.branches=1", place=project_above) as kernel:
        kernel.client()
        (file,) = kernel.folder.glob("run/*/settings.json")
        said = {each["name"]: each["value"] for each in json.loads(file.read_text())}
        assert said == {"standby.keep": 2, "standby.branches": 1}
