"""What every converter to TensorFlow Lite has in common: the order, and reading back what it made.

In: an Order: a captured Graph, its Signature, the sizes that each entry is for (a .tflite has no
dynamic axes, so each size of the batch is a signature of its own, and all share the weights), and
how its tensors shall lie. Out, in the converter's folder: model.tflite; entries.json, how it is
called, as LiteRT reads it from the file; and convert.log, which never ships. To add a converter:
`convert(order, folder, workspace, *, timeout) -> Converted`, whose child calls `write` at the end.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.integrations import beside
from deploy_targets.records import Dim, Entry, Graph, Port, Signature, TensorSpec
from deploy_targets.workspace import Workspace

FILE, ENTRIES, LOG = "model.tflite", "entries.json", "convert.log"
BATCHES = (1, 8)
"""Sizes of the batch that are made where nobody says otherwise: one answer, and many."""
DTYPES = frozenset({"float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"})
"""What the boundary of the model may hold; of floats and integers 64 bits become 32."""

_NOT_RUN = re.compile(r"(?:builtin opcode '|custom op: |Select TensorFlow op\(s\), .*?: )(\w+)")


@dataclass(frozen=True)
class Fixed:
    """An entry to make: its name, and the size of every dynamic axis in it."""

    name: str
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Order:
    """What a converter is asked for."""

    graph: Graph
    signature: Signature
    entries: tuple[Fixed, ...]
    layouts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Per input that shall lie in another order: artifact = model.transpose(axes)."""
    half: bool = False
    """Whether the weights are float16. What goes in and comes out stays float32."""


@dataclass(frozen=True)
class Converted:
    """How model.tflite is called, what made it, and what its reader must know."""

    entries: tuple[Entry, ...]
    tools: Mapping[str, str]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Named:
    """The tensors' names in the file, in the signature's order, and how the outputs lie there."""

    inputs: Sequence[str]
    outputs: Sequence[str]
    layouts: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Per output, under the model's name, that lies in another order: like Order.layouts."""


def fixed(
    signature: Signature, batches: Sequence[int] = BATCHES, sizes: Mapping[str, int] | None = None
) -> tuple[Fixed, ...]:
    """One entry for each size of the batch that the model takes. `sizes`: of all other axes.

    An axis of which nothing is said gets the first size that tells it from others; the caller
    should report it.
    """
    from deploy_targets.frontends.signature import sizes_to_run

    others = {**sizes_to_run(signature.axes)[0], **(sizes or {})} if signature.axes else {}
    axis = next((axis for axis in signature.axes if axis.name == signature.batch), None)
    if axis is None:
        return (Fixed("main", others),)
    fitting = sorted({min(max(size, axis.minimum), axis.maximum) for size in batches})
    return tuple(Fixed(f"b{size}", {**others, axis.name: size}) for size in fitting)


def problems(signature: Signature) -> tuple[str, ...]:
    """What is known to be impossible before anything is converted."""
    return tuple(
        f"{spec.name} is {spec.dtype}, which the boundary of a .tflite cannot hold"
        for spec in (*signature.inputs, *signature.outputs)
        if spec.dtype not in DTYPES
    )


def described(signature: Signature) -> dict[str, Any]:
    """The signature as JSON can hold it."""
    plain: dict[str, Any] = _adapter(Signature).dump_python(signature, mode="json")
    return plain


def packed(order: Order) -> dict[str, Any]:
    """The order as JSON can hold it, for the child."""
    here = replace(order, graph=replace(order.graph, folder=order.graph.folder.absolute()))
    plain: dict[str, Any] = _adapter(Order).dump_python(here, mode="json")
    return plain


def unpacked(plain: Mapping[str, Any]) -> Order:
    """What was packed."""
    order: Order = _adapter(Order).validate_python(plain)
    return order


def path(lock: str, workspace: Workspace) -> list[str]:
    """The sys.path of a child that has the packages of this lock besides. Raises ToolMissing."""
    return [*sys.path, str(beside.folder(lock, workspace))]


def read(folder: Path) -> Converted:
    """What a converter's child left there."""
    text = (folder / ENTRIES).read_text(encoding="utf-8")
    made: Converted = _adapter(Converted).validate_python(json.loads(text))
    return made


def write(
    order: Order,
    folder: Path,
    names: Named,
    *,
    who: str,
    tools: Mapping[str, str],
    notes: Sequence[str] = (),
) -> None:
    """The end of a child's work: entries.json, read back from model.tflite by LiteRT.

    Raises UnsupportedModel where LiteRT cannot run the file, ConversionFailed where its tensors
    are not those that were ordered. `who` made it.
    """
    entries = tuple(_entry(order, fixed, folder / FILE, names, who) for fixed in order.entries)
    made = _adapter(Converted).dump_python(Converted(entries, tools, tuple(notes)), mode="json")
    (folder / ENTRIES).write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def _entry(order: Order, fixed: Fixed, file: Path, names: Named, who: str) -> Entry:
    """The entry as the file has it."""
    from ai_edge_litert.interpreter import (  # type: ignore[import-not-found,unused-ignore]
        Interpreter,
    )

    try:
        runner = Interpreter(str(file)).get_signature_runner(fixed.name)
    except (ValueError, RuntimeError) as error:
        raise _unrunnable(error, who) from error
    wanted = order.signature
    inputs = _Side(wanted.inputs, names.inputs, order.layouts, runner.get_input_details())
    outputs = _Side(wanted.outputs, names.outputs, names.layouts, runner.get_output_details())
    return Entry(fixed.name, _ports(inputs, fixed.sizes, who), _ports(outputs, fixed.sizes, who))


@dataclass(frozen=True)
class _Side:
    """The inputs, or the outputs: as declared, and as the file has them."""

    specs: Sequence[TensorSpec]
    names: Sequence[str]
    layouts: Mapping[str, tuple[int, ...]]
    found: Mapping[str, Mapping[str, Any]]


def _ports(side: _Side, sizes: Mapping[str, int], who: str) -> tuple[Port, ...]:
    if set(side.found) != set(side.names):
        raise ConversionFailed(
            f"{who} wrote the tensors {sorted(side.found)}, expected {sorted(side.names)}",
            hint="let the model return every output, each once, and use every input",
        )
    return tuple(
        _port(spec, name, side.layouts.get(spec.name), side.found[name], sizes, who)
        for spec, name in zip(side.specs, side.names, strict=True)
    )


def _port(
    spec: TensorSpec,
    name: str,
    axes: tuple[int, ...] | None,
    found: Mapping[str, Any],
    sizes: Mapping[str, int],
    who: str,
) -> Port:
    import numpy as np

    shape = tuple(int(size) for size in found["shape"])
    declared = spec.shape if axes is None else tuple(spec.shape[axis] for axis in axes)
    if not _fits(declared, shape, sizes):
        raise ConversionFailed(
            f"{who} gave {spec.name} the shape {list(shape)}, expected "
            f"[{', '.join(map(str, declared))}] at {dict(sizes)}",
            hint="name the axes of its shape, or try another dialect",
        )
    dtype = np.dtype(found["dtype"]).name
    return Port(replace(spec, name=name, dtype=dtype, shape=shape), spec.name, axes)


def _fits(declared: Sequence[Dim], shape: Sequence[int], sizes: Mapping[str, int]) -> bool:
    """A dim of unknown name ("scores_dim_1") may have any size."""

    def fits(dim: Dim, size: int) -> bool:
        factors = [int(f) if f.isdigit() else sizes.get(f) for f in str(dim).split("*")]
        known = [factor for factor in factors if factor is not None]
        return len(known) < len(factors) or math.prod(known) == size

    return len(declared) == len(shape) and all(map(fits, declared, shape))


def _unrunnable(error: Exception, who: str) -> Exception:
    """UnsupportedModel where LiteRT names an operator; else the error as it is."""
    if found := _NOT_RUN.search(str(error)):
        return UnsupportedModel(
            f"LiteRT cannot run {found[1]}, to which {who} turned a part of the model",
            hint="write it with other operators, or use a runtime that takes ONNX",
        )
    return error


def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind)
