"""A recognised table, held against the thing that it was read from, and written as TOML.

In: what was recognised, and the model. Out: the lines of [inputs.NAME.preprocess], with a comment
that says on how much they were checked, or how they differ, and what they leave out.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from deploy_targets.errors import ConfigError, DeployError
from deploy_targets.frontends import reference
from deploy_targets.frontends.call_user import guarded
from deploy_targets.parity import agreement
from deploy_targets.parity.made import Question
from deploy_targets.recognising.named import Named
from deploy_targets.records import Array, TensorSpec
from deploy_targets.runtime import Model
from deploy_targets.stages.base import Before
from deploy_targets.stages.compose import Staged
from deploy_targets.stages.image import ImageBefore
from deploy_targets.stages.rows import TableBefore
from deploy_targets.stages.tables import AnyBefore, staging

MEDIA = {"image": "photos", "table": "tables"}
NOTES = {("orientation", "ignore"): '   # photos are not turned by their EXIF; "exif" turns them'}
"""What to say of a value that surprises."""


@dataclass(frozen=True)
class Held:
    """The lines, and their gist for the command line."""

    lines: tuple[str, ...]
    said: str
    same: bool | None
    """None where there was nothing to ask."""


def held(named: Named, tensor: TensorSpec, model: Model | None, base: Path) -> Held:
    """Raises ConfigError where the table does not fit the model's input at all.

    `model`: None where it did not run with the inputs that are guessed.
    """
    table = fitting(named, tensor)
    same, comments = _compared(named, table, tensor, model, base)
    rest = [f"not said: {one}" for one in named.found.left_out]
    if named.found.direct and not named.callable:
        rest.append("name the object itself, not what returns it, and every build will check this")
    lines = [f"# from {named.source}, {named.found.what}"]
    for comment in [*comments, *rest]:
        lines += textwrap.wrap(comment, 98, initial_indent="# ", subsequent_indent="#   ")
    for key in sorted(table, key=_place):
        line = f"{key} = {_value(table[key])}" + NOTES.get((key, str(table[key])), "")
        if not key.startswith("reference"):
            lines.append(line)
        elif named.callable:
            lines.append(line if same is not None else f"# {line}")
    return Held(tuple(lines), comments[0], same)


def fitting(named: Named, tensor: TensorSpec) -> dict[str, Any]:
    """The table with its reference; grey where only that has the tensor's channels."""
    table = {**named.found.table, "reference": named.source}
    if table["type"] == "image":
        table["reference_mode"] = "RGB"
    try:
        _validated(table).check(tensor)
    except ValueError as error:
        if table["type"] != "image" or "colour" in table:
            raise _unfit(named, tensor, error) from error
        try:
            table |= {"colour": "grey", "reference_mode": "L"}
            _validated(table).check(tensor)
        except ValueError:
            raise _unfit(named, tensor, error) from error
    return table


def _validated(table: Mapping[str, Any]) -> Before:
    known: TypeAdapter[Before] = TypeAdapter(AnyBefore)
    return known.validate_python(dict(table))


def _unfit(named: Named, tensor: TensorSpec, error: ValueError) -> ConfigError:
    said = str(error)
    if isinstance(error, ValidationError):
        said = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
    left = f" (not said: {'; '.join(named.found.left_out)})" if named.found.left_out else ""
    return ConfigError(
        f"{named.source}, {named.found.what}, does not end in {tensor.name}: {said}{left}",
        hint="name the transform that this model is used with, or write the table yourself",
    )


def _compared(
    named: Named, table: Mapping[str, Any], tensor: TensorSpec, model: Model | None, base: Path
) -> tuple[bool | None, list[str]]:
    """Whether they are the same, and a comment that says so."""
    if named.found.call is None:
        return None, [f"not checked: {named.found.unasked}"]
    if model is None:
        return None, ["not checked: the model did not run with the inputs that are guessed"]
    before = _validated(table)
    try:
        asked = _asked(named, before, tensor, base)
        raws = [
            Question(raw.name, raw.why, {tensor.name: np.frombuffer(raw.data, np.uint8)}, True)
            for raw in before.made(tensor)
        ]
        for raw in raws:
            asked(raw.inputs[tensor.name].tobytes())
    except DeployError as error:
        return None, [f"NOT checked: {error}"]
    made = staging(model.signature, {tensor.name: before}, {}, base)
    try:
        agreement.check(Staged(model, made, {tensor.name: asked}), raws)
    except ConfigError as error:
        said = str(error).rpartition("`reference` does: ")[2]
        stop = "; builds are refused while `reference` names it" if named.callable else ""
        return False, [f"NOT the same as {named.source}: {said}{stop}", error.hint]
    return True, [f"checked against {named.source} on {len(raws)} {MEDIA[table['type']]}"]


def _asked(
    named: Named, before: Before, tensor: TensorSpec, base: Path
) -> Callable[[bytes], Array]:
    """From raw bytes to the tensor: just as a build would, where it can."""
    if named.callable:
        return reference.load(named.source, base, before.given, tensor)
    call = named.found.call
    assert call is not None

    def ask(data: bytes) -> Array:
        array = guarded(named.source, lambda: np.asarray(call(before.given(data))))
        return array[None] if array.ndim == len(tensor.shape) - 1 else array

    return ask


def _place(key: str) -> int:
    """As the tables declare their keys, the reference last."""
    if key.startswith("reference"):
        return 100 + len(key)
    fields = [*ImageBefore.model_fields, *TableBefore.model_fields]
    return fields.index(key)


def _value(value: Any) -> str:
    """As TOML; tables inline."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    bare = name.replace("_", "").replace("-", "")
    return name if bare.isalnum() and bare.isascii() else _value(name)
