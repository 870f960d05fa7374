"""The verdict on input: a table of what users type, and a comparison with IPython's own judgement."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from holdfast.completeness import Completeness, check, without_prompts

COMPLETE = [
    "",
    "\n",
    "   ",
    "# only a comment",
    "x = 1",
    "x = 1;",
    "for i in range(3): print(i)",
    "class A: pass",
    "if x:\n    y\n",
    "if x:\n    y\nz",
    "def f():\n    return 1\n    ",
    "await x",
    "async with a: b",
    "async for i in a: b",
    "  x = 1",
    "  x = 1\n  y = 2",
    "%time 1 +",
    "%matplotlib",
    "!ls |",
    "!!ls (",
    "!ls \\\n  -l",
    "a?",
    "a.b??",
    "a[0]?",
    "?a",
    "?",
    "*load*?",
    "%time?",
    "f(a?",
    "files = !ls 'unclosed",
    "t = %timeit -o 1 +",
    ";f a b",
    ",f a b",
    "/f a",
    "%%time\nx\n\n",
    "%%bash\nfor i in (\n\n",
    ">>> x\n... y",
    "In [1]: x = 1",
    "x = '# no comment'",
    "x = r'\\''",
    "x = '''a\n?\n'''",
    "x\r\ny",
    "if x:\n    !ls\n",
    "if x:\n    %time 1\n",
    "if x:\n    a?\n",
]

INCOMPLETE = [
    ("x = (", ""),
    ("x = (1,\n     2,", "     "),
    ("x = {1:", ""),
    ("x = '''a", ""),
    ("x \\", ""),
    ("!ls \\", ""),
    ("if x:", "    "),
    ("if x:  # why", "    "),
    ("if x:\n", "    "),
    ("if x:\n    y", "    "),
    ("if x:\n  y", "  "),
    ("if x:\n    y\nelse:", "    "),
    ("if x:\n\ty", "\t"),
    ("if x:\n\tif y:", "\t\t"),
    ("def f():\n    if x:", "        "),
    ("try:\n    x\n", "    "),
    ("@decorator", ""),
    ("async def f():", "    "),
    ("match x:\n    case 1:", "        "),
    ("if x:\n    !ls", "    "),
    ("if x:\n    t = %time 1", "    "),
    ("if x:\n    a?", "    "),
    ("%%time", ""),
    ("%%time\nx", ""),
    ("%%time\nif x:\n    y", "    "),
    ("%%time?", ""),
    (">>> if x:\n...     y", "    "),
    ("In [1]: if x:\n   ...:     y", "    "),
]

INVALID = [
    ")",
    "x = 'a",
    "x +",
    "1x",
    "if x",
    "print 1",
    "x\n  y",
    "  x\ny",
    "return 1",
    "a?b",
    "a = 1?",
    "/",
    "$",
    "\0",
    "x = \ud800",
    "f(**)",
    "~" * 100_000 + "a",
    "1" + "+1" * 100_000,
    "x:",
    "lambda:",
    "a\n)",
]


@pytest.mark.parametrize("code", COMPLETE)
def test_finished_input_runs_on_enter(code: str) -> None:
    assert check(code) == Completeness("complete")


@pytest.mark.parametrize(("code", "indent"), INCOMPLETE)
def test_unfinished_input_goes_on_in_an_indented_line(code: str, indent: str) -> None:
    assert check(code) == Completeness("incomplete", indent)


@pytest.mark.parametrize("code", INVALID)
def test_input_that_nothing_can_mend_is_called_invalid(code: str) -> None:
    assert check(code) == Completeness("invalid")


@pytest.mark.parametrize(
    ("code", "bare"),
    [
        (">>> x = 1\n>>> y", "x = 1\ny"),
        (">>> if x:\n...     y\n...", "if x:\n    y\n"),
        ("    >>> x\n    ... y", "x\ny"),
        ("In [12]: x\n    ...: y", "x\ny"),
        (" [ins] In [2]: x", "x"),
        ("x = 1\n>>> y", "x = 1\n>>> y"),
        ("    x\n    y", "    x\n    y"),
        ("...", "..."),
    ],
)
def test_a_pasted_transcript_loses_its_prompts_and_other_text_stays(code: str, bare: str) -> None:
    assert without_prompts(code) == bare


LINES = [
    *("x = 1", "pass", "return 1", "await z", "del x", "x: int = 3", "print(1); y", "x != y", "b == !c"),
    *("if x:", "else:", "elif q:", "for i in y:", "def f():", "async def g():", "class A:", "@dec"),
    *("try:", "except E:", "with a as b:", "match x:", "case 1:", "lambda x: x", "1 +", "x \\"),
    *("foo(", "bar)", "[1, 2,", "]", "{'a': 1}", "a = [", "x = '''abc", "end'''", '"""doc"""', "f'{a}'"),
    *("# note", "x # note", "'it'", '"a # b"', "'a?'", "r'\\''", "b'x'", "", "    "),
    *("%time x", "%%bash", "!ls -l", "!ls \\", "!!pwd", "a = !ls", "a = %time 1", "x = y = %z", "!", "%"),
    *("?", "a?", "?a", "a.b??", "%a?", "a[1]?", "f(1)?", "*a?", ";a b", ",c d", "/f 1"),
]


def cells(lines: list[str]) -> st.SearchStrategy[str]:
    line = st.tuples(st.sampled_from(["", "", "    ", "        "]), st.sampled_from(lines)).map("".join)
    return st.lists(line, min_size=1, max_size=5).map("\n".join)


endings = st.sampled_from(["", "", "\n", "\n\n", "\n    "])


def theirs(code: str) -> tuple[str, int]:
    status, indent = TransformerManager().check_complete(code)
    return status, indent or 0


@given(cells(LINES), endings)
def test_it_agrees_with_ipython_on_what_is_ready_to_run(cell: str, ending: str) -> None:
    assume(not (cell.endswith("?") and ending == "\n\n"))  # the last of the differences below
    assert (check(cell + ending).status == "complete") == (theirs(cell + ending)[0] == "complete")


BRACKETS = {"foo(", "bar)", "[1, 2,", "]", "a = ["}  # help asked within open ones: see below


@given(cells([line for line in LINES if line not in BRACKETS]))
def test_it_indents_the_next_line_as_ipython_does(cell: str) -> None:
    last_line = cell.rpartition("\n")[2].strip()
    # After an empty line or a comment we keep to the block, IPython to the line.
    assume(last_line and not last_line.startswith("#") and "\\\n" not in cell)
    verdict, (status, indent) = check(cell), theirs(cell)
    if verdict.status == status == "incomplete":
        assert len(verdict.indent) == indent


@given(st.text(alphabet=st.sampled_from("ab1 \n\t()[]{}'\"\\#:?!%=;,/.@$é\0"), max_size=60))
def test_any_text_gets_a_verdict(code: str) -> None:
    assert check(code).status in ("complete", "incomplete", "invalid")


@pytest.mark.parametrize(
    ("code", "ipython", "ours"),
    [
        ("1 is 1", "invalid", "complete"),  # a warning is no error: the cell runs and shows it
        ("x:", "incomplete", "invalid"),  # a colon that opens no block
        ("a\n)", "incomplete", "invalid"),  # more lines can't mend it
        ("f(a?\n\n", "incomplete", "complete"),  # help asked in the middle of a call, with empty lines behind
    ],
)
def test_where_it_knows_better_than_ipython(code: str, ipython: str, ours: str) -> None:
    assert theirs(code)[0] == ipython
    assert check(code).status == ours


@pytest.mark.parametrize(
    "code",
    [
        "\n" * 50_000 + "x",
        "(" * 50_000,
        "'" * 50_001,
        "a " * 25_000 + "?",
        "a" * 50_000 + "-?",
        "x = " * 9_000,
    ],
)
def test_long_input_is_judged_in_linear_time(code: str) -> None:
    from time import process_time

    start = process_time()
    check(code)
    once = process_time() - start
    start = process_time()
    check(code * 4)
    assert process_time() - start < 12 * once + 0.2  # quadratic would be 16 times, and seconds
