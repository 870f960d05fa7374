"""`# %%` scripts: Python that tools can read, divided into cells by comments. Text in, a notebook out. Pure.

    # %% The title of a cell tags=["parameters"]
    # %% [markdown]

As jupytext (its "percent" format), VS Code and Spyder have it. A head that jupytext wrote (`# ---`) is no
cell; it also means that lines such as `# %matplotlib inline` are magics, which it comments out. In a script
without that head a comment is a comment.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator

from holdfast.cellfiles.document import Document, Tree, new

_MARK = re.compile(r"#\s*(?:%%(?P<nested>%*)(?P<rest>\s.*)?|<codecell>|In\[[0-9 ]*\]:?)\s*")
_RULE = re.compile(r"#\s*---\s*")
_PAIR = re.compile(r"\s*([A-Za-z_][\w.:-]*)=")
_BEGINS_METADATA = re.compile(r"(?:^|(?<=\s))(?=[A-Za-z_][\w.:-]*=|\{)")
_KIND = re.compile(r"\[(markdown|md|raw)\]")
_KINDS = {"markdown": "markdown", "md": "markdown", "raw": "raw"}
_COMMENT = re.compile(r"^# ?")
_FENCED = re.compile(r"""\s*[rR]?(\"{3}|'{3})\n?(.*?)\n?\1\s*""", re.DOTALL)
_MAGIC = re.compile(
    r"""^(\s*)\#\s?(?= %{1,2}[A-Za-z]                             # %magic, %%magic
                     | !\s*\S                                     # !command
                     | \?{1,2}[A-Za-z_]                           # ?object
                     | [A-Za-z_][\w.]*\?{1,2}\s*$                 # object?
                     | [A-Za-z_]\w*\s*=\s*(?:%[A-Za-z]|!\s*\S)    # x = %magic, x = !command
                   )""",
    re.VERBOSE,
)
_STRINGS = re.compile(r"""\"{3}|'{3}|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|\#.*""")
_CLOSING = {
    '"""': re.compile(r'(?:\\.|[^\\])*?"{3}', re.DOTALL),
    "'''": re.compile(r"(?:\\.|[^\\])*?'{3}", re.DOTALL),
}
_json = json.JSONDecoder()


def is_mark(line: str) -> bool:
    """Whether a cell begins below this line."""
    return _MARK.fullmatch(line.rstrip("\n")) is not None


def read(text: str) -> Document:
    """The notebook that a script is. A script without any mark is one cell."""
    head, rest = _without_head(list(io.StringIO(text)))  # by newlines alone, unlike str.splitlines
    magics = "jupytext" in head and not re.search(r"comment_magics:\s*false", head)
    document = new()
    for mark, body in _parts(rest):
        if mark is None and not _does_something(body):
            continue  # a line for the shell, a coding, a licence: before the first cell, and none
        document.cells.append(_cell(document, mark, body, magics=magics))
    return document


def _parts(written: list[str]) -> Iterator[tuple[str | None, list[str]]]:
    """What stands before the first mark, then each mark with what stands below it."""
    strings, mark, body = _Strings(), None, list[str]()
    for line in written:
        if not strings.open and is_mark(line):
            yield mark, body
            mark, body = line, []
        else:
            strings.follow(line)
            body.append(line)
    yield mark, body


class _Strings:
    """Whether a line begins in a string of several lines, in which no cell begins."""

    def __init__(self) -> None:
        self.open = ""

    def follow(self, line: str) -> None:
        """Go on by one line."""
        place = 0
        while True:
            if self.open:
                end = _CLOSING[self.open].match(line, place)
                if end is None:
                    return
                place, self.open = end.end(), ""
            found = _STRINGS.search(line, place)
            if found is None:
                return
            place = found.end()
            if found[0] in _CLOSING:
                self.open = found[0]


def _without_head(written: list[str]) -> tuple[str, list[str]]:
    """The head that jupytext wrote, and the lines without it."""
    first = next((number for number, line in enumerate(written) if not line.startswith("#!")), len(written))
    if first < len(written) and _RULE.fullmatch(written[first].rstrip("\n")):
        for last in range(first + 1, len(written)):
            if not written[last].startswith("#"):
                break
            if _RULE.fullmatch(written[last].rstrip("\n")):
                return "".join(written[first:last]), written[:first] + written[last + 1 :]
    return "", written


def _cell(document: Document, mark: str | None, body: list[str], *, magics: bool) -> Tree:
    kind, metadata = _described(mark) if mark is not None else ("code", {})
    text = "".join(body).strip("\n")
    if kind != "code":
        return document.new_cell(kind, _prose(text), metadata)
    language = metadata.pop("language", None)
    if isinstance(language, str):  # jupytext's for cells that are no Python
        text = f"%%{language}\n{_uncommented(text)}"
    elif magics:
        text = "\n".join(_MAGIC.sub(r"\1", line) for line in text.split("\n"))
    return document.new_cell("code", text, metadata)


def _described(mark: str) -> tuple[str, Tree]:
    """The kind of a cell, and its metadata with the title, as its mark says."""
    match = _MARK.fullmatch(mark.rstrip("\n"))
    assert match is not None
    title, metadata = _divided((match["rest"] or "").strip())
    kind = "code"
    if (found := _KIND.search(title)) is not None:
        kind = _KINDS[found[1]]
        title = f"{title[: found.start()].rstrip()} {title[found.end() :].lstrip()}".strip()
    return kind, ({"title": title} if title else {}) | metadata


def _divided(text: str) -> tuple[str, Tree]:
    """Title and metadata: these are what stands last and can be read to the end."""
    for begin in _BEGINS_METADATA.finditer(text):
        metadata = _metadata(text[begin.start() :])
        if metadata is not None:
            return text[: begin.start()].strip(), metadata
    return text, {}


def _metadata(text: str) -> Tree | None:
    """`name=JSON …`, or one JSON object; None if it is neither."""
    try:
        if text.startswith("{"):
            found = json.loads(text)
            return found if isinstance(found, dict) else None
        metadata, place = {}, 0
        while place < len(text):
            pair = _PAIR.match(text, place)
            if pair is None:
                return None
            metadata[pair[1]], place = _json.raw_decode(text, pair.end())
    except (ValueError, RecursionError):
        return None
    return metadata


def _prose(text: str) -> str:
    """A text that Python does not run: comments, or one long string."""
    fenced = _FENCED.fullmatch(text)
    return fenced[2] if fenced else _uncommented(text)


def _uncommented(text: str) -> str:
    return "\n".join(_COMMENT.sub("", line) for line in text.split("\n"))


def _does_something(body: list[str]) -> bool:
    return any(line.strip() and not line.lstrip().startswith("#") for line in body)
