"""Loops in a TensorFlow graph, made fit for TensorFlow Lite.

In: a graph. Out: its definition, in which each copy of the model has loops of its own (`apart`),
for the converter gives a loop's body one shape; and in which each list that a loop fills knows the
shape of its elements (`settled`). What was traced for any batch says "any": it is read off a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy_targets.frontends.tensorflow_quiet import tensorflow

LOOPS = ("While", "StatelessWhile")
RESERVE, STACK = "TensorListReserve", "TensorListStack"


def apart(definition: Any, suffix: str) -> Any:
    """The GraphDef with its functions under names of their own."""
    copy = type(definition).FromString(definition.SerializeToString())
    names = {f.signature.name: f"{f.signature.name}_{suffix}" for f in copy.library.function}
    for function in copy.library.function:
        function.signature.name = names[function.signature.name]
    inside = (node for function in copy.library.function for node in function.node_def)
    for node in (*copy.node, *inside):
        for value in node.attr.values():
            for called in _called(value):
                if called.name in names:
                    called.name = names[called.name]
    return copy


def settled(graph: Any, values: Mapping[str, Any]) -> Any:
    """The GraphDef with the shapes filled in. `values`: placeholder -> array."""
    definition = graph.as_graph_def()
    lists = [(op, stack) for op in graph.get_operations() if (stack := _stacked(op)) is not None]
    if lists:
        with tensorflow().compat.v1.Session(graph=graph) as session:
            arrays = session.run([stack.outputs[0] for _, stack in lists], dict(values))
        nodes = {node.name: node for node in definition.node}
        for (reserve, stack), array in zip(lists, arrays, strict=True):
            _say(definition, nodes[reserve.name], 0, array.shape[1:])
            _say(definition, nodes[stack.name], 1, array.shape[1:])
    return definition


def _called(value: Any) -> Sequence[Any]:
    # Looking at a field that is not the one set would set it.
    kind = value.WhichOneof("value")
    return [value.func] if kind == "func" else list(value.list.func) if kind == "list" else []


def _stacked(op: Any) -> Any:
    """What makes a tensor of a list after the loop that fills it; None where nothing does."""
    if op.type != RESERVE:
        return None
    handle = op.outputs[0]
    for loop in handle.consumers():
        if loop.type not in LOOPS:
            continue
        at = next(i for i, tensor in enumerate(loop.inputs) if tensor is handle)
        for taker in loop.outputs[at].consumers():
            if taker.type == STACK:
                return taker
    return None


def _say(definition: Any, node: Any, index: int, shape: Sequence[int]) -> None:
    """A constant as an input of the node."""
    value = tensorflow().make_tensor_proto(list(shape), "int32", [len(shape)])
    made = definition.node.add(name=f"{node.name}/settled", op="Const")
    made.attr["dtype"].type = value.dtype
    if "shape_type" in node.attr:
        node.attr["shape_type"].type = value.dtype
    made.attr["value"].tensor.CopyFrom(value)
    node.input[index] = made.name
