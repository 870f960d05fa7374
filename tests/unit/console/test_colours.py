"""One table of colours for the prompt and for what others run."""

from __future__ import annotations

from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from prompt_toolkit.styles import Style

from holdfast.console import colours
from holdfast.console.ansi import ESCAPE
from holdfast.console.colours import COLOURED, highlighted, lexer_class, prompt_style, sixteen
from holdfast.settings import Console


def test_the_prompts_rules_are_rules_that_prompt_toolkit_takes() -> None:
    style = Style.from_dict(sixteen())
    assert style.get_attrs_for_style_str("class:pygments.keyword").color == "ansimagenta"
    assert style.get_attrs_for_style_str("class:pygments.literal.string.single").color == "ansigreen"
    assert style.get_attrs_for_style_str("class:pygments.name.function").bold


def test_the_same_colours_come_as_escapes() -> None:
    assert highlighted("import os") == "\x1b[35mimport\x1b[39;49;00m os\n"


@pytest.mark.parametrize("newline", ["\n", " "])
def test_of_a_cell_without_end_the_beginning_gets_colours(newline: str) -> None:
    code = newline.join(["import os"] * 20_000)
    coloured = highlighted(code)
    assert ESCAPE.sub("", coloured) == code
    assert coloured.startswith("\x1b[35mimport") == (newline == "\n")
    assert "\x1b" not in coloured[5 * COLOURED :]


def test_who_wants_no_colour_gets_the_code_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert highlighted("import os") == "import os"


def test_magics_are_known() -> None:
    assert "%" in {text for _, text in lexer_class()().get_tokens("%time x")}


@pytest.mark.parametrize(
    "path", sorted(Path(colours.__file__).parent.glob("*.py")), ids=lambda path: path.name
)
def test_code_without_magics_looks_the_same_though_nobody_looks_for_them(path: Path) -> None:
    lines = [line for line in path.read_text().split("\n") if not set("%!?") & set(line)]
    plain, magical = highlighted("\n".join(lines)), highlighted("\n".join([*lines, "# 100%"]))
    assert magical.startswith(plain.rstrip("\n"))


def test_the_terminals_theme_has_none_but_the_terminals_own_colours() -> None:
    assert all("ansi" in rule for rule in sixteen().values())
    assert "38;5" not in highlighted("def f(x): return 'a' + 1  # why")


def test_every_theme_of_the_settings_is_there() -> None:
    themes = get_args(get_type_hints(Console)["theme"])
    assert themes[0] == "terminal"
    for theme in themes[1:]:
        assert prompt_style(theme).get_attrs_for_style_str("class:pygments.keyword").color
        assert "\x1b[38;5;" in highlighted("import os", theme)
