"""The types of settings: which values they take, in words, and what lies inside of them.

In: an annotation, as pydantic's fields have it. Out: words for whoever wrote another value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def members(kind: Any) -> Iterator[Any]:
    """The types that a value may be of, None left out."""
    bare = stripped(kind)
    if get_origin(bare) in (Union, UnionType):
        for one in get_args(bare):
            yield from members(one)
    elif bare is not NoneType:
        yield kind


def stripped(kind: Any) -> Any:
    return stripped(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def chosen(kinds: Sequence[Any], part: str | int) -> Any:
    """The one that pydantic names so: a table by its type, another by what it is."""
    label = str(part).partition("[")[0]
    for kind in kinds:
        bare = stripped(kind)
        if part in tags(bare) or getattr(get_origin(bare) or bare, "__name__", "") == label:
            return kind
    return None


def tags(kind: Any) -> tuple[str, ...]:
    bare = stripped(kind)
    if not (isinstance(bare, type) and issubclass(bare, BaseModel)):
        return ()
    field = bare.model_fields.get("type")
    return get_args(field.annotation) if field else ()


def inside(kind: Any, part: str | int) -> Any:
    """The type of one value of a dictionary or of a list."""
    inner = get_args(kind)
    if get_origin(kind) is dict:
        return inner[1]
    if get_origin(kind) is tuple and isinstance(part, int):
        return inner[0] if inner[-1] is Ellipsis else inner[part]
    return None


def words(kind: Any, key: str) -> str:
    """What a type takes."""
    kinds = list(members(kind))
    if types := [tag for one in kinds for tag in tags(one)]:
        return f"a table with type = {either(types)}"
    if len(kinds) != 1:
        return " or ".join(words(one, key) for one in kinds) or "another value"
    (one,) = kinds
    bare = stripped(one)
    origin, inner = get_origin(bare), get_args(bare)
    if origin is Literal:
        return either(inner)
    if origin is tuple:
        return _list(inner, key)
    if origin is dict or (isinstance(bare, type) and issubclass(bare, BaseModel)):
        return "a table"
    plain = {int: "a whole number", float: "a number", bool: "true or false"}
    return plain.get(bare, "text in quotes") + _bounds(one)


def _list(inner: Sequence[Any], key: str) -> str:
    if inner[-1] is not Ellipsis:
        return f"[{', '.join(words(one, key) for one in inner)}]"
    bare = stripped(inner[0])
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return f"tables in double brackets, [[{key}]]"
    return f"a list, each {words(inner[0], key)}"


def _bounds(kind: Any) -> str:
    found: dict[str, Any] = {}
    for one in get_args(kind)[1:] if get_origin(kind) is Annotated else ():
        for bound in one.metadata if isinstance(one, FieldInfo) else (one,):
            found |= {n: getattr(bound, n) for n in ("ge", "gt", "le", "lt") if hasattr(bound, n)}
    if "ge" in found and "le" in found:
        return f" from {found['ge']:g} to {found['le']:g}"
    words = {"ge": "from {:g} up", "gt": "above {:g}", "le": "up to {:g}", "lt": "below {:g}"}
    said = [words[name].format(bound) for name, bound in found.items()]
    return f" {' and '.join(said)}" if said else ""


def either(values: Sequence[object]) -> str:
    *others, last = [json.dumps(value) for value in values]
    return f"{', '.join(others)} or {last}" if others else last
