"""Gives a graph the model's own names for its inputs and outputs, in the model's order.

Exporters are asked for safe temporary names, because an output named as an internal value
("embedding" beside a layer "embedding") makes them write a graph that defines one name twice.
Here such internal values step aside. Dynamic axes get their declared names too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from deploy_targets.errors import ConversionFailed
from deploy_targets.graph import walk
from deploy_targets.records import TensorSpec

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, ValueInfoProto


def name_boundary(
    model: ModelProto, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> None:
    """Renames by position.

    Raises ConversionFailed where the number of inputs or outputs differs, or where the graph has
    a number for a dynamic axis of an input.
    """
    graph = model.graph
    if len(graph.output) != len(outputs):
        raise ConversionFailed(
            f"the exported graph has {len(graph.output)} outputs, the model {len(outputs)}",
            hint="try another dialect",
        )
    for value, spec in zip(graph.input, inputs, strict=False):
        _refuse_burnt_in(value, spec)
    _one_value_per_output(graph)
    _rename_inputs_and_outputs(graph, inputs, outputs)
    for value, spec in zip((*graph.input, *graph.output), (*inputs, *outputs), strict=True):
        _declare_shape(value, spec)


def safe_names(prefix: str, count: int) -> list[str]:
    """Names that no model would use for an internal value."""
    return [f"deploy_target_{prefix}_{index}" for index in range(count)]


def _rename_inputs_and_outputs(
    graph: GraphProto, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> None:
    if len(graph.input) != len(inputs):
        raise ConversionFailed(
            f"the exported graph has {len(graph.input)} inputs, the model {len(inputs)}",
            hint="try another dialect, or drop the input that the model does not use",
        )
    boundary = dict(
        zip(
            (value.name for value in (*graph.input, *graph.output)),
            (spec.name for spec in (*inputs, *outputs)),
            strict=True,
        )
    )
    taken = walk.values(graph) | set(boundary.values())
    moved = {
        name: _unused(name, taken)
        for name in sorted(set(boundary.values()) & walk.values(graph) - set(boundary))
    }
    _rename(graph, {**boundary, **moved})


def _unused(name: str, taken: set[str]) -> str:
    number = 1
    while (candidate := f"{name}_inner_{number}") in taken:
        number += 1
    taken.add(candidate)
    return candidate


def _one_value_per_output(graph: GraphProto) -> None:
    """Puts an Identity before outputs that are an input, a weight, or another output."""
    from onnx import helper

    taken = {value.name for value in (*graph.input, *graph.initializer)}
    for index, output in enumerate(graph.output):
        if output.name in taken:
            copy = safe_names("copy", len(graph.output))[index]
            graph.node.append(helper.make_node("Identity", [output.name], [copy], copy))
            output.name = copy
        taken.add(output.name)


def _rename(graph: GraphProto, names: Mapping[str, str]) -> None:
    for each in walk.graphs(graph):
        for value in (*each.input, *each.output, *each.initializer, *each.value_info):
            value.name = names.get(value.name, value.name)
        for sparse in each.sparse_initializer:
            sparse.values.name = names.get(sparse.values.name, sparse.values.name)
        for node in each.node:
            node.input[:] = [names.get(name, name) for name in node.input]
            node.output[:] = [names.get(name, name) for name in node.output]


def _refuse_burnt_in(value: ValueInfoProto, spec: TensorSpec) -> None:
    """Exporters that give up on a dynamic axis say so here, and nowhere else."""
    for dim, size in zip(value.type.tensor_type.shape.dim, spec.shape, strict=False):
        if isinstance(size, str) and dim.HasField("dim_value"):
            raise ConversionFailed(
                f"the exported graph has {size} = {dim.dim_value} burnt in (input {spec.name})",
                hint=f"try another dialect, or keep Python numbers out of what depends on {size}: "
                "int(x.shape[1]) fixes it, x.shape[1] // 2 does not",
            )


def _declare_shape(value: ValueInfoProto, spec: TensorSpec) -> None:
    shape = value.type.tensor_type.shape
    shape.ClearField("dim")
    for size in spec.shape:
        dim = shape.dim.add()
        if isinstance(size, int):
            dim.dim_value = size
        else:
            dim.dim_param = size
