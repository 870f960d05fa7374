"""The first ten minutes of somebody who knows ipython and tmux, and has read nothing: a transcript.

What each habit gets stands in docs/habits.md, a table a walk: kit/walk.py holds the two together.
"""

from __future__ import annotations

from holdfast import __version__
from kit.walk import sections, walk

X_PY = "answer = 42\nprint('from x', answer)\n"

IPYTHON = "From ipython, at the prompt"
PYTHON = "From ipython, on the command line"
TMUX = "From tmux"
ANYWHERE = "From anywhere"


def test_what_is_told_of_habits_is_what_is_walked_through() -> None:
    assert [*sections()] == [IPYTHON, PYTHON, TMUX, ANYWHERE]


def test_the_habits_of_ipython_at_the_prompt() -> None:
    with walk(IPYTHON, x=X_PY) as me:
        me.types("holdfast").sees("In [1]:")
        me.types("1 + 1").sees("Out[1]: 2")
        me.types("_ * 21").sees("Out[2]: 42")
        me.types("def f(x):\nreturn x + 1\n").sees("...:     return x + 1", "In [4]:")
        me.types("f(40)").sees("Out[4]: 41")
        me.at_prompt().presses("Up").sees("f(40)").answers("").sees("Out[5]: 41")
        me.at_prompt().presses("Ctrl-R", then="_ *").sees("_ * 21").answers("").answers("").sees(
            "Out[6]: 861"
        )
        me.types("import os").sees("In [8]:")
        me.begins("os.pa").habit("os.pa").presses("Tab").sees("pathsep").answers("thsep").sees("Out[8]: ':'")
        me.types("f?").sees("Signature:", "f(x)")

        me.types("%time f(1)").sees("Wall time", "Out[")
        me.types("%timeit -n 10 -r 3 f(1)").sees("3 runs, 10 loops each")
        me.types("%run x.py").sees("from x 42")
        me.types("!ls").sees("x.py")
        me.types("%who").sees("answer")

        me.types("1 / 0").sees("ZeroDivisionError: division by zero")
        me.types("%debug").sees("ipdb>").answers("q")
        loop = "print('round and', 'round'); exec('while True: pass')"
        me.types(loop).sees("round and round").presses("Ctrl-C").sees("KeyboardInterrupt")
        me.begins("half a line").presses("Ctrl-C").sees_no("half a line")
        me.pastes("for i in range(2):\n    print('pasted', i)\n").answers("").sees("pasted 0\npasted 1")
        me.types("%paste").sees("paste where you type")
        me.types("%cpaste").sees("paste where you type")

        me.types("input('name? ')").sees("\nname?").answers("ana").sees("'ana'")
        me.types("help(len)").sees("Return the number of items in a container.")
        me.types("import this").sees("The Zen of Python", "Namespaces are one honking great idea")
        me.types("print 1").sees("Missing parentheses in call to 'print'")
        me.types("%history").sees("1 + 1")
        me.types("%hist -n").sees("1: 1 + 1")

        me.types("exit").sees("ended ledger; its state is kept. back: holdfast attach ledger")
        me.types("holdfast").sees("In [1]:").types("quit()").sees("ended ledger-2; its state is kept.")
        me.types("holdfast").sees("In [1]:").at_prompt().presses("Ctrl-D").sees("ended ledger-3;")


def test_the_habits_of_ipython_on_the_command_line() -> None:
    with walk(PYTHON, x=X_PY) as me:
        me.types("holdfast x.py").sees("from x 42").sees_no("In [")
        me.types("holdfast -c 'print(6 * 7)'").sees("\n42")
        me.types("echo 'print(1 + 1)' | holdfast").sees("\n2").sees_no("In [")
        me.types("holdfast nosuch.py; echo status $?").habit("holdfast nosuch.py").sees(
            "holdfast: can't open 'nosuch.py': no such file", "status 2"
        )
        me.types("holdfast --version").sees(f"holdfast {__version__}")
        me.types("holdfast --help").sees("usage: holdfast [COMMAND …]", "  attach ")
        me.types("holdfast --pylab").sees(
            "there is no option '--pylab'", "try: holdfast, then %pylab in a cell"
        )
        me.types("holdfast -i x.py").sees("from x 42", "In [")
        me.types("answer / 4").sees("10.5").types("exit").sees("back: holdfast attach")


def test_the_habits_of_tmux() -> None:
    with walk(TMUX) as me:
        me.types("holdfast attach").sees("there are no sessions", "try: holdfast")
        me.types("holdfast new -s work").sees("session work", "In [1]:").types("x = 41").sees("In [2]:")
        me.at_prompt().presses("Ctrl-\\").sees("left work; it goes on. back: holdfast attach work")
        me.types("holdfast new work").sees("'work' already exists", "try: holdfast attach work")
        me.types("holdfast ls").sees("work", "idle")
        me.types("holdfast list-sessions").sees("work", "idle")
        me.types("holdfast a").sees("In [2]:").types("x + 1").sees("Out[2]: 42")
        me.at_prompt().presses("Ctrl-D").sees("left work; it goes on")
        me.types("holdfast attach").sees("In [3]:").types(
            "print('at', 'work'); __import__('time').sleep(600)"
        )
        me.sees("at work").presses("Ctrl-\\").sees("left work; it goes on (In[3] is running)")
        me.types("holdfast interrupt").sees("interrupted")
        me.types("holdfast attach -t work").sees("session work", "at work", "In [4]:").types("exit").sees(
            "left work;"
        )
        me.types("holdfast attach wrok").sees("no session named 'wrok'", "try: holdfast attach work")
        me.types("holdfast detach").sees("try: Ctrl-D in the console")
        me.types("holdfast kill-session -t work").sees("try: holdfast stop work ")
        me.types("holdfast kill work").sees("try: holdfast stop work ")
        me.types("holdfast stop work").sees("work ended; its state is kept.")


def test_the_habits_of_anybody_whose_cell_kills_the_interpreter() -> None:
    with walk(ANYWHERE) as me:
        me.types("holdfast new work").sees("In [1]:").types("x = 41").sees("In [2]:")
        me.types("import os; os.abort()").sees("InterpreterDied", "with every variable as before In[2]")
        me.types("x").sees("Out[3]: 41")
        me.types("x = 0").sees("In [5]:").types("%undo").sees("as after In[3]")
        me.types("x").sees("Out[6]: 41").types("x = 1").sees("In [8]:").types("exit").sees("left work")
        me.types("holdfast undo").sees("is undone in memory")
        me.types("holdfast attach").sees("In [").types("x").sees("41").types("exit").sees("left work")
