"""One value of a type, with something in each field: what seeds are made of. No target."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T", bound=msgspec.Struct)

_PLAIN: dict[type, object] = {
    inspect.AnyType: {"a": [1]},
    inspect.BoolType: True,
    inspect.IntType: 3,
    inspect.FloatType: 0.5,
    inspect.StrType: "text",
    inspect.BytesType: b"{}",
    inspect.NoneType: None,
    inspect.RawType: msgspec.Raw(b"{}"),
}


def one_of(kind: type[T]) -> T:
    """A struct of this type."""
    fields = msgspec.structs.fields(kind)
    return kind(**{field.name: _of(inspect.type_info(field.type)) for field in fields})


def _of(info: inspect.Type) -> Any:
    if type(info) in _PLAIN:
        return _PLAIN[type(info)]
    match info:
        case inspect.StructType(cls=cls):
            return one_of(cls)
        case inspect.LiteralType(values=values):
            return values[0]
        case inspect.ListType(item_type=item) | inspect.VarTupleType(item_type=item):
            return [_of(item)]
        case inspect.TupleType(item_types=items):
            return tuple(map(_of, items))
        case inspect.DictType(key_type=key, value_type=value):
            return {_of(key): _of(value)}
        case inspect.UnionType(types=types):
            return _of(types[0])
        case inspect.Metadata(type=inner):
            return _of(inner)
    raise NotImplementedError(f"a field of type {info}")
