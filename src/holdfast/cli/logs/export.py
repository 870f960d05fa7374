"""`holdfast log --export FILE`: the log as a notebook, as a Python file or as Markdown, with outputs.

A file is there whole or not at all. Of Markdown, pictures are files of their own, in a folder beside it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from holdfast.cellfiles.document import Tree, lines, new
from holdfast.cellfiles.files import replace
from holdfast.cellfiles.outputs import Outputs
from holdfast.cli import text
from holdfast.cli.logs.cells import Cell
from holdfast.cli.logs.transcript import NOTES, as_message
from holdfast.cli.usage import UsageError
from holdfast.errors import HoldfastError

_PICTURES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/svg+xml": "svg"}
"""Kinds that a Markdown file can point to -> suffix."""

_OVERWRITTEN = re.compile(r"^[^\n]*\r(?=[^\r\n])", re.MULTILINE)
"""What a carriage return writes over: of a progress bar the last state is of interest. Sought once a line,
not at each of its places: a line may have megabytes."""


def writer(path: Path) -> Callable[[str, list[Cell]], None]:
    """What writes cells of a session to `path`, by its suffix. UsageError if that is none of ours."""
    makers = {".ipynb": _notebook, ".py": _python, ".md": _markdown}
    make = makers.get(path.suffix.lower())
    if make is None:
        known = ", ".join(makers)
        raise UsageError(
            f"{path}: a log can be exported as {known}", f"--export {path.with_suffix('.ipynb')}"
        )

    def write(name: str, cells: list[Cell]) -> None:
        # Half a surrogate pair is written out, as JSON would have it.
        _write(path, make(path, name, _tree(cells)).encode("utf-8", "backslashreplace"))

    return write


def _tree(cells: Iterable[Cell]) -> Tree:
    """Of a notebook: nbformat 4.5."""
    document, outputs = new(), Outputs()
    for cell in cells:
        made = _cell(cell)
        shown = outputs.of(made)
        for each in cell["outputs"]:
            shown.take(*as_message(each["msg_type"], each["content"]))
        made["execution_count"] = cell["count"]
        document.cells.append(made)
    return document.tree


def _cell(cell: Cell) -> Tree:
    times = {"iopub.execute_input": cell["started"], "shell.execute_reply": cell["ended"]}
    ours = {"client": cell["client"], "started": cell["started"], "status": cell["status"]}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"cell-{cell['id']}",
        "metadata": {"execution": {name: _iso(at) for name, at in times.items() if at}, "holdfast": ours},
        "outputs": [],
        "source": lines(cell["code"]),
    }


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def _notebook(_: Path, __: str, tree: Tree) -> str:
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"


def _python(_: Path, name: str, tree: Tree) -> str:
    pieces = [f"# What was run in {name}. Cells begin with `# %%`; what they put out stands behind `#>`.\n"]
    for cell in tree["cells"]:
        pieces.append(f"\n# %% {_title(cell)}\n{_ended(''.join(cell['source']))}")
        for output in cell["outputs"]:
            pieces += [f"#> {line}".rstrip() + "\n" for line in _plain(output).splitlines()]
    return "".join(pieces)


def _markdown(path: Path, name: str, tree: Tree) -> str:
    folder = path.with_name(f"{path.stem}_files")
    pieces = [f"# {name}\n"]
    for cell in tree["cells"]:
        pieces.append(f"\n## {_title(cell)}\n\n{_fenced('python', ''.join(cell['source']))}")
        for number, output in enumerate(cell["outputs"], 1):
            pieces.append("\n" + _in_markdown(output, folder, f"{cell['id']}-{number}"))
    return "".join(pieces)


def _in_markdown(output: Tree, folder: Path, name: str) -> str:
    bundle = output.get("data", {})
    for kind in _PICTURES.keys() & bundle.keys():
        if (content := _picture(kind, _text(bundle[kind]))) is not None:
            file = folder / f"{name}.{_PICTURES[kind]}"
            _write(file, content, new_folder=True)
            return f"![{name}]({folder.name}/{file.name})\n"
    if "text/markdown" in bundle:
        return _ended(_text(bundle["text/markdown"]))
    return _fenced("text", _plain(output))


def _picture(kind: str, content: str) -> bytes | None:
    """A picture's bytes; None if a program has called something else so."""
    if kind == "image/svg+xml":
        return content.encode("utf-8", "backslashreplace")
    try:
        return base64.b64decode(content)
    except ValueError:
        return None


def _text(value: object) -> str:
    """Data of a bundle, which programs may make of anything, in one piece or by lines."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def _fenced(language: str, words: str) -> str:
    longest = max(map(len, re.findall(r"`+", words)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{_ended(words)}{fence}\n"


def _plain(output: Tree) -> str:
    """An output as text without escapes."""
    if output["output_type"] == "stream":
        return _OVERWRITTEN.sub("", text.plain("".join(output["text"])))
    if output["output_type"] == "error":
        return text.plain("\n".join(output["traceback"]) or f"{output['ename']}: {output['evalue']}")
    bundle = output["data"]
    return text.plain(_text(bundle.get("text/plain", f"<{', '.join(bundle)}>")))


def _title(cell: Tree) -> str:
    """`In [3], ana, 2026-11-26 10:02:03 (interrupted)`."""
    ours = cell["metadata"]["holdfast"]
    count = "" if cell["execution_count"] is None else f"In [{cell['execution_count']}], "
    when = datetime.fromtimestamp(ours["started"], UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    note = f" ({NOTES[ours['status']]})" if ours["status"] in NOTES else ""
    return f"{count}{ours['client'] or 'somebody'}, {when}{note}"


def _ended(words: str) -> str:
    return words if words.endswith("\n") else words + "\n"


def _write(path: Path, content: bytes, *, new_folder: bool = False) -> None:
    """What a link points to, if it is one."""
    try:
        if new_folder:
            path.parent.mkdir(exist_ok=True)
        replace(path.resolve(), content)
    except OSError as error:
        raise HoldfastError(f"can't write {path}: {error.strerror}", "another place for it") from error
