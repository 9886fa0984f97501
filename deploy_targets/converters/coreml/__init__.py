"""What a converter to Core ML is asked for, and what comes out.

In: an Order: a captured Graph, its Signature, how its tensors shall lie, the precision, the sizes
to nail down, and the oldest system that must run it. Out, in the converter's folder: the package
model.mlpackage; entries.json, how it is called; and convert.log, which never ships. To add a
converter: `convert(order, folder, workspace, *, timeout) -> Converted`, whose child reads what it
wrote with `checked` and calls `write` at the end.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from deploy_targets.integrations import beside
from deploy_targets.records import Dim, Entry, Graph, Port, Signature, TensorSpec
from deploy_targets.workspace import Workspace

FOLDER, ENTRIES, LOG = "model.mlpackage", "entries.json", "convert.log"
LOCK = "coremltools"
ENTRY = "main"
"""The one function of a package."""
Minimum = Literal["iOS16", "iOS17", "iOS18"]
VERSIONS: Mapping[Minimum, int] = {"iOS16": 7, "iOS17": 8, "iOS18": 9}
"""The oldest system that takes a package -> the version of the package's form."""
BOUNDARY = {
    "float64": "float32",
    "float32": "float32",
    "float16": "float16",
    "int64": "int32",
    "int32": "int32",
    "int16": "int32",
    "int8": "int32",
    "uint8": "int32",
    "bool": "int32",
}
"""The model's dtypes -> those of the package's tensors. It has no others."""
_RESERVED = re.compile(
    r"any|bool|program|func|tensor|list|dict|tuple|true|false|string|state|bf16|fp(16|32|64)"
    r"|u?int(8|16|32|64)"
)


@dataclass(frozen=True)
class Order:
    """What a converter is asked for."""

    graph: Graph
    signature: Signature
    layouts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Per input that shall lie in another order: artifact = model.transpose(axes)."""
    half: bool = False
    """Whether weights and arithmetic are float16. What goes in and comes out stays float32."""
    fixed: Mapping[str, int] = field(default_factory=dict)
    """The sizes of dynamic axes that shall be dynamic no more."""
    minimum: Minimum = "iOS16"


@dataclass(frozen=True)
class Converted:
    """How the package is called, what made it, and what its reader must know."""

    entries: tuple[Entry, ...]
    tools: Mapping[str, str]
    notes: tuple[str, ...] = ()


def problems(signature: Signature) -> tuple[str, ...]:
    """What is known to be impossible before anything is converted."""
    dtypes = (
        f"{spec.name} is {spec.dtype}, which the boundary of an .mlpackage cannot hold"
        for spec in (*signature.inputs, *signature.outputs)
        if spec.dtype not in BOUNDARY
    )
    scalars = (
        f"{spec.name} is a scalar, which the boundary of an .mlpackage cannot hold"
        for spec in signature.inputs
        if not spec.shape
    )
    return (*dtypes, *scalars)


def ports(order: Order) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """The inputs and outputs that the package shall have, in the signature's order."""
    asked = order.signature
    names = _safe_names(asked.inputs, asked.outputs)
    inputs = tuple(
        _port(spec, next(names), order.layouts.get(spec.name), order.fixed) for spec in asked.inputs
    )
    outputs = tuple(_port(spec, next(names), None, order.fixed) for spec in asked.outputs)
    return inputs, outputs


def _port(
    spec: TensorSpec, name: str, axes: tuple[int, ...] | None, fixed: Mapping[str, int]
) -> Port:
    shape = tuple(_nailed(dim, fixed) for dim in spec.shape)
    lying = shape if axes is None else tuple(shape[axis] for axis in axes)
    dtype = BOUNDARY[spec.dtype]
    return Port(replace(spec, name=name, dtype=dtype, shape=lying), spec.name, axes)


def _nailed(dim: Dim, fixed: Mapping[str, int]) -> Dim:
    """ "batch*time" at a batch of 2 is "time*2"; at a time of 3 besides, 6."""
    if isinstance(dim, int):
        return dim
    factors = [fixed.get(factor, factor) for factor in dim.split("*")]
    names = [factor for factor in factors if isinstance(factor, str) and not factor.isdigit()]
    times = math.prod(int(factor) for factor in factors if factor not in names)
    return "*".join([*names, *([str(times)] if times > 1 else [])]) if names else times


def _safe_names(inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Iterator[str]:
    """A tensor's own name where a package can have it, once; else a number."""
    every = [spec.name for spec in (*inputs, *outputs)]
    kinds = [f"input_{i}" for i in range(len(inputs))] + [
        f"output_{i}" for i in range(len(outputs))
    ]
    for index, (name, number) in enumerate(zip(every, kinds, strict=True)):
        fine = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and not _RESERVED.fullmatch(name)
        yield name if fine and name not in every[:index] else _free(number, every)


def _free(name: str, taken: Sequence[str]) -> str:
    return name if name not in taken else _free(f"{name}_", taken)


def packed(order: Order) -> dict[str, Any]:
    """The order as JSON can hold it, for the child."""
    here = replace(order, graph=replace(order.graph, folder=order.graph.folder.absolute()))
    plain: dict[str, Any] = _adapter(Order).dump_python(here, mode="json")
    return plain


def unpacked(plain: Mapping[str, Any]) -> Order:
    """What was packed."""
    order: Order = _adapter(Order).validate_python(plain)
    return order


def path(workspace: Workspace) -> list[str]:
    """The sys.path of a child that has coremltools besides. Raises ToolMissing."""
    return [*sys.path, str(beside.folder(LOCK, workspace))]


def write(folder: Path, made: Converted) -> None:
    """The end of a child's work: entries.json."""
    plain = _adapter(Converted).dump_python(made, mode="json")
    (folder / ENTRIES).write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def read(folder: Path) -> Converted:
    """What a converter's child left there."""
    text = (folder / ENTRIES).read_text(encoding="utf-8")
    made: Converted = _adapter(Converted).validate_python(json.loads(text))
    return made


def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind)
