"""What the documents point at is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from kit.source import PACKAGE, ROOT, documents

LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([\w.-]+(?:/[\w.-]+)*(?:/|\.py|\.md))`")
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)

every_document = pytest.mark.parametrize(
    "document", documents(), ids=lambda path: str(path.relative_to(ROOT))
)


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(FENCE.sub("", document.read_text())):
        if re.match(r"[a-z]+:", target):
            continue  # another site's affair
        path, _, anchor = target.partition("#")
        found = document.parent / path if path else document
        assert found.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in _anchors(found), f"{document.name} links to {target}"


@every_document
def test_files_it_names_exist(document: Path) -> None:
    for name in NAMED.findall(FENCE.sub("", document.read_text())):
        assert _is_there(name), f"{document.name} names {name}"


@every_document
def test_make_has_every_target_that_it_promises(document: Path) -> None:
    promised = set(re.findall(r"^\s*make (?:-s )?([a-z]+)", document.read_text(), re.MULTILINE))
    promised |= set(re.findall(r"`make (?:-s )?([a-z]+)", document.read_text()))

    assert promised <= set(TARGET.findall((ROOT / "Makefile").read_text()))


def test_each_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reasons = (ROOT / "docs" / "decisions" / "0001-dependencies.md").read_text()

    for requirement in project["dependencies"]:
        name = re.split(r"[<>=\[]", requirement)[0]
        assert f"`{name}`" in reasons, f"no reason is written down for {name}"


def test_each_dependency_is_pinned_to_what_was_tested() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [content["project"]["dependencies"], *content["dependency-groups"].values()]
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "constraints.txt").read_text(), re.MULTILINE)

    assert {_plain(re.split(r"[<>=\[]", one)[0]) for group in groups for one in group} <= {
        _plain(one) for one in pinned
    }


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _anchors(document: Path) -> set[str]:
    """Anchors of a Markdown file's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def _is_there(name: str) -> bool:
    """Whether a file or folder is there as it is named: from the root, the package, or by its name."""
    if (ROOT / name).exists() or (PACKAGE / name).exists():
        return True
    folders = [PACKAGE, ROOT / "tests", ROOT / "docs", ROOT / "bench", ROOT / "demo"]
    return "/" not in name and any(found for folder in folders for found in folder.rglob(name))


def test_each_decision_has_a_number_of_its_own() -> None:
    files = [path for path in documents() if path.parent.name == "decisions"]
    numbers = [int(path.name[:4]) for path in files]
    assert len({*numbers}) == len(numbers)
    for number, path in zip(numbers, files, strict=True):
        assert path.read_text().startswith(f"# {number}. "), path.name
