"""Finding the command, and how every failure reads."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from holdfast import __version__
from holdfast.cli.commands import COMMANDS
from holdfast.cli.habits import SYNONYMS
from holdfast.cli.main import main
from kit.kernel import environment, scratch

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with scratch() as folder:
        monkeypatch.setenv("HOLDFAST_HOME", str(folder))
        yield folder


@pytest.fixture
def holdfast(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(list(arguments))
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_it_tells_its_version(holdfast: Run, flag: str) -> None:
    assert holdfast(flag) == (0, f"holdfast {__version__}\n", "")


@pytest.mark.parametrize("flag", ["--help", "-h", "help"])
def test_help_names_every_command(holdfast: Run, flag: str) -> None:
    status, out, _ = holdfast(flag)
    assert status == 0
    assert all(f"\n  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize("command", [*COMMANDS, "a"])
def test_every_command_explains_itself(holdfast: Run, command: str) -> None:
    status, out, err = holdfast(command, "--help")
    assert (status, err) == (0, "")
    assert out.startswith("usage: holdfast ")
    assert "\nexamples:\n  " in out
    assert holdfast("help", command) == (0, out, "")


def test_help_reaches_commands_within_a_command(holdfast: Run) -> None:
    assert "--display-name" in holdfast("help", "kernel", "install")[1]


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"),
    [
        (["lss"], "there is no command 'lss'", "holdfast ls"),
        (["gibberish"], "there is no command 'gibberish'", "holdfast --help"),
        (
            ["kill", "work"],
            "there is no command 'kill'",
            "holdfast stop work   (its state is kept; holdfast rm work deletes that)",
        ),
        (
            ["kill"],
            "there is no command 'kill'",
            "holdfast stop NAME   (its state is kept; holdfast rm NAME deletes that)",
        ),
        (
            ["kill-session", "-t", "a b"],
            "there is no command 'kill-session'",
            "holdfast stop 'a b'   (its state is kept; holdfast rm 'a b' deletes that)",
        ),
        (["atach", "work"], "there is no command 'atach'", "holdfast attach work"),
        (["join", "-t", "work"], "there is no command 'join'", "holdfast attach work"),
        (["-t", "work"], "there is no option '-t'", "holdfast attach work"),
        (["--existing=work"], "there is no option '--existing'", "holdfast attach work"),
        (["new", "work", "-s"], "there is no option '-s'", "holdfast new --help"),
        (["--versoin"], "there is no option '--versoin'", "holdfast --version"),
        (["--frob"], "there is no option '--frob'", "holdfast --help"),
        (["ls", "--frob"], "there is no option '--frob'", "holdfast ls --help"),
        (["ls", "--jsn"], "there is no option '--jsn'", "holdfast ls --json"),
        (["log", "a b", "--form=ana"], "there is no option '--form'", "holdfast log 'a b' --from=ana"),
        (["ls", "work"], "'work' is one argument too many", "holdfast ls --help"),
        (["kernel", "instal"], "'instal' is none of install, list, uninstall", "holdfast kernel install"),
        (
            ["kernel", "install", "--usr"],
            "there is no option '--usr'",
            "holdfast kernel install --user",
        ),
        (["completion", "fsh"], "'fsh' is none of bash, zsh, fish", "holdfast completion fish"),
        (["rm"], "rm needs a name", "holdfast rm --help"),
        (["undo", "work", "all"], "'all' is no number of cells", "holdfast undo work 2"),
        (["log", "-n", "many"], "-n: 'many' is not a number of cells", "holdfast log --help"),
        (["log", "-n", "0"], "-n: '0' is not a number of cells", "holdfast log --help"),
        (["stop"], "stop needs names of sessions, or --all", "holdfast ls"),
        (["stop", "work", "--all"], "stop needs names of sessions, or --all", "holdfast ls"),
        (["-c"], "-c was given no code", "holdfast -c 'print(6 * 7)'"),
        (["-m"], "-m was given no module", "holdfast -m timeit 'sum(range(100))'"),
        (["run"], "run needs a program", "holdfast run FILE.py   (or -c CODE, -m MODULE, -)"),
        (
            ["run", "--timeout", "0", "x.py"],
            "--timeout: '0' is not a number of seconds",
            "holdfast run --help",
        ),
        (["kernel"], "kernel needs install|list|uninstall", "holdfast kernel --help"),
        (["completion"], "completion needs bash|zsh|fish", "holdfast completion --help"),
        (["rm", "--yess"], "there is no option '--yess'", "holdfast rm --yes"),
        (["kernel", "list", "--prefx"], "there is no option '--prefx'", "holdfast kernel --help"),
        (["log", "--export"], "--export needs a value", "holdfast log --help"),
        (["run", "-p", "x"], "--parameter needs a value", "holdfast run --help"),
        (["ls", "-q", "--json"], "--json: not allowed with argument -q/--quiet", "holdfast ls --help"),
    ],
)
def test_wrong_usage_is_two_lines_and_status_2(
    holdfast: Run, arguments: list[str], what: str, remedy: str
) -> None:
    assert holdfast(*arguments) == (2, "", f"holdfast: {what}\ntry: {remedy}\n")


@pytest.mark.parametrize(
    "command", ["attach", "log", "info", "interrupt", "stop", "rm", "undo", "redo", "variables"]
)
def test_a_missing_session_is_named_and_the_nearest_offered(home: Path, holdfast: Run, command: str) -> None:
    (home / "state" / "sessions" / "work").mkdir(parents=True)
    status, out, err = holdfast(command, "wrok")
    assert (status, out) == (1, "")
    assert err == f"holdfast: no session named 'wrok'\ntry: holdfast {command} work   (or: holdfast ls)\n"


def test_a_mistyped_session_is_put_right_in_the_whole_command(home: Path, holdfast: Run) -> None:
    (home / "state" / "sessions" / "work").mkdir(parents=True)
    assert "\ntry: holdfast log -n 3 work   (or: " in holdfast("log", "-n", "3", "wrok")[2]
    assert holdfast("stop", "other")[2].endswith("\ntry: holdfast ls\n")
    assert holdfast("attach", "other")[2].endswith("\ntry: holdfast new other\n")


@pytest.mark.parametrize(("word", "command"), SYNONYMS.items())
def test_words_of_other_tools_are_understood(holdfast: Run, word: str, command: str) -> None:
    assert holdfast(word, "--help") == holdfast(command, "--help")


@pytest.mark.parametrize(
    "arguments",
    [
        ["attach", "-t", "nosuch"],
        ["attach-session", "-t", "nosuch"],
        ["stop", "-t", "nosuch"],
        ["info", "-t", "nosuch"],
    ],
)
def test_a_name_may_be_given_as_tmux_wants_it(holdfast: Run, arguments: list[str]) -> None:
    assert holdfast(*arguments)[2].startswith("holdfast: no session named 'nosuch'\n")


def test_a_folder_that_is_none_is_wrong_usage(holdfast: Run) -> None:
    assert holdfast("new", "work", "--cwd", "/nowhere") == (2, "", "holdfast: /nowhere is not a folder\n")


def test_a_program_that_is_not_there_is_wrong_usage(holdfast: Run, tmp_path: Path) -> None:
    for arguments in (["nosuch.py"], ["-i", "nosuch.py"], ["run", "nosuch.py"], ["run", "nosuch.ipynb"]):
        assert holdfast(*arguments) == (2, "", f"holdfast: can't open {arguments[-1]!r}: no such file\n")
    locked = tmp_path / "locked"
    locked.symlink_to("locked")
    assert holdfast(str(locked))[0] == 2


def test_a_notebook_is_run_by_its_own_command(holdfast: Run, tmp_path: Path) -> None:
    notebook = tmp_path / "x.ipynb"
    notebook.touch()
    assert holdfast(str(notebook))[2].endswith(f"\ntry: holdfast run {notebook}\n")


def test_without_sessions_the_list_says_how_to_start_one(holdfast: Run) -> None:
    assert holdfast("ls") == (0, "", "no sessions. start one: holdfast\n")
    assert holdfast("ls", "--json") == (0, "[]\n", "")
    assert holdfast("ls", "-q") == (0, "", "")
    assert holdfast("stop", "--all") == (0, "", "no session is running\n")


def test_a_session_whose_journal_can_not_be_read_is_still_listed(home: Path, holdfast: Run) -> None:
    (home / "state" / "sessions" / "work").mkdir(parents=True)
    status, out, err = holdfast("ls")
    assert (status, err) == (0, "")
    assert "work  can't be read" in out
    status, out, _ = holdfast("info", "work")
    assert "trouble:" in out


def test_where_there_is_no_session_at_all_a_first_one_is_offered(holdfast: Run) -> None:
    for command in ("attach", "log", "undo"):
        assert holdfast(command) == (1, "", "holdfast: there are no sessions\ntry: holdfast\n")


def test_help_on_what_is_no_command_says_so(holdfast: Run) -> None:
    assert holdfast("help", "atach") == (
        2,
        "",
        "holdfast: there is no command 'atach'\ntry: holdfast attach\n",
    )
    assert holdfast("helo")[2].endswith("\ntry: holdfast help\n")


def test_what_is_no_folder_is_no_session(home: Path, holdfast: Run) -> None:
    (home / "state" / "sessions").mkdir(parents=True)
    (home / "state" / "sessions" / "stray").touch()
    assert holdfast("ls", "-q") == (0, "", "")


def test_a_home_that_is_no_folder_is_told_of(
    home: Path, holdfast: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").touch()
    monkeypatch.setenv("HOLDFAST_HOME", str(home / "file"))
    status, out, err = holdfast("ls")
    assert (status, out) == (1, "")
    assert err.endswith(": Not a directory\ntry: check HOLDFAST_HOME\n")


@pytest.mark.parametrize("arguments", [["new", "work"], ["new"], ["attach", "kept"]])
def test_a_console_without_a_terminal_is_refused_before_it_costs_a_session(
    home: Path, arguments: list[str]
) -> None:
    (home / "state" / "sessions" / "kept").mkdir(parents=True)
    refused = subprocess.run(
        [sys.executable, "-m", "holdfast", *arguments],
        env=environment(home, ""),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert refused.stderr.startswith("holdfast: a console needs a terminal to read from\ntry: holdfast ")
    assert [path.name for path in (home / "state" / "sessions").iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("command", "status", "err"),
    [
        ("ls --json >&-", 0, ""),
        ("--help >&-", 0, ""),
        ("nosuch 2>&-", 2, ""),
        ("ls --json >/dev/full", 1, "can't write the output: No space left on device\ntry: holdfast info\n"),
        ("rm -y nosuch <&-", 1, "no session named 'nosuch'\ntry: holdfast ls\n"),
    ],
)
def test_streams_that_are_closed_or_full_are_no_mistake_of_ours(
    home: Path, command: str, status: int, err: str
) -> None:
    done = subprocess.run(
        f"{sys.executable} -m holdfast {command}",
        shell=True,
        env=environment(home, ""),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (status, "", err and f"holdfast: {err}")


def test_a_mistake_of_ours_is_two_lines_too(holdfast: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "text", "not a command at all")
    status, _, err = holdfast("text")
    assert status == 1
    assert err.startswith("holdfast: internal error: ModuleNotFoundError: ")
    monkeypatch.setenv("HOLDFAST_TRACEBACK", "1")
    with pytest.raises(ModuleNotFoundError):
        holdfast("text")


def run_apart(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "holdfast", *arguments],
        env=environment(home, "none"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_reader_that_goes_away_is_no_error_message(home: Path) -> None:
    with run_apart(home, "--help") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode in (0, 1)


def test_quick_commands_load_nothing_heavy(home: Path) -> None:
    code = (
        "import sys; from holdfast.cli.main import main; main(sys.argv[1:]);"
        "heavy = {'zmq', 'msgspec', 'sqlite3', 'prompt_toolkit', 'asyncio', 'IPython'} & set(sys.modules);"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    for command in (["--version"], ["ls"], ["--help"], ["__complete", "stop", ""], ["completion", "bash"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *command],
            env=environment(home, "none"),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
