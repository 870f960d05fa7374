"""`holdfast run` on files of cells: what fails is undone, what has run is not run again, outputs are kept."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from holdfast.supervisor.clients.account import LOG_BYTES
from kit.gate import Gate
from kit.kernel import environment
from kit.shell import SECONDS, Shell
from kit.terminal import CTRL_C, Terminal

BIG = 1_000_000
"""Characters that the journal keeps of one cell."""

PATIENCE = "2"
"""Seconds for each cell. Those before the one that takes too long need a hundredth, unless others work."""

SCRIPT = """\
# %% Load
rows = [1, 2, 3]
print("loaded", len(rows))

# %% [markdown]
# Words

# %%
total = sum(rows)
total

# %% Change
rows.append(99)
{middle}

# %% Last
print("rows", rows, total)
"""


class File:
    """A file of cells in the shell's folder."""

    def __init__(self, shell: Shell, text: str, name: str = "analysis.py") -> None:
        self.shell = shell
        self.path = shell.work / name
        self.write(text)

    def write(self, text: str) -> None:
        self.path.write_text(text)

    def run(self, *options: str) -> CompletedProcess[str]:
        return self.shell.run("run", *options, self.path.name)

    def value(self, code: str, session: str = "analysis") -> str:
        """What a client of the session sees of an expression."""
        with self.shell.client(session) as client:
            run = client.execute("", silent=True, user_expressions={"x": code})
            found = run.reply().content["user_expressions"]["x"]
            return str(found["data"]["text/plain"] if found["status"] == "ok" else found["ename"])


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["cells"]
    return found


def words(cell: dict[str, Any]) -> str:
    """All text of a cell's outputs."""
    texts = [
        each.get("text") or each.get("data", {}).get("text/plain") or [each.get("ename")]
        for each in cell["outputs"]
    ]
    return "".join("".join(text) for text in texts)


def notebook(*codes: str, **more: Any) -> str:
    made = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"c{number}",
            "metadata": {},
            "outputs": [],
            "source": code,
        }
        for number, code in enumerate(codes)
    ]
    return (
        json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5} | more, indent=1)
        + "\n"
    )


# Failing and going on


def test_all_cells_run_in_a_session_with_the_files_name_that_goes_on(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle=""))
    done = file.run()
    assert (done.returncode, done.stdout) == (0, "loaded 3\nOut[2]: 6\nrows [1, 2, 3, 99] 6\n"), done.stderr
    assert done.stderr.splitlines() == [
        "[1/4] Load",
        "[2/4] total = sum(rows)",
        "[3/4] Change",
        "[4/4] Last",
        done.stderr.splitlines()[-1],
    ]
    assert done.stderr.endswith("; analysis goes on: holdfast attach analysis\n")
    assert file.value("rows") == "[1, 2, 3, 99]"
    assert str(shell.info("analysis")["cwd"]) == str(shell.work)


def test_after_a_crash_the_mended_file_goes_on_where_it_stopped(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle="import os; os.abort()"))
    crashed = file.run()
    assert (crashed.returncode, crashed.stdout) == (128 + signal.SIGABRT, "loaded 3\nOut[2]: 6\n")
    assert "[3/4] Change  ended the interpreter after" in crashed.stderr
    assert "analysis is as before cell 3" in crashed.stderr
    assert "try: holdfast run --resume analysis.py " in crashed.stderr
    assert file.value("rows, total") == "([1, 2, 3], 6)"
    file.write(SCRIPT.format(middle="rows.append(4)"))
    done = file.run("--resume")
    assert (done.returncode, done.stdout) == (0, "rows [1, 2, 3, 99, 4] 6\n")
    assert "cells 1-2 have run and are unchanged: begins with cell 3 of 4" in done.stderr
    again = file.run("--resume")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr == "nothing to do: all 4 cells have run and are unchanged\n"


def test_half_of_a_cell_that_raises_is_undone(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle="1 / 0"))
    failed = file.run()
    assert failed.returncode == 1
    assert "[3/4] Change  failed after" in failed.stderr
    assert ": ZeroDivisionError: division by zero\n" in failed.stderr
    assert "----> 2 1 / 0" in failed.stderr
    assert "with every variable as after In[2]" in failed.stderr
    assert file.value("rows") == "[1, 2, 3]"
    assert file.run("--resume").returncode == 1
    assert file.value("rows") == "[1, 2, 3]"


def test_a_changed_cell_runs_again_in_the_state_from_before_it(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle=""))
    assert file.run().returncode == 0
    file.write(SCRIPT.format(middle="").replace("sum(rows)", "max(rows)"))
    done = file.run("--resume")
    assert (done.returncode, done.stdout) == (0, "Out[5]: 3\nrows [1, 2, 3, 99] 3\n")
    assert "cell 2 is new or changed. Going back to the state after In[1]" in done.stderr


def test_what_somebody_has_run_at_a_prompt_counts_and_is_kept(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle="rows.append(need)"))
    assert file.run().returncode == 1
    with shell.client("analysis") as client:
        client.execute("need = 5").reply()
    done = file.run("--resume")
    assert (done.returncode, done.stdout) == (0, "rows [1, 2, 3, 99, 5] 6\n")
    file.write(SCRIPT.format(middle="rows.append(need)") + "\n# %%\nextra = 1\n")
    with shell.client("analysis") as client:
        client.execute("extra = 1").reply()
    assert "nothing to do" in file.run("--resume").stderr


def test_a_second_run_that_failed_goes_on_and_not_the_first_that_did_not(shell: Shell) -> None:
    bad = shell.work / "bad"
    file = File(
        shell,
        "# %%\nn = globals().get('n', 0) + 1\n"
        f"# %%\nimport os\nassert not os.path.exists({str(bad)!r})\nprint(n)\n",
    )
    assert file.run().stdout == "1\n"
    bad.touch()
    assert file.run().returncode == 1
    bad.unlink()
    done = file.run("--resume")
    assert (done.returncode, done.stdout) == (0, "2\n")
    assert "cell 1 has run and is unchanged: begins with cell 2 of 2" in done.stderr


def test_a_state_that_is_not_kept_any_more_is_refused_with_a_way_out(shell: Shell) -> None:
    (shell.home / "config").mkdir(mode=0o700)
    (shell.home / "config" / "settings.toml").write_text(
        "[standby]\nkeep = 2\n[checkpoint]\nenabled = false\n"
    )
    codes = [f"a{number} = {number}" for number in range(6)]
    file = File(shell, "".join(f"# %%\n{code}\n" for code in codes))
    assert file.run().returncode == 0
    file.write(file.path.read_text().replace("a1 = 1", "a1 = 11"))
    refused = file.run("--resume")
    assert refused.returncode == 1
    assert "holdfast: cell 2 is new or changed, but analysis holds what In[2] to In[6] did" in refused.stderr
    assert "try: holdfast run --fresh analysis.py\n" in refused.stderr
    assert file.value("a1, a5") == "(1, 5)"
    assert file.run("--fresh").returncode == 0
    assert file.value("a1, a5") == "(11, 5)"


def test_without_resume_all_cells_run_again_and_it_is_said_on_top_of_what(shell: Shell) -> None:
    file = File(shell, "# %%\nn = globals().get('n', 0) + 1\n")
    assert file.run().returncode == 0
    assert "analysis holds what In[1] of an earlier run did" in file.run().stderr
    assert file.value("n") == "2"
    fresh = file.run("--fresh")
    assert (fresh.returncode, file.value("n")) == (0, "1"), fresh.stderr


def test_the_run_goes_on_from_disk_when_everything_was_killed(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle="1 / 0"))
    assert file.run().returncode == 1
    shell.good("stop", "analysis")
    file.write(SCRIPT.format(middle=""))
    done = file.run("--resume")
    assert (done.returncode, done.stdout) == (0, "rows [1, 2, 3, 99] 6\n"), done.stderr
    assert "Back from disk" in done.stderr
    assert "cells 1-2 have run and are unchanged" in done.stderr


def test_what_did_not_come_back_is_named_where_its_cell_is_skipped(shell: Shell) -> None:
    file = File(shell, "# %%\ngen = iter(x for x in 'ab')\n# %%\nassert 0\n")
    assert file.run().returncode == 1
    shell.good("stop", "analysis")
    shell.good("run", "-s", "analysis", "-c", "1")
    file.write("# %%\ngen = iter(x for x in 'ab')\n# %%\n2\n")
    skipped = file.run("--resume").stderr
    assert "cell 1 has run and is unchanged: begins with cell 2 of 2\n" in skipped
    assert "\nbut these did not come back with analysis: gen (a generator)\n" in skipped
    shell.good("run", "-s", "analysis", "-c", "gen = 1")
    assert "did not come back" not in file.run("--resume").stderr


def test_a_cell_that_takes_too_long_is_interrupted_and_undone(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    file = File(shell, SCRIPT.format(middle=gate.wait))
    done = file.run("--timeout", PATIENCE)
    assert done.returncode == 124
    assert "[3/4] Change  stopped after" in done.stderr
    assert f"try: holdfast run --resume --timeout {PATIENCE} analysis.py " in done.stderr
    assert file.value("rows") == "[1, 2, 3]"


def test_a_cell_that_never_stops_talking_takes_too_long_too(shell: Shell) -> None:
    file = File(shell, "# %%\nwhile True:\n    print('and', flush=True)\n")
    done = file.run("--timeout", "0.5")
    assert done.returncode == 124
    assert "stopped after" in done.stderr


def test_a_cell_that_heeds_no_interrupt_is_stopped_by_force(shell: Shell) -> None:
    stubborn = (
        "import signal, threading\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nthreading.Event().wait()"
    )
    file = File(shell, SCRIPT.format(middle=stubborn))
    done = file.run("--timeout", PATIENCE)
    assert done.returncode == 124
    assert "analysis is as before cell 3" in done.stderr
    assert file.value("rows") == "[1, 2, 3]"


def test_ctrl_c_ends_the_cell_and_the_run(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    file = File(
        shell, f"# %%\nx = 1\n# %%\nx = 2\nprint('at the gate', flush=True)\n{gate.wait}\n# %%\nx = 3\n"
    )
    with shell.start("run", file.path.name) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at the gate\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "[2/3] x = 2  interrupted after" in err
    assert file.value("x") == "1"


def test_a_run_that_is_killed_goes_on_after_the_cell_that_ran_then(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    file = File(
        shell, notebook(f"print('at the gate', flush=True)\n{gate.wait}\nx = 1", "x += 1\nx"), "a.ipynb"
    )
    with shell.start("run", file.path.name) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at the gate\n"
        process.kill()
    with shell.start("run", "--resume", file.path.name) as process:
        assert process.stderr is not None
        assert (
            process.stderr.readline()
            == "waiting for In[1], which run a.ipynb runs   (holdfast interrupt a ends it)\n"
        )
        gate.open()
        out, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (0, "Out[2]: 2\n"), err
    assert [words(cell) for cell in cells(file.path)] == ["at the gate\n", "2"]
    assert [cell["execution_count"] for cell in cells(file.path)] == [1, 2]


def test_a_cell_may_end_the_run_before_its_last_cell(shell: Shell) -> None:
    for code, status in (("import sys; sys.exit()", 0), ("sys.exit(3)", 3), ("exit", 0)):
        file = File(shell, f"# %%\nimport sys\nx = 1\n# %% Leave\n{code}\n# %%\nprint('not reached')\n")
        done = file.run("--fresh")
        assert (done.returncode, done.stdout) == (status, ""), done.stderr
        assert ("cell 2 has ended the run" in done.stderr) is not bool(status)
        assert file.value("x") == "1"


def test_a_question_is_asked_of_nobody_where_nobody_can_type(shell: Shell) -> None:
    done = File(shell, "# %%\ninput('name? ')\n").run()
    assert done.returncode == 1
    assert "StdinNotImplementedError" in done.stderr


# Sessions


def test_a_session_of_another_name_is_run_in(shell: Shell) -> None:
    shell.good("new", "-d", "work")
    with shell.client("work") as client:
        client.execute("base = 10").reply()
    file = File(shell, "# %%\nprint(base + 1)\n")
    assert file.run("-s", "work").stdout == "11\n"
    assert json.loads(shell.good("ls", "--json"))[0]["name"] == "work"


def test_a_session_that_only_happens_to_have_the_name_is_left_alone(shell: Shell) -> None:
    shell.good("new", "-d", "analysis")
    with shell.client("analysis") as client:
        client.execute("mine = 1").reply()
    file = File(shell, "# %%\nmine = 2\n")
    for options in ((), ("--resume",), ("--fresh",)):
        refused = file.run(*options)
        assert refused.returncode == 2
        assert f"try: holdfast run {''.join(f'{each} ' for each in options)}-s analysis " in refused.stderr
        assert file.value("mine") == "1"
    shell.good("stop", "analysis")
    assert file.run("--fresh").returncode == 2
    assert file.value("mine") == "1"
    shell.good("new", "-d", "other", "--cwd", "/")
    elsewhere = File(shell, "# %%\n1\n", "other.py").run()
    assert "holdfast: the session 'other' was started in /, not for this file" in elsewhere.stderr


def test_cells_of_others_are_waited_for_and_their_time_is_not_the_cells(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    first = Gate(shell.home / "first")
    shell.good("new", "-d", "work")
    File(shell, f"# %%\nprint('begun', flush=True)\n{first.wait}\n# %%\nprint('mine')\n")
    with (
        shell.client("work") as client,
        shell.start("run", "-s", "work", "--timeout", "20", "analysis.py") as run,
    ):
        assert run.stdout is not None
        assert run.stderr is not None
        assert run.stdout.readline() == "begun\n"
        theirs = client.execute(gate.wait)
        client.request("kernel_info_request")  # what it sent before has arrived, too: it is the next
        first.open()
        lines = [run.stderr.readline() for _ in range(3)]
        ends = "   (holdfast interrupt work ends it)\n"
        assert lines[1:] == ["[2/2] print('mine')\n", f"waiting for In[2], which ana runs{ends}"]
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=SECONDS)
        assert run.returncode == 130
        assert err.startswith("cell 2 ")
        gate.open()
        assert theirs.reply().content["status"] == "ok"


def test_a_session_that_is_brought_back_is_in_the_files_folder(shell: Shell) -> None:
    file = File(shell, "# %%\nimport os\nprint(os.getcwd())\n")
    for options in ((), (), ("--fresh",)):
        done = shell.run("run", *options, str(file.path))
        assert done.stdout == f"{file.path.parent}\n", done.stderr
        shell.good("stop", "analysis")
        shell.work = shell.home  # from there it is run next


def test_others_see_who_runs_the_cells(shell: Shell) -> None:
    File(shell, "# %%\nx = 1\n").run()
    assert "# run analysis.py, " in shell.good("log", "analysis")


# Notebooks


def test_a_notebook_gets_its_outputs_and_stays_as_it_was_otherwise(shell: Shell) -> None:
    more = {"metadata": {"zebra": [1.5, {"b": None, "a": "ü"}], "kernelspec": {"name": "other"}}}
    file = File(
        shell, notebook("print('a')\n6 * 7", "%%bash\necho shell", "1 / 0", "never", **more), "n.ipynb"
    )
    before = json.loads(file.path.read_text())
    assert file.run().returncode == 1
    after = json.loads(file.path.read_text())
    assert [words(cell) for cell in after["cells"]] == ["a\n42", "shell\n", "ZeroDivisionError", ""]
    assert [cell["execution_count"] for cell in after["cells"]] == [1, 2, 3, None]
    for cell in after["cells"]:
        cell |= {"outputs": [], "execution_count": None}
    assert after == before
    assert list(after) == list(before)


def test_another_notebook_is_written_with_the_outputs_also_of_what_was_skipped(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle="1 / 0"))
    assert file.run("--output", "out.ipynb").returncode == 1
    out = shell.work / "out.ipynb"
    assert [cell["cell_type"] for cell in cells(out)] == ["code", "markdown", "code", "code", "code"]
    assert words(cells(out)[3]) == "ZeroDivisionError"
    file.write(SCRIPT.format(middle=""))
    assert file.run("--resume", "--output", "out.ipynb").returncode == 0
    assert [words(cell) for cell in cells(out) if cell["cell_type"] == "code"] == [
        "loaded 3\n",
        "6",
        "",
        "rows [1, 2, 3, 99] 6\n",
    ]
    assert SCRIPT.format(middle="") == file.path.read_text()


def test_outputs_of_skipped_cells_are_had_from_a_log_of_many_answers(shell: Shell) -> None:
    many = LOG_BYTES // BIG + 2
    script = "".join(f"# %%\nprint({number}, 'x' * {BIG})\n" for number in range(many))
    file = File(shell, script)
    assert file.run().returncode == 0
    assert file.run("--resume", "--output", "out.ipynb").returncode == 0
    shown = [words(cell).split() for cell in cells(shell.work / "out.ipynb")]
    assert [(number, len(text)) for number, text in shown] == [(str(number), BIG) for number in range(many)]


def test_outputs_of_another_time_are_not_taken_for_those_of_a_skipped_cell(shell: Shell) -> None:
    file = File(shell, notebook("print('now')", "1 / 0"), "n.ipynb")
    assert file.run().returncode == 1
    killed_before_it_was_written = file.path.read_text().replace('"now', '"another time')
    file.write(killed_before_it_was_written.replace("1 / 0", "2"))
    assert file.run("--resume").returncode == 0
    assert [words(cell) for cell in cells(file.path)] == ["now\n", "2"]


def test_what_a_thread_says_later_is_kept_with_its_own_cell(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    start = f"import threading\nt = threading.Thread(target=lambda: ({gate.wait}, print('late')))\nt.start()"
    file = File(
        shell, notebook(start, f"open({str(shell.home / 'gate')!r}, 'w').close()\nt.join()"), "n.ipynb"
    )
    assert file.run().stdout == "late\n"
    assert [words(cell) for cell in cells(file.path)] == ["late\n", ""]


def test_nothing_runs_if_its_outputs_could_not_be_written(shell: Shell) -> None:
    file = File(shell, "# %%\nopen('ran', 'w').close()\n")
    refused = file.run("--output", "nowhere/out.ipynb")
    assert refused.returncode == 1
    assert refused.stderr.startswith("holdfast: can't write into ")
    assert "is no notebook's name" in file.run("--output", "analysis.py").stderr
    assert not (shell.work / "ran").exists()


def test_parameters_stand_in_for_the_defaults(shell: Shell) -> None:
    file = File(shell, '# %% tags=["parameters"]\nalpha = 1\nname = "x"\n# %%\nprint(alpha, name)\n')
    (shell.work / "p.toml").write_text('alpha = 2\nname = "of the file"\n')
    done = file.run("-p", "alpha", "0.5", "-f", "p.toml", "-p", "nmae", "y")
    assert done.stdout == "0.5 of the file\n"
    assert "nmae is not set in the cell tagged parameters" in done.stderr
    assert (
        "nothing to do"
        in file.run("--resume", "-f", "p.toml", "-p", "alpha", "0.5", "-p", "nmae", "y").stderr
    )
    assert file.run("--resume", "-p", "alpha", "7").stdout == "7 x\n"


def test_tags_of_nbclient_are_heeded(shell: Shell) -> None:
    text = (
        '# %% tags=["raises-exception"]\nx = 1\n1 / 0\n# %% tags=["skip-execution"]\nx = 2\n# %%\nprint(x)\n'
    )
    file = File(shell, text)
    done = file.run()
    assert (done.returncode, done.stdout) == (0, "1\n")
    assert "nothing to do" in file.run("--resume").stderr


def test_the_outcome_is_told_as_json_alone_on_stdout(shell: Shell) -> None:
    file = File(shell, SCRIPT.format(middle="1 / 0"))
    done = file.run("--json")
    told = json.loads(done.stdout)
    assert (told["session"], told["status"], told["exit_status"]) == ("analysis", "error", 1)
    assert [cell["status"] for cell in told["cells"]] == ["ok", "ok", "error", "not run"]
    assert told["cells"][2]["error"] == {"ename": "ZeroDivisionError", "evalue": "division by zero"}
    assert "loaded 3" in done.stderr
    again = json.loads(file.run("--json", "--resume").stdout)
    assert [cell["status"] for cell in again["cells"]] == ["skipped", "skipped", "error", "not run"]


def test_a_notebook_has_what_nbclient_writes(shell: Shell) -> None:
    client, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    codes = [
        "print('a'); print('b')",
        "import sys\nprint('c', file=sys.stderr)",
        "from IPython.display import HTML, clear_output, display\ndisplay(HTML('<b>\\n</b>'), {'x': 1})\n5",
        "handle = display('old', display_id='one')\nprint('between')",
        "handle.update('new')\nprint('gone')\nclear_output(wait=True)\nprint('stays')",
        "%timeit -n1 -r1 -o -q pass\n%pwd\nNone",
        "{}['key']",
    ]
    file = File(shell, notebook(*codes), "n.ipynb")
    theirs = nbformat.read(file.path, as_version=4)
    file.run()
    ours = nbformat.read(file.path, as_version=4)
    nbformat.validate(ours)
    client.NotebookClient(theirs, kernel_name="python3", allow_errors=True, record_timing=False).execute()
    for mine, other in zip(ours.cells, theirs.cells, strict=True):
        assert mine.execution_count == other.execution_count
        assert [_plain(each) for each in mine.outputs] == [_plain(each) for each in _joined(other.outputs)]


def _plain(output: Any) -> Any:
    if output["output_type"] == "error":
        return output["ename"], output["evalue"]
    return output


def _joined(outputs: list[Any]) -> list[Any]:
    """ipykernel's text comes in pieces, by timers of its own; nbclient leaves them as they are."""
    found: list[Any] = []
    for output in outputs:
        if output["output_type"] == "stream" and found and found[-1].get("name") == output["name"]:
            found[-1]["text"] += output["text"]
        else:
            found.append(output)
    return found


# In a terminal


def test_a_question_is_asked_in_the_terminal(shell: Shell) -> None:
    file = File(shell, "# %% Ask\nname = input('name? ')\nprint('hello', name)\n")
    command = [sys.executable, "-m", "holdfast", "run", str(file.path)]
    with Terminal(command, environment(shell.home, shell.mark)) as terminal:
        terminal.wait_for("name?", SECONDS)
        assert terminal.lines[-1].strip() == "name?"
        terminal.send("ana\r")
        assert terminal.wait_end(SECONDS) == 0
        assert terminal.lines[:2] == ["name? ana", "hello ana"]


def test_ctrl_c_for_the_third_time_stops_a_cell_that_does_not_listen(shell: Shell) -> None:
    stubborn = "import signal, threading\nsignal.signal(signal.SIGINT, lambda *_: print('no', flush=True))"
    wait = "threading.Event().wait()"
    file = File(shell, f"# %%\nx = 1\n# %% Stubborn\nx = 2\n{stubborn}\nprint('begun')\n{wait}\n")
    command = [sys.executable, "-m", "holdfast", "run", str(file.path)]
    with Terminal(command, environment(shell.home, shell.mark)) as terminal:
        terminal.wait_for("begun", SECONDS)
        for answer in ("no", "Ctrl-C again: stop the interpreter", ""):
            terminal.send(CTRL_C)
            terminal.wait_for(answer, SECONDS)
        assert terminal.wait_end(SECONDS) == 130
        assert any(line.startswith("[2/2] Stubborn  interrupted after") for line in terminal.lines)
        assert "analysis is as before cell 2" in terminal.text
    assert file.value("x") == "1"


def test_the_line_of_the_cell_that_runs_is_the_last_on_the_screen(shell: Shell) -> None:
    gate = Gate(shell.home / "gate")
    file = File(
        shell, f"# %% Quick\nprint('some words')\n# %% Slow\nprint('begun', flush=True)\n{gate.wait}\n"
    )
    env = environment(shell.home, shell.mark)
    command = [sys.executable, "-m", "holdfast", "run", str(file.path)]
    with Terminal(command, env) as terminal:
        shown = ["some words", "[1/2] Quick", "begun", "[2/2] Slow"]
        terminal.wait_until(
            lambda: [line.partition("  ")[0] for line in terminal.lines] == shown,
            "all that is shown",
            SECONDS,
        )
        terminal.wait_until(  # a busy machine may show no second of them
            lambda: re.fullmatch(r"\[2/2\] Slow  [1-9]\d*s", terminal.lines[-1]) is not None,
            "the seconds of a cell",
            SECONDS,
        )
        assert [line.partition("  ")[0] for line in terminal.lines] == shown
        gate.open()
        assert terminal.wait_end(SECONDS) == 0
        assert "Slow" in terminal.lines[-2]
        assert terminal.lines[-1].endswith("analysis goes on: holdfast attach analysis")
