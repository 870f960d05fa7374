"""`holdfast FILE`, `-c`, `-m` and piped input do what python does: output, errors, exit status, signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import termios
import zipfile

import pexpect
import pytest

from kit.deadline import Deadline
from kit.gate import Gate
from kit.processes import wait_for_end
from kit.shell import SECONDS, Shell

_ADDRESS = re.compile(r"at 0x[0-9a-f]+")

Done = subprocess.CompletedProcess[str]


PROGRAMS = {
    "output": "import sys\nprint(6 * 7)\nprint('oops', file=sys.stderr)\nsys.stdout.write('no newline')",
    "a last expression is not shown": "6 * 7",
    "main": "print(__name__)\ndef f(): return x\nx = 5\nprint(f(), [x for _ in 'ab'])",
    "exit with a number": "import sys\nsys.exit(3)",
    "exit with a message": "import sys\nprint('out')\nsys.exit('bye')",
    "exit with nothing": "import sys\nsys.exit()",
    "exit with a negative number": "import sys\nsys.exit(-1)",
    "exit with a large number": "raise SystemExit(1000)",
    "exit with a truth": "raise SystemExit(True)",
    "exit with a list": "raise SystemExit([1, 2])",
    "exit with a message that is almost a number": "import sys\nsys.exit('--1')",
    "exit in an exception handler": "try: 1/0\nexcept ZeroDivisionError: raise SystemExit(4)",
    "the builtin exit stops at once": "exit(4)\nprint('not reached')",
    "the process ends itself": "import os\nprint('said', flush=True)\nos._exit(7)",
    "text from C": "import os\nprint('a', flush=True)\nos.write(1, b'raw\\n')\nprint('b')",
    "a subprocess": "import subprocess\nprint('a', flush=True)\nsubprocess.run(['echo', 'b'])\nprint('c')",
    "a subprocess sees our environment": (
        "import subprocess\nsubprocess.run('echo $PAGER $FORCE_COLOR $MPLBACKEND $TERM', shell=True)"
    ),
    "a thread is waited for": "import threading\nt = threading.Timer(0.1, print, ['late'])\nt.start()",
    "a thread that fails": "import threading\nthreading.Thread(target=lambda: 1 / 0, name='T').start()",
    "an idle pool of threads is no reason to wait": (
        "from concurrent.futures import ThreadPoolExecutor\nprint(list(ThreadPoolExecutor(2).map(str, 'ab')))"
    ),
    "exit handlers": (
        "import atexit, sys\natexit.register(print, 'first')\n"
        "atexit.register(lambda: print('last', file=sys.stderr))\nprint('main')"
    ),
    "an exit handler that fails": "import atexit\natexit.register(lambda: 1 / 0)",
    "exit handlers after an exception": "import atexit\natexit.register(print, 'bye')\nraise SystemExit(3)",
    "an exception": "def f(n):\n    return 1 / n\n\nprint('before')\nf(0)\n",
    "an exception of a chain": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('no') from e",
    "an exception during an exception": "try:\n    {}['a']\nexcept KeyError:\n    1 / 0",
    "an exception group": "raise ExceptionGroup('some', [ValueError(1), KeyError(2)])",
    "a note": "e = ValueError('no')\ne.add_note('think')\nraise e",
    "an exception in a library": "import json\njson.loads('{')",
    "a hook for exceptions": (
        "import sys\nsys.excepthook = lambda kind, error, trace: print('hooked', kind.__name__, error)\n1 / 0"
    ),
    "a hook that fails": "import sys\nsys.excepthook = None\n1 / 0",
    "an interrupt of its own": "raise KeyboardInterrupt",
    "a syntax error": "print('not reached')\ndef f(:\n",
    "indentation": "if True:\nprint(1)",
    "a runaway recursion": "def f(): f()\ntry: f()\nexcept RecursionError as e: print(e)",
    "future": "'doc'\nfrom __future__ import annotations\nx: nonsense = 1\nprint(__annotations__, __doc__)",
    "no doc": "print(__doc__, __package__, __spec__)",
    "windows newlines": "if True:\r\n    print('crlf')\r\n",
    "what there is": "print(sorted(globals()))",
    "no IPython": "try: get_ipython\nexcept NameError as e: print(e)\nimport sys; print(hasattr(sys, 'ps1'))",
    "the path": "import sys\nprint(sys.path)",
    "streams": (
        "import sys\nfor each in (sys.stdin, sys.stdout, sys.stderr):\n"
        "    print(each, each.isatty(), each.fileno(), each.errors, each.newlines)"
    ),
    "asyncio": (
        "import asyncio\nasync def main():\n    await asyncio.sleep(0)\n    print(1)\nasyncio.run(main())"
    ),
    "asyncio of old": (
        "import asyncio\nloop = asyncio.get_event_loop()\nprint(loop.run_until_complete(asyncio.sleep(0, 5)))"
    ),
    "asyncio fails": "import asyncio\nasync def main(): 1 / 0\nasyncio.run(main())",
    "a fork": (
        "import os, sys\npid = os.fork()\nif not pid:\n    print('child', flush=True)\n    sys.exit(3)\n"
        "print(os.waitpid(pid, 0)[1] >> 8)"
    ),
    "a pool of processes": (
        "from multiprocessing import Pool\ndef f(n): return n * n\n"
        "if __name__ == '__main__':\n    with Pool(2) as pool: print(pool.map(f, range(4)))"
    ),
    "processes that begin anew": (
        "import multiprocessing\ndef f(n): return n * n\nif __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(f, range(4)))"
    ),
    "a debugger": "x = 5\nbreakpoint()\nprint(x)",
    "a warning": "import warnings\nwarnings.warn('careful')",
    "an old way": "import warnings\nwarnings.warn('old', DeprecationWarning)",
    "logging": "import logging\nlogging.warning('careful')",
    "text that is no text": "print('\\udcff'.encode('utf-8', 'surrogateescape'))",
    "stdout closed": "import sys\nprint('a')\nsys.stdout.close()",
    "nothing": "",
    "only a comment": "# nothing\n",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_a_file_does_what_it_does_under_python(shell: Shell, program: str) -> None:
    (shell.work / "x.py").write_text(program, newline="")
    _is_pythons(shell.run("x.py"), shell.python("x.py"))


SOME = (
    "output",
    "exit with a message",
    "an exception",
    "a syntax error",
    "windows newlines",
    "the path",
    "nothing",
)


@pytest.mark.parametrize("name", SOME)
def test_piped_programs_do_what_python_does(shell: Shell, name: str) -> None:
    _is_pythons(shell.run(piped=PROGRAMS[name]), shell.python(piped=PROGRAMS[name]))


@pytest.mark.parametrize("name", SOME)
def test_code_on_the_command_line_does_what_python_does(shell: Shell, name: str) -> None:
    _is_pythons(shell.run("-c", PROGRAMS[name]), shell.python("-c", PROGRAMS[name]))


def _is_pythons(ours: Done, pythons: Done) -> None:
    assert _ADDRESS.sub("at", ours.stdout) == _ADDRESS.sub("at", pythons.stdout)
    assert _ADDRESS.sub("at", ours.stderr) == _ADDRESS.sub("at", pythons.stderr)
    assert ours.returncode == pythons.returncode


def test_a_program_finds_its_arguments_its_file_and_its_neighbours(shell: Shell) -> None:
    (shell.work / "sub").mkdir()
    (shell.work / "sub" / "neighbour.py").write_text("print('here', __name__)")
    code = "import sys, neighbour; print(sys.argv, __file__, sys.path[0], __loader__, __cached__)"
    (shell.work / "sub" / "x.py").write_text(code)
    (shell.work / "link.py").symlink_to("sub/x.py")
    for line in (
        ["sub/x.py", "a", "-i", "--json"],
        ["./sub/x.py"],
        ["link.py"],
        [str(shell.work / "link.py")],
    ):
        _is_pythons(shell.run(*line), shell.python(*line))


@pytest.mark.parametrize("line", [["-c", "import sys; print(sys.argv)", "a", "-b"], ["-", "a"]])
def test_code_finds_its_arguments(shell: Shell, line: list[str]) -> None:
    code = "import sys; print(sys.argv, sys.path[0])"
    _is_pythons(shell.run(*line, piped=code), shell.python(*line, piped=code))


def test_modules_packages_folders_and_archives_run_as_with_python(shell: Shell) -> None:
    code = "import sys\nprint(sys.argv, __name__, __package__, __file__, sys.path[0])\nsys.exit(3)"
    (shell.work / "mod.py").write_text(code)
    (shell.work / "pack").mkdir()
    (shell.work / "pack" / "__init__.py").touch()
    (shell.work / "pack" / "__main__.py").write_text(code)
    (shell.work / "empty").mkdir()
    with zipfile.ZipFile(shell.work / "app.pyz", "w") as archive:
        archive.write(shell.work / "mod.py", "__main__.py")
    for line in (
        ["-m", "mod", "a"],
        ["-m", "pack", "-x"],
        ["pack"],
        ["app.pyz", "a"],
        ["-m", "nosuch"],
        ["empty"],
    ):
        _is_pythons(shell.run(*line), shell.python(*line))


def test_a_program_reads_what_is_piped_to_it_and_leaves_the_rest(shell: Shell) -> None:
    code = (
        "import sys\nprint(input('name? '))\nprint(sys.stdin.readline())\nprint(sys.stdin.buffer.read(2))\n"
        "for line in sys.stdin: print(line)\ninput()"
    )
    (shell.work / "x.py").write_text(code)
    piped = "ana\nsecond\nxy third\nfourth\n"
    _is_pythons(shell.run("x.py", piped=piped), shell.python("x.py", piped=piped))


def test_a_program_on_a_terminal_has_the_terminal(shell: Shell) -> None:
    code = (
        "import sys, os, getpass\nprint([each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)])\n"
        "print('hi', input('name? '))\nprint(os.get_terminal_size().columns)\n"
        "print('secret', getpass.getpass())\nprint(sys.stdin.read())"
    )
    (shell.work / "x.py").write_text(code)
    with shell.terminal("x.py") as terminal:
        terminal.setwinsize(24, 77)
        terminal.expect_exact("[True, True, True]")
        terminal.expect_exact("name? ")
        terminal.sendline("ana")
        terminal.expect_exact("hi ana\r\n77\r\n")
        terminal.expect_exact("Password: ")
        terminal.sendline("xyzzy")
        terminal.expect_exact("secret xyzzy")
        terminal.sendline("rest")
        terminal.sendeof()
        terminal.expect("rest\r\nrest\r\n")
        terminal.wait()
    assert terminal.exitstatus == 0


def test_a_crash_leaves_the_terminal_as_it_was(shell: Shell) -> None:
    with shell.terminal("-c", "import os, tty; tty.setraw(0); os.abort()") as terminal:
        before = termios.tcgetattr(terminal.child_fd)
        terminal.expect_exact("the Python process died: aborted")
        terminal.expect(pexpect.EOF)
        assert termios.tcgetattr(terminal.child_fd) == before
        terminal.wait()
    assert terminal.exitstatus == 128 + signal.SIGABRT


def test_a_program_leaves_no_session_behind(shell: Shell) -> None:
    shell.good("-c", "print(1)")
    assert shell.run("-c", "1 / 0").returncode == 1
    assert shell.good("ls", "--json") == "[]\n"
    assert list((shell.home / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("%timeit -n1 -r1 pass", "per loop"),
        ("x = !echo a\nprint(x)", "['a']\n"),
        ("import asyncio\nawait asyncio.sleep(0)\nprint(6 * 7)", "42\n"),
    ],
)
def test_what_only_ipython_understands_runs_as_in_a_cell(shell: Shell, code: str, said: str) -> None:
    assert said in shell.good("-c", code)
    failed = shell.run("-c", code + "\n1 / 0")
    assert (failed.returncode, failed.stderr.split("\n")[-2]) == (1, "ZeroDivisionError: division by zero")


def test_a_missing_file_is_told_as_python_tells_it(shell: Shell) -> None:
    done = shell.run("nosuch.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "holdfast: can't open 'nosuch.py': no such file\n"


def test_a_command_wins_over_a_file_of_its_name(shell: Shell) -> None:
    (shell.work / "ls").write_text("print('the file')")
    assert "no sessions" in shell.run("ls").stderr
    assert shell.good("./ls") == "the file\n"
    assert shell.good("--", "ls") == "the file\n"


def test_a_crash_is_128_and_the_signal_and_what_was_said_before_is_kept(shell: Shell) -> None:
    code = "print('before')\ndef f():\n    import ctypes; ctypes.string_at(0)\nf()"
    (shell.work / "x.py").write_text(code)
    done = shell.run("x.py")
    assert (done.returncode, done.stdout) == (128 + signal.SIGSEGV, "before\n")
    head, where, *frames = done.stderr.splitlines()
    assert head == "holdfast: the Python process died: segmentation fault (signal 11, SIGSEGV)"
    assert where == "it was here (most recent call last):"
    assert frames[0].strip() == f'File "{shell.work}/x.py", line 4'
    assert "holdfast/worker" not in done.stderr


def test_a_program_that_is_not_text_is_refused(shell: Shell) -> None:
    with shell.start() as process:
        assert process.stdin is not None
        process.stdin.buffer.write(b"print('\xff')\n")
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert err.startswith("holdfast: can't read the program on standard input: ")


@pytest.mark.parametrize("catches", [True, False])
def test_ctrl_c_interrupts_the_program_as_it_would_python(shell: Shell, catches: bool) -> None:
    gate = Gate(shell.home / "gate")
    caught = "KeyboardInterrupt" if catches else "ZeroDivisionError"
    code = f"try:\n  print('running', flush=True)\n  {gate.wait}\nexcept {caught}: print('caught')"
    with shell.start("-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    if catches:
        assert (process.returncode, out) == (0, "caught\n")
    else:
        assert (process.returncode, err[-18:]) == (-signal.SIGINT, "KeyboardInterrupt\n")  # a shell's 130


def test_ctrl_c_again_and_again_is_an_interrupt_each_time(shell: Shell) -> None:
    code = (
        "import select\n"  # a signal right before a pause(2) would be waited for for ever, by python, too
        "for n in range(5):\n    try:\n        print(n, flush=True)\n"
        "        while True: select.select([], [], [], 0.05)\n"
        "    except KeyboardInterrupt: pass\nprint('end')"
    )
    with shell.start("-c", code) as process:
        assert process.stdout is not None
        for number in range(5):
            assert process.stdout.readline() == f"{number}\n"
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (0, "end\n", "")


def test_asyncio_programs_are_interrupted_as_under_python(shell: Shell) -> None:
    code = (
        "import asyncio\nasync def main():\n    try:\n        print('running', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "    finally: print('cleaned up')\nasyncio.run(main())"
    )
    with shell.start("-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err[-18:]) == (-signal.SIGINT, "cleaned up\n", "KeyboardInterrupt\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_is_ended_ends_its_session(shell: Shell, number: signal.Signals) -> None:
    gate = Gate(shell.home / "gate")
    with shell.start("-c", f"print('running', flush=True); {gate.wait}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (-number, "")
    assert shell.good("ls", "--json") == "[]\n"


def test_a_program_hears_the_signals_it_listens_to(shell: Shell) -> None:
    code = (
        "import os, select, signal, sys\n"
        "def ended(number, frame):\n    os.write(1, b'heard %d\\n' % number)\n    sys.exit(5)\n"
        "signal.signal(signal.SIGTERM, ended)\nprint('running', flush=True)\n"
        "while True: select.select([], [], [], 0.05)"  # not pause(2), see above
    )
    with shell.start("-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out, err) == (5, "heard 15\n", "")


def test_a_program_that_is_killed_does_not_leave_its_session_running(shell: Shell) -> None:
    (shell.home / "config").mkdir()
    (shell.home / "config" / "settings.toml").write_text("[life]\nlauncher_grace_seconds = 0.1\n")
    gate = Gate(shell.home / "gate")
    with shell.start("-c", f"print('running', flush=True); {gate.wait}") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        (session,) = json.loads(shell.good("ls", "--json"))
        process.kill()
    assert wait_for_end(session["pid"], Deadline(SECONDS))


def test_a_program_whose_supervisor_is_killed_runs_to_its_end(shell: Shell) -> None:
    (shell.home / "config").mkdir()
    (shell.home / "config" / "settings.toml").write_text("[life]\nlauncher_grace_seconds = 1.0\n")
    gate = Gate(shell.home / "gate")
    outlive = f"{gate.wait}; time.sleep(2.5)"  # the grace, and only once there is a successor to wait for it
    code = f"import time; print('running', flush=True); {outlive}; print('end'); raise SystemExit(3)"
    with shell.start("-c", code) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "running\n"
        (session,) = json.loads(shell.good("ls", "--json"))
        os.kill(session["pid"], signal.SIGKILL)
        gate.open()
        out, _ = process.communicate(timeout=SECONDS)
    assert (out, process.returncode) == ("end\n", 3)
    assert shell.good("ls", "--json") == "[]\n"


def test_a_program_whose_reader_goes_away_ends(shell: Shell) -> None:
    with shell.start("-c", "while True: print('y')") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "y\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read().endswith("BrokenPipeError: [Errno 32] Broken pipe\n")
        process.wait(timeout=SECONDS)
    assert process.returncode in (1, 120)
