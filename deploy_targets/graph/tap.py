"""A graph with its intermediate values as outputs, and how many bytes they would take.

In: a ModelProto, which is left as it is. Out: another one. Sequences, optionals and dtypes that
numpy lacks cannot be shown, and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TypeProto

    from deploy_targets.records import Tensors

SMALL = 1024
"""Elements of a weight that inference of shapes may look into: it holds sizes, not parameters."""
UNKNOWN = 4
"""Bytes of an element whose dtype cannot be told."""


def values(graph: GraphProto) -> list[str]:
    """What nodes compute, in order; the values of Constant nodes are weights, and are not here."""
    return [
        name for node in graph.node if node.op_type != "Constant" for name in node.output if name
    ]


def tap(model: ModelProto, names: Sequence[str]) -> ModelProto:
    """The graph with these values as its only outputs, in this order."""
    import onnx

    tapped = onnx.ModelProto()
    tapped.CopyFrom(model)
    known = {value.name: value for value in model.graph.output}
    del tapped.graph.output[:]
    for name in names:
        # Without a type: the runtime infers it.
        tapped.graph.output.append(known.get(name) or onnx.ValueInfoProto(name=name))
    return tapped


def measured(model: ModelProto, feeds: Tensors) -> dict[str, tuple[int, ...] | None]:
    """The shape of each value that can be shown, for these inputs; None where it is not known."""
    types = dict(_types(model, feeds))
    return {
        name: _shape(types[name]) if name in types else None
        for name in values(model.graph)
        if name not in types or _can_be_shown(types[name])
    }


def chunks(shapes: Mapping[str, tuple[int, ...] | None], limit: int) -> Iterator[list[str]]:
    """The values in order, in groups of at most `limit` bytes. One too large is alone.

    A value of unknown shape is taken to be as large as the largest known.
    """
    sizes = {
        name: math.prod(shape) * UNKNOWN for name, shape in shapes.items() if shape is not None
    }
    largest = max(sizes.values(), default=UNKNOWN)
    group: list[str] = []
    full = 0
    for name in shapes:
        size = sizes.get(name, largest)
        if group and full + size > limit:
            yield group
            group, full = [], 0
        group.append(name)
        full += size
    if group:
        yield group


def _types(model: ModelProto, feeds: Tensors) -> Iterator[tuple[str, TypeProto]]:
    import onnx

    light = _without_weights(model)
    for value in light.graph.input:
        if value.name in feeds:
            del value.type.tensor_type.shape.dim[:]
            for size in feeds[value.name].shape:
                value.type.tensor_type.shape.dim.add().dim_value = size
    for value in light.graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(light, data_prop=True)
    for value in (*inferred.graph.value_info, *inferred.graph.output):
        yield value.name, value.type


def _without_weights(model: ModelProto) -> ModelProto:
    """The graph with its larger weights as inputs: inference ends at 2 GB of them."""
    import onnx
    from onnx import helper

    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    light.graph.name = model.graph.name
    light.graph.node.extend(model.graph.node)
    light.graph.input.extend(model.graph.input)
    light.graph.output.extend(model.graph.output)
    declared = {value.name for value in model.graph.input}
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= SMALL:
            light.graph.initializer.append(tensor)
        elif tensor.name not in declared:
            light.graph.input.append(
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    return light


def _shape(kind: TypeProto) -> tuple[int, ...] | None:
    if not kind.tensor_type.HasField("shape"):
        return None
    dims = kind.tensor_type.shape.dim
    if not all(dim.HasField("dim_value") for dim in dims):
        return None
    return tuple(dim.dim_value for dim in dims)


def _can_be_shown(kind: TypeProto) -> bool:
    from onnx import helper

    if kind.WhichOneof("value") is None:
        return True
    if not kind.HasField("tensor_type"):
        return False
    dtype = helper.tensor_dtype_to_np_dtype(kind.tensor_type.elem_type)
    # bfloat16, float8 and int4 are of ml_dtypes, and ONNX Runtime does not hand them to numpy.
    return dtype.isbuiltin == 1 or dtype.kind in "OUS"
