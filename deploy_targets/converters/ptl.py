"""What is ordered of the converter to PyTorch's lite interpreter, and reading back what it made.

In: an Order: a captured Graph (Dialect.TORCHSCRIPT) and its Signature. Out, in the converter's
folder: model.ptl, whose one method is "forward"; entries.json, how it is called, its bytecode and
the operators that its runtime has to know; and convert.log, which never ships.

Datatypes that the Java and Kotlin of the runtime do not have are cast at the boundary, and the
ports say so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy_targets.records import Entry, Graph, Port, Signature, TensorSpec
from deploy_targets.workspace import digest_of, digest_of_file

FILE, ENTRIES, LOG = "model.ptl", "entries.json", "convert.log"
KIND = "ptl"
"""The kind under which the workspace keeps what was converted."""
METHOD = "forward"
CARRIED = frozenset({"float32", "float64", "uint8", "int8", "int32", "int64"})
"""What org.pytorch.Tensor can hold."""
CAST = {"bool": "uint8", "int16": "int32", "float16": "float32"}
"""Datatype of the model -> one at the boundary that holds all its values."""


@dataclass(frozen=True)
class Order:
    """What the converter is asked for."""

    graph: Graph
    signature: Signature
    freeze: bool = True


@dataclass(frozen=True)
class Converted:
    """How model.ptl is called, what made it, and what its reader must know."""

    entry: Entry
    tools: dict[str, str]
    bytecode: int
    operators: tuple[str, ...]
    notes: tuple[str, ...] = ()


def problems(signature: Signature) -> tuple[str, ...]:
    """What is known to be impossible before anything is converted."""
    return tuple(
        f"{spec.name} is {spec.dtype}, which the Android API of PyTorch does not have; cast it in "
        "the model"
        for spec in (*signature.inputs, *signature.outputs)
        if carried(spec.dtype) not in CARRIED
    )


def carried(dtype: str) -> str:
    """The datatype at the boundary of what is this in the model."""
    return CAST.get(dtype, dtype)


def entry(signature: Signature) -> Entry:
    """The one entry of a .ptl: tensors by position, with the model's dynamic axes."""
    return Entry(METHOD, _ports(signature.inputs), _ports(signature.outputs))


def _ports(specs: Sequence[TensorSpec]) -> tuple[Port, ...]:
    return tuple(Port(replace(spec, dtype=carried(spec.dtype)), spec.name) for spec in specs)


def key(order: Order) -> str:
    """What decides the bytes: the graph's own, the order, PyTorch, and this program's code."""
    from importlib.metadata import version

    return digest_of(
        digest_of_file(order.graph.folder / "model.pt"),
        _adapter(Signature).dump_python(order.signature, mode="json"),
        order.freeze,
        version("torch"),
        [digest_of_file(file) for file in sorted(Path(__file__).parent.glob("ptl*.py"))],
    )


def packed(order: Order) -> dict[str, Any]:
    """The order as JSON can hold it, for the child."""
    here = replace(order, graph=replace(order.graph, folder=order.graph.folder.absolute()))
    plain: dict[str, Any] = _adapter(Order).dump_python(here, mode="json")
    return plain


def unpacked(plain: dict[str, Any]) -> Order:
    """What was packed."""
    order: Order = _adapter(Order).validate_python(plain)
    return order


def read(folder: Path) -> Converted:
    """What the converter left there."""
    text = (folder / ENTRIES).read_text(encoding="utf-8")
    made: Converted = _adapter(Converted).validate_python(json.loads(text))
    return made


def write(made: Converted, folder: Path) -> None:
    """entries.json."""
    plain = _adapter(Converted).dump_python(made, mode="json")
    (folder / ENTRIES).write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")


def _adapter(kind: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind)
