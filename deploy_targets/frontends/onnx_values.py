"""What an ONNX graph says of its inputs and outputs. In: a graph. Out: tensor specs.

A file can leave out shapes, and state ones that are not so; what it says of its outputs is only
taken as it is where the model cannot be tried on made-up inputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends.arrays import check_dtype
from deploy_targets.frontends.flatten import declared
from deploy_targets.records import Dim, Signature, TensorSpec

if TYPE_CHECKING:
    from onnx import GraphProto, ValueInfoProto


def inputs(graph: GraphProto) -> Iterator[TensorSpec]:
    """The inputs that have no value in the file. Raises UnsupportedModel for what is no tensor."""
    weights = {tensor.name for tensor in graph.initializer}
    weights |= {tensor.values.name for tensor in graph.sparse_initializer}
    return (_input(value) for value in graph.input if value.name not in weights)


def outputs(graph: GraphProto) -> tuple[TensorSpec | None, ...]:
    """The outputs as stated; None for one of unstated shape. Raises UnsupportedModel likewise."""
    return tuple(
        TensorSpec(value.name, dtype, _shape(value))
        if value.type.tensor_type.HasField("shape")
        else None
        for value in graph.output
        for dtype in [_dtype(value)]
    )


def refuse_names(graph: GraphProto, named: Sequence[tuple[str, str]]) -> None:
    """Raises UnsupportedModel for outputs of one name, ConfigError where deploy.toml has others."""
    names = [value.name for value in graph.output]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UnsupportedModel(
            f"two outputs are named {twice[0]}", hint="put an Identity before one of them"
        )
    if named and {name for name, _ in named} != set(names):
        raise ConfigError(
            f"[outputs] declares {', '.join(name for name, _ in named)}; the file names them "
            f"{', '.join(names)}",
            hint="use the file's names: its graph is deployed as it is",
        )


def as_stated(
    given: Sequence[TensorSpec],
    stated: Sequence[TensorSpec | None],
    named: Sequence[tuple[str, str]],
) -> Signature | None:
    """The signature in the file's own words; None where a shape is unstated."""
    specs = [spec for spec in stated if spec is not None]
    if len(specs) < len(stated):
        return None
    names = declared([spec.name for spec in specs], named)
    renamed = (
        replace(spec, name=name, kind=kind) for spec, (name, kind) in zip(specs, names, strict=True)
    )
    return Signature(tuple(given), tuple(renamed))


def where_both_agree(found: Signature, stated: Sequence[TensorSpec | None]) -> Signature:
    """Sizes that made-up inputs gave, unless the file states others: those depend on values."""
    outputs = (
        replace(spec, shape=_agreed(spec, said)) if said is not None else spec
        for spec, said in zip(found.outputs, stated, strict=True)
    )
    return replace(found, outputs=tuple(outputs))


def _agreed(spec: TensorSpec, said: TensorSpec) -> tuple[Dim, ...]:
    if len(spec.shape) != len(said.shape):
        return spec.shape
    return tuple(
        f"{spec.name}_dim_{axis}" if isinstance(theirs, int) and ours != theirs else ours
        for axis, (ours, theirs) in enumerate(zip(spec.shape, said.shape, strict=True))
    )


def _input(value: ValueInfoProto) -> TensorSpec:
    dtype = _dtype(value)
    if not value.type.tensor_type.HasField("shape"):
        raise UnsupportedModel(
            f"input {value.name} does not say how many dimensions it has",
            hint="set its shape and save the graph again (onnx.helper.make_tensor_value_info)",
        )
    return TensorSpec(value.name, dtype, _shape(value))


def _shape(value: ValueInfoProto) -> tuple[Dim, ...]:
    shape: list[Dim] = []
    for axis, dim in enumerate(value.type.tensor_type.shape.dim):
        # A name with "*" would read as a product; -1 and no name at all mean dynamic.
        named = dim.dim_param if "*" not in dim.dim_param else ""
        fixed = dim.HasField("dim_value") and dim.dim_value >= 0
        shape.append(dim.dim_value if fixed else named or f"{value.name}_dim_{axis}")
    return tuple(shape)


def _dtype(value: ValueInfoProto) -> str:
    from onnx import TensorProto, helper

    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        shown = (kind or "value of no type").removesuffix("_type")
        raise UnsupportedModel(
            f"{value.name} is a {shown}; only tensors leave a model",
            hint="export with tensors alone (skl2onnx: options={'zipmap': False})",
        )
    if value.type.tensor_type.elem_type == TensorProto.STRING:
        return check_dtype(value.name, "str")
    if value.type.tensor_type.elem_type == TensorProto.BFLOAT16:
        raise UnsupportedModel(
            f"{value.name} is bfloat16, and ONNX Runtime in Python takes no arrays of that",
            hint="let the graph begin and end with a Cast from and to float32",
        )
    return check_dtype(
        value.name, helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name
    )
