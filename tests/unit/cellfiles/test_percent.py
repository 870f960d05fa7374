"""How a `# %%` script is divided into cells, as people and jupytext write them."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.cellfiles import percent
from holdfast.cellfiles.document import Document, source


def read(text: str) -> Document:
    return percent.read(dedent(text))


def cells(text: str) -> list[tuple[str, str]]:
    return [(cell["cell_type"], source(cell)) for cell in read(text).cells]


def metadata(mark: str) -> dict[str, Any]:
    found: dict[str, Any] = read(f"{mark}\n1\n").cells[0]["metadata"]
    return found


def test_each_mark_begins_a_cell_and_blank_lines_around_it_are_none_of_its() -> None:
    assert cells("""\
        x = 1

        # %%

        y = 2


        z = 3
        # %%
        """) == [("code", "x = 1"), ("code", "y = 2\n\n\nz = 3"), ("code", "")]


@pytest.mark.parametrize("mark", ["#%%", "# %%", "# %%%", "# In[3]:", "# In[ ]:", "# <codecell>", "#  %%  "])
def test_marks_of_other_editors_are_marks(mark: str) -> None:
    assert cells(f"a\n{mark}\nb\n") == [("code", "a"), ("code", "b")]


@pytest.mark.parametrize("line", ["# %%bash", "#%%time", "    # %%", "# %", "x = 1  # %%", "# In[x]"])
def test_other_lines_are_none(line: str) -> None:
    assert not percent.is_mark(line)


def test_what_only_comments_stand_in_before_the_first_mark_is_no_cell() -> None:
    assert cells("#!/usr/bin/env python\n# (c) nobody\n\n# %%\n# only words\n") == [("code", "# only words")]


def test_a_script_without_marks_is_one_cell() -> None:
    assert cells("import os\nprint(1)\n") == [("code", "import os\nprint(1)")]
    assert cells("# nothing\n") == cells("") == []


def test_a_mark_in_a_long_string_is_text() -> None:
    text = 'x = """\n# %%\n"""  # it\'s\n# %%\ny = \'it"""s\'\n# %%\nz = 1\n'
    assert [code for _, code in cells(text)] == ['x = """\n# %%\n"""  # it\'s', 'y = \'it"""s\'', "z = 1"]


def test_titles_kinds_and_metadata_are_read_off_the_mark() -> None:
    assert metadata("# %% Load the data") == {"title": "Load the data"}
    assert metadata('# %% tags=["parameters"]') == {"tags": ["parameters"]}
    assert metadata('# %% Two words a=1 name.x="b c"') == {"title": "Two words", "a": 1, "name.x": "b c"}
    assert metadata('# %% {"tags": ["x"]}') == {"tags": ["x"]}
    assert metadata("# %% where x=y") == {"title": "where x=y"}
    assert metadata("# %% f(x=1)") == {"title": "f(x=1)"}
    assert metadata("# %%% deeper") == {"title": "deeper"}


def test_markdown_and_raw_cells_are_no_code() -> None:
    text = """\
        # %% [markdown]
        # # A title
        #
        # Words
        # %% [md] tags=["x"]
        '''
        Text as it is
        '''
        # %% A name [raw]
        # raw
        """
    kinds = ["markdown", "markdown", "raw"]
    words = ["# A title\n\nWords", "Text as it is", "raw"]
    assert cells(text) == list(zip(kinds, words, strict=True))
    assert read(text).cells[1]["metadata"] == {"tags": ["x"]}
    assert read(text).steps() == []


HEAD = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       format_name: percent
# ---
"""


def test_the_head_that_jupytext_writes_is_no_cell_and_its_magics_are_magics() -> None:
    body = "# %%\n# %matplotlib inline\n# files = !ls\n# obj?\n# !ls\n# a word\nx = 1\n"
    with_head, without = cells(f"{HEAD}\n{body}"), cells(body)
    assert with_head == [("code", "%matplotlib inline\nfiles = !ls\nobj?\n!ls\n# a word\nx = 1")]
    assert without == [("code", body.partition("\n")[2].rstrip())]
    assert cells(f"#!/usr/bin/python\n{HEAD}{body}") == with_head
    no_magics = HEAD.replace("#     text", "#     comment_magics: false\n#     text")
    assert cells(no_magics + body) == without


def test_cells_of_another_language_are_its_cell_magic() -> None:
    assert cells('# %% language="bash"\n# ls\n# pwd\n') == [("code", "%%bash\nls\npwd")]


def test_magics_that_stand_as_they_are_stay_so() -> None:
    assert cells("# %%\n%matplotlib inline\n!ls\n") == [("code", "%matplotlib inline\n!ls")]


PIECES = [
    "# %%",
    "# %% a title",
    '# %% [markdown] tags=["x"]',
    "x = 1",
    "# words",
    "",
    "'''",
    '"""',
    "it's",
    "\\",
    "\x0c",
    " ",
]


def test_ten_thousand_cells_are_read_at_once_and_have_names_of_their_own() -> None:
    document = percent.read("# %%\nx\n" * 10_000)
    assert len({cell["id"] for cell in document.cells}) == 10_000


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=8)))
def test_no_script_is_refused_and_no_line_of_code_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines).replace("\r", "")
    document = percent.read(text)
    kept = "\n".join(source(cell) for cell in document.cells)
    for line in text.split("\n"):
        if line.strip() and not line.lstrip().startswith("#") and not line.startswith(("'''", '"""')):
            assert line in kept
    document.steps()


@given(
    st.lists(st.sampled_from(["x = 1", "y = '''\n# %%\n'''", "# words\nz = [\n\n]", "f('#')", 'g("""\n""")']))
)
def test_what_is_written_as_cells_is_read_as_those_cells(codes: list[str]) -> None:
    for code in codes:
        ast.parse(code)
    text = "".join(f"# %%\n{code}\n\n" for code in codes)
    assert [source(cell) for cell in percent.read(text).cells] == codes
