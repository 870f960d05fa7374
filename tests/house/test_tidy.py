"""Sizes and habits that a reader may rely on."""

from __future__ import annotations

import ast
from pathlib import Path

from kit.source import ROOT, modules, parsed

LONGEST = {ast.ClassDef: 250, ast.FunctionDef: 70, ast.AsyncFunctionDef: 70}
"""Lines."""


def files(*folders: str) -> list[Path]:
    """Everything in Python in some folders of the project."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def test_each_module_says_what_lives_in_it() -> None:
    heads = {path: ast.get_docstring(parsed(path)) or "" for path in files("src", "bench", "demo")}

    assert not {str(path.relative_to(ROOT)) for path, words in heads.items() if len(words) < 20}


def test_nothing_is_longer_than_a_head_can_hold() -> None:
    too_long = {
        f"{path.relative_to(ROOT)}: {node.name}": node.end_lineno - node.lineno + 1
        for path in files("src", "bench", "demo", "tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST[type(node)]
    }

    assert not too_long


def test_nobody_sleeps() -> None:
    sleeps = {"time.sleep", "asyncio.sleep"}

    assert not {module.name for module in modules() if (module.calls | module.imports) & sleeps}
