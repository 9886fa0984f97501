"""Deep seeded graphs, and faults planted at one node of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

Plant = Callable[[ModelProto, NodeProto], NodeProto]
"""Spoils a graph at a node; returns the node that must be named."""


def deep(blocks: int, seed: int = 0) -> ModelProto:
    """x f32[n,8,8,8] -> y: blocks of Conv, BatchNormalization, LeakyRelu, Add, Relu."""
    draw = np.random.default_rng(seed).normal
    nodes: list[NodeProto] = []
    held: dict[str, np.ndarray] = {}
    last = "x"
    for block in range(blocks):
        at = f"b{block}"
        held[f"{at}.w"] = draw(size=(8, 8, 3, 3)) / 8
        held[f"{at}.bias"] = draw(size=8) / 4
        held |= {f"{at}.{name}": draw(size=8) / 4 + 1 for name in ("scale", "mean")}
        held |= {f"{at}.shift": draw(size=8) / 4, f"{at}.var": np.abs(draw(size=8)) + 0.5}
        nodes += [
            _node("Conv", [last, f"{at}.w", f"{at}.bias"], f"{at}.conv", pads=[1] * 4),
            _node(
                "BatchNormalization",
                [f"{at}.conv", *(f"{at}.{n}" for n in ("scale", "shift", "mean", "var"))],
                f"{at}.norm",
            ),
            _node("LeakyRelu", [f"{at}.norm"], f"{at}.leaky", alpha=0.1),
            _node("Add", [f"{at}.leaky", last], f"{at}.add"),
            _node("Relu", [f"{at}.add"], f"{at}.relu"),
        ]
        last = f"{at}.relu"
    nodes.append(_node("Identity", [last], "y"))
    sizes = ["n", 8, 8, 8]
    graph = helper.make_graph(
        nodes,
        "deep",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, sizes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, sizes)],
        [numpy_helper.from_array(a.astype(np.float32), name) for name, a in held.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def question(rows: int = 2, seed: int = 1) -> dict[str, np.ndarray]:
    """Inputs for a deep graph."""
    return {"x": np.random.default_rng(seed).normal(size=(rows, 8, 8, 8)).astype(np.float32)}


def _node(operator: str, inputs: list[str], output: str, **more: object) -> NodeProto:
    return helper.make_node(operator, inputs, [output], name=f"{output}.node", **more)


def copied(model: ModelProto) -> ModelProto:
    """Another one, to spoil."""
    other = ModelProto()
    other.CopyFrom(model)
    return other


def float_weights(model: ModelProto, node: NodeProto) -> Iterator[TensorProto]:
    """The float weights of a node."""
    named = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in node.input:
        if name in named and named[name].data_type == TensorProto.FLOAT:
            yield named[name]


def weight_changed(model: ModelProto, node: NodeProto) -> NodeProto:
    """The largest weight of the node is half as large again."""
    tensor = next(float_weights(model, node))
    array = np.array(numpy_helper.to_array(tensor))
    array.flat[np.abs(array).argmax()] *= 1.5
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return node


def weights_rounded(model: ModelProto, node: NodeProto) -> NodeProto:
    """The weights of the node went through float16."""
    tensor = next(float_weights(model, node))
    array = numpy_helper.to_array(tensor).astype(np.float16).astype(np.float32)
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    return node


def attribute_changed(model: ModelProto, node: NodeProto) -> NodeProto:
    """An epsilon of a norm, the slope of a LeakyRelu."""
    name, value = {"BatchNormalization": ("epsilon", 0.1), "LeakyRelu": ("alpha", 0.2)}[
        node.op_type
    ]
    kept = [a for a in node.attribute if a.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])
    return node


def removed(model: ModelProto, node: NodeProto) -> NodeProto:
    """The node is gone; who read it reads what it read."""
    gone = NodeProto()
    gone.CopyFrom(node)
    for other in model.graph.node:
        other.input[:] = [gone.input[0] if n == gone.output[0] else n for n in other.input]
    model.graph.node.remove(node)
    return gone


def removed_in_place(model: ModelProto, node: NodeProto) -> NodeProto:
    """The node is gone; what it read has its name now."""
    gone = NodeProto()
    gone.CopyFrom(node)
    model.graph.node.remove(node)
    for other in model.graph.node:
        other.input[:] = [gone.output[0] if n == gone.input[0] else n for n in other.input]
        other.output[:] = [gone.output[0] if n == gone.input[0] else n for n in other.output]
    return gone


def after(model: ModelProto, node: NodeProto, *made: NodeProto) -> None:
    """Puts nodes behind a node: the first reads "<output> raw", the last writes its output."""
    at = list(model.graph.node).index(node) + 1
    node.output[0] += " raw"
    nodes = [*model.graph.node[:at], *made, *model.graph.node[at:]]
    copies = [copy for each in nodes for copy in [NodeProto()] if copy.CopyFrom(each) is None]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def transposed(model: ModelProto, node: NodeProto) -> NodeProto:
    """The last two axes of what it gives are exchanged; they have the same size."""
    name = node.output[0]
    turn = helper.make_node("Transpose", [f"{name} raw"], [name], "planted", perm=[0, 1, 3, 2])
    after(model, node, turn)
    return turn


def narrowed(model: ModelProto, node: NodeProto) -> NodeProto:
    """What it gives goes through float16."""
    name = node.output[0]
    down = helper.make_node("Cast", [f"{name} raw"], [f"{name} half"], "planted", to=10)
    up = helper.make_node("Cast", [f"{name} half"], [name], "planted back", to=1)
    after(model, node, down, up)
    return down


def renamed(model: ModelProto) -> ModelProto:
    """Every internal value and node has another name, as a tool would give them."""
    other = copied(model)
    kept = {value.name for value in (*other.graph.input, *other.graph.output)}
    kept |= {tensor.name for tensor in other.graph.initializer}
    names: dict[str, str] = {}
    for index, node in enumerate(other.graph.node):
        node.name = f"n{index}"
        for name in node.output:
            names[name] = name if name in kept else f"v{len(names)}"
    for node in other.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    return other


def overflowing(model: ModelProto, block: int) -> None:
    """Right as it is written; but with the norm multiplied into them, the weights are infinite.

    Fusing the two is what optimisers do.
    """
    at, held = f"b{block}", {tensor.name: tensor for tensor in model.graph.initializer}
    for name, factor in ((f"{at}.w", 1e25), (f"{at}.scale", 1e15), (f"{at}.shift", 1e15)):
        array = numpy_helper.to_array(held[name]) * np.float32(factor)
        held[name].CopyFrom(numpy_helper.from_array(array, name))
    for name, value in (("down", 1e-25), ("up", 1e-15)):
        model.graph.initializer.append(numpy_helper.from_array(np.float32(value), name))
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        if node.name == f"{at}.conv.node":
            nodes.append(_node("Mul", [node.input[0], "down"], "small"))
            node.input[0] = "small"
        nodes.append(node)
        if node.name == f"{at}.norm.node":
            back = helper.make_node("Mul", ["large", "up"], [node.output[0]], "back.node")
            nodes.append(back)
            node.output[0] = "large"
    copies = [copy for each in nodes for copy in [NodeProto()] if copy.CopyFrom(each) is None]
    del model.graph.node[:]
    model.graph.node.extend(copies)
