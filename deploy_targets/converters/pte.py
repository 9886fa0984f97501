"""What is ordered of the converter to ExecuTorch, and reading back what it made.

In: an Order: a captured Graph (Dialect.EXPORTED), its Signature, the backend, and which dynamic
axes shall have one size. Out, in the converter's folder: model.pte, whose one method is "forward";
entries.json, how it is called and what its reader must know; report.json, what was done to the
program and what of it the backend computes; and convert.log, which never ships.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from deploy_targets.errors import ConfigError
from deploy_targets.records import Dim, Entry, Graph, Port, Signature, TensorSpec

FILE, ENTRIES, REPORT, LOG = "model.pte", "entries.json", "report.json", "convert.log"
METHOD = "forward"
Backend = Literal["xnnpack", "portable"]
DTYPES = frozenset(
    {"float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64"}
    | {"uint8", "bool"}
)
"""What goes in and comes out as it is in the model; ExecuTorch's kernels know no other."""
LARGEST_ARENA = 2**30
"""Bytes of planned memory above which a dynamic axis is refused."""


@dataclass(frozen=True)
class Order:
    """What the converter is asked for."""

    graph: Graph
    signature: Signature
    backend: Backend = "xnnpack"
    fixed: Mapping[str, int] = field(default_factory=dict)
    """Dynamic axes that shall have one size. All others stay dynamic within their range."""


@dataclass(frozen=True)
class Converted:
    """How model.pte is called, what made it, what its reader must know, and how it came about."""

    entries: tuple[Entry, ...]
    tools: Mapping[str, str]
    notes: tuple[str, ...] = ()
    report: Mapping[str, Any] = field(default_factory=dict)


def problems(signature: Signature) -> tuple[str, ...]:
    """What is known to be impossible before anything is converted."""
    return tuple(
        f"{spec.name} is {spec.dtype}, which ExecuTorch's kernels do not take; cast it in the model"
        for spec in (*signature.inputs, *signature.outputs)
        if spec.dtype not in DTYPES
    )


def settled(order: Order) -> Signature:
    """The signature with the ordered axes fixed. Raises ConfigError for one that cannot be."""
    signature = order.signature
    ranges = {axis.name: (axis.minimum, axis.maximum) for axis in signature.axes}
    for name, size in order.fixed.items():
        if name not in ranges:
            raise ConfigError(
                f"the model has no dynamic axis {name!r}; it has {sorted(ranges)}",
                hint="name one of [axes] in deploy.toml",
            )
        low, high = ranges[name]
        if not low <= size <= high:
            raise ConfigError(
                f"{name} = {size} is not within {low}..{high}",
                hint="choose a size that [axes] allows",
            )
    return replace(
        signature,
        inputs=tuple(_fixed(signature.inputs, order.fixed)),
        outputs=tuple(_fixed(signature.outputs, order.fixed)),
        axes=tuple(axis for axis in signature.axes if axis.name not in order.fixed),
        batch=None if signature.batch in order.fixed else signature.batch,
    )


def entry(signature: Signature) -> Entry:
    """The one entry of a .pte: tensors by position, each as the model has it."""
    return Entry(
        METHOD,
        tuple(Port(spec, spec.name) for spec in signature.inputs),
        tuple(Port(spec, spec.name) for spec in signature.outputs),
    )


def packed(order: Order) -> dict[str, Any]:
    """The order as JSON can hold it, for the child."""
    here = replace(order, graph=replace(order.graph, folder=order.graph.folder.absolute()))
    plain: dict[str, Any] = _adapter(Order).dump_python(here, mode="json")
    return plain


def unpacked(plain: Mapping[str, Any]) -> Order:
    """What was packed."""
    order: Order = _adapter(Order).validate_python(plain)
    return order


def read(folder: Path) -> Converted:
    """What the converter left there."""
    text = (folder / ENTRIES).read_text(encoding="utf-8")
    made: Converted = _adapter(Converted).validate_python(json.loads(text))
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    return replace(made, report=report)


def write(made: Converted, folder: Path) -> None:
    """entries.json and report.json."""
    plain = _adapter(Converted).dump_python(replace(made, report={}), mode="json")
    del plain["report"]
    for name, what in ((ENTRIES, plain), (REPORT, made.report)):
        (folder / name).write_text(json.dumps(what, indent=1) + "\n", encoding="utf-8")


def _fixed(specs: tuple[TensorSpec, ...], sizes: Mapping[str, int]) -> Iterator[TensorSpec]:
    for spec in specs:
        yield replace(spec, shape=tuple(_dim(dim, sizes) for dim in spec.shape))


def _dim(dim: Dim, sizes: Mapping[str, int]) -> Dim:
    """ "batch*time" with time = 36 is "batch*36", and with both a number."""
    if isinstance(dim, int):
        return dim
    number, names = 1, []
    for factor in dim.split("*"):
        if factor.isdigit() or factor in sizes:
            number *= int(factor) if factor.isdigit() else sizes[factor]
        else:
            names.append(factor)
    if not names:
        return number
    return "*".join([*names, *([str(number)] if number > 1 else [])])


def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind)
