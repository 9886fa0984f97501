"""Parts of a graph: all of it up to a node, and what computes one value from others.

In: a ModelProto, which is left as it is. Out: another one that a runtime can run by itself.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from deploy_targets.graph import walk

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

    from deploy_targets.records import Tensors


def reads(node: NodeProto) -> set[str]:
    """The values that a node needs, those that its bodies take from outside included."""
    needed = {name for name in node.input if name}
    for body in walk.bodies(node):
        held = {value.name for value in (*body.input, *body.initializer)}
        held |= {name for inner in body.node for name in inner.output}
        asked = {name for inner in body.node for name in reads(inner)}
        needed |= (asked | {value.name for value in body.output}) - held
    return needed


def frontier(graph: GraphProto, count: int) -> list[str]:
    """What the first `count` nodes computed and somebody still needs: the nodes after, the user.

    Where all of it agrees, everything after it is computed from values that agree.
    """
    needed = {value.name for value in graph.output}
    for node in graph.node[count:]:
        needed |= reads(node)
    made = [
        name for node in graph.node[:count] if node.op_type != "Constant" for name in node.output
    ]
    return [name for name in made if name in needed]


def prefix(model: ModelProto, count: int) -> ModelProto:
    """The first `count` nodes; the outputs are their live frontier."""
    outputs = frontier(model.graph, count)
    return _part(model, model.graph.node[:count], model.graph.input, outputs)


def makers(graph: GraphProto) -> dict[str, int]:
    """Value -> the number of the node that computes it."""
    return {name: index for index, node in enumerate(graph.node) for name in node.output if name}


def needed_for(
    graph: GraphProto, value: str, known: Container[str], made: Mapping[str, int] | None = None
) -> tuple[list[int], set[str]]:
    """The nodes that compute `value` from values that are known, in order, and which of those.

    `made`: the graph's `makers`, for who asks more than once.
    """
    made = makers(graph) if made is None else made
    todo, chosen, used = [made[value]], set[int](), set[str]()
    while todo:
        index = todo.pop()
        if index in chosen:
            continue
        chosen.add(index)
        for name in reads(graph.node[index]):
            if name in known:
                used.add(name)
            elif name in made:
                todo.append(made[name])
    return sorted(chosen), used


def between(model: ModelProto, known: Tensors, value: str) -> ModelProto:
    """What computes one value; the known values that it needs are its inputs."""
    from onnx import helper

    nodes, used = needed_for(model.graph, value, known)
    inputs = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(known[name].dtype), known[name].shape
        )
        for name in sorted(used)
    ]
    return _part(model, [model.graph.node[i] for i in nodes], inputs, [value])


def _part(
    model: ModelProto,
    nodes: Sequence[NodeProto],
    inputs: Iterable[ValueInfoProto],
    outputs: Iterable[str],
) -> ModelProto:
    """Weights that no node needs are left out."""
    import onnx

    part = onnx.ModelProto(ir_version=model.ir_version)
    part.opset_import.extend(model.opset_import)
    part.functions.extend(model.functions)
    graph, whole = part.graph, model.graph
    graph.name = whole.name
    graph.node.extend(nodes)
    graph.input.extend(inputs)
    used = {name for node in nodes for name in reads(node)}
    graph.initializer.extend(t for t in whole.initializer if t.name in used)
    graph.sparse_initializer.extend(t for t in whole.sparse_initializer if t.values.name in used)
    declared = {value.name: value for value in whole.output}
    # Without a type where it is an internal value: the runtime infers it.
    graph.output.extend(declared.get(name) or onnx.ValueInfoProto(name=name) for name in outputs)
    return part
