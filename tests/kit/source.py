"""The source tree as data, for the tests of the house: modules, what they import, what they call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "holdfast"


@dataclass(frozen=True)
class Module:
    """One file of the package."""

    path: Path

    @property
    def name(self) -> str:
        """Dotted, below the package: `journal.lock`; a package is called by its folder."""
        parts = self.path.relative_to(PACKAGE).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The folder (or single module) at the top of the package that it belongs to."""
        return self.name.partition(".")[0]

    @cached_property
    def imports(self) -> set[str]:
        """Full dotted names of all that is imported, at the top or later, for typing or for good."""
        return set(_imported(parsed(self.path)))

    @cached_property
    def run_time_imports(self) -> set[str]:
        """The same without what only a type checker reads."""
        checked = [node for node in ast.walk(parsed(self.path)) if _is_for_typing(node)]
        return self.imports - {name for node in checked for name in _imported(node)}

    @property
    def ours(self) -> set[str]:
        """What it imports that is Holdfast's, without the package's name."""
        return {name.removeprefix("holdfast.") for name in self.imports if name.startswith("holdfast.")}

    @property
    def foreign(self) -> set[str]:
        """Top-level names of the packages it imports that are not Holdfast."""
        return {name.partition(".")[0] for name in self.imports} - {"holdfast"}

    @cached_property
    def calls(self) -> set[str]:
        """What is called, as it is written: `os.fork`, `Thread`."""
        return {ast.unparse(node.func) for node in ast.walk(parsed(self.path)) if isinstance(node, ast.Call)}


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    return tuple(Module(path) for path in sorted(PACKAGE.rglob("*.py")))


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), str(path))


def documents() -> list[Path]:
    """Every Markdown file that belongs to the project."""
    found = [path for path in ROOT.rglob("*.md") if not _is_hidden(path.relative_to(ROOT))]
    assert ROOT / "README.md" in found
    return sorted(found)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"a relative import of {node.module}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_for_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
