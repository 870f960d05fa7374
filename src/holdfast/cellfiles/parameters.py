"""Parameters of a run, as papermill has them: from the command line or a file's text, into a cell. Pure.

`-p NAME VALUE` guesses the type: True, False, None, a whole number, a number, else text.
"""

from __future__ import annotations

import ast
import importlib
import json
import keyword
import math
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from holdfast.errors import HoldfastError

_WORDS = {"True": True, "False": False, "None": None}


def typed(value: str) -> object:
    """What somebody means who types `value`."""
    if value in _WORDS:
        return _WORDS[value]
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def of_file(name: str, text: str) -> dict[str, Any]:
    """What a file of parameters says: JSON, TOML or YAML by its name's end. HoldfastError if it can't be."""
    end = name.rpartition(".")[2].lower()
    try:
        found = _parsed(end, text)
    except ImportError as error:
        raise HoldfastError(
            f"{name}: there is no package that reads YAML",
            "pip install pyyaml   (or write it as TOML or JSON)",
        ) from error
    except Exception as error:  # each parser has its own, and they say what is wrong
        raise HoldfastError(f"{name}: {error}", f"mend {name}") from error
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found):
        raise HoldfastError(f"{name} has no table of names and values")
    return found


def code(parameters: Mapping[str, object]) -> str:
    """The cell that sets them. HoldfastError for what can't be a variable."""
    for name in parameters:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise HoldfastError(f"{name!r} can't be a variable's name", "-p NAME VALUE")
    return "\n".join(["# Parameters", *(f"{name} = {written(value)}" for name, value in parameters.items())])


def unknown(names: Iterable[str], defaults: str) -> list[str]:
    """Those of the names that the cell of defaults does not set: a slip of the pen, perhaps.

    None if that can't be told.
    """
    try:
        tree = ast.parse(defaults)
    except (SyntaxError, ValueError):  # magics, say
        return []
    known = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return [name for name in names if name not in known]


def written(value: object) -> str:
    """A value as Python."""
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key)}: {written(each)}' for key, each in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    return repr(str(value))  # dates of TOML and YAML: papermill makes text of what it does not know


def _parsed(end: str, text: str) -> object:
    if end == "json":
        return json.loads(text)
    if end == "toml":
        return tomllib.loads(text)
    yaml = importlib.import_module("yaml")  # whoever has such files mostly has it, too
    return yaml.safe_load(text)
