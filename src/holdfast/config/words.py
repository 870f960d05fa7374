"""Settings in words: what one is for, what it may be, how a value is written. Loads what is slow only then.

What it is for stands below it in `settings.py`, for the reader of the source; here it is read from there.
"""

from __future__ import annotations

import ast
import functools
import inspect
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from holdfast import settings

MAX_SHOWN = 60
"""Characters of a value, or of a wrong name."""


@functools.cache
def purposes() -> dict[str, str]:
    """Of each setting by name the whole text, of each section the first words of its class."""
    classes = {
        node.name: node
        for node in ast.parse(inspect.getsource(settings)).body
        if isinstance(node, ast.ClassDef)
    }
    found: dict[str, str] = {}
    for field in msgspec.structs.fields(settings.Settings):
        section = classes.get(getattr(field.type, "__name__", ""))
        if section is None:
            continue
        found[field.name] = _joined(ast.get_docstring(section) or "")
        found |= {f"{field.name}.{name}": text for name, text in _attributes(section)}
    return found | dict(_attributes(classes["Settings"]))


def first_sentence(text: str) -> str:
    """The beginning of a purpose, without its full stop."""
    return text.partition(". ")[0].rstrip(".")


def wanted(kind: Any) -> str:
    """What values a setting of this type may have."""
    return _wanted(msgspec.inspect.type_info(kind))


def shown(value: object) -> str:
    """A value as it is written in a file. It may be a stranger's: nothing in it moves a terminal's cursor."""
    if isinstance(value, int) and not isinstance(value, bool):
        text = f"{value:_}" if abs(value) < 10**18 else "a number of many digits"
    else:
        text = json.dumps(value, default=str)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def plain(name: str) -> str:
    """A name or place that somebody else has chosen, without what is no text."""
    clean = "".join(char if char.isprintable() else "?" for char in name)
    return clean if len(clean) <= MAX_SHOWN else f"{clean[:MAX_SHOWN]}…"


def _attributes(section: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """Each field that has a text below it."""
    for field, below in zip(section.body, section.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str() as text)):
                yield name, _joined(text)


def _joined(text: str) -> str:
    return " ".join(text.split())


def _wanted(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.Metadata(type=inner, extra_json_schema=schema):
            examples = (schema or {}).get("examples")
            return f"text such as {shown(examples[0])}" if examples else _wanted(inner)
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.IntType(ge=least, le=most):
            return f"a whole number{_bounds(least, most)}"
        case msgspec.inspect.FloatType(ge=least, le=most):
            return f"a number{_bounds(least, most)}"
        case msgspec.inspect.LiteralType(values=values):
            return " or ".join(map(shown, values))
        case msgspec.inspect.UnionType(types=types):
            return ", or ".join(map(_wanted, types))
        case msgspec.inspect.NoneType():
            return "nothing"
        case msgspec.inspect.StrType():
            return "text"
    return "a list"


def _bounds(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {shown(least)} to {shown(most)}"
    return "" if least is None else f" of at least {shown(least)}"
