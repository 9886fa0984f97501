"""A graph whose every floating operand is moved by an ulp at random while it runs.

In: a graph. Out: the same graph with random factors beside 1 before each operation that rounds,
and behind each sum what adding up its terms one after another would cost.
What its answers stray is how sure the graph is of them (see frontends/rounding.py, which does the
same to PyTorch). Numbers that float16 can hold stay: they are most likely exact everywhere
(positions, masks, halves), and moving them could make a step jump.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

PREFIX = "__ulp"

FIRST_ONLY = frozenset({"Clip", "Pow", "QuantizeLinear", "Resize", "Upsample", "Dropout"})
"""Their other operands are settings, which no implementation rounds."""

IN_SEQUENCE = 0.4
"""A sum of K terms is off by this many halves of an ulp times the root of K, as in PyTorch's."""

BOUNDED = frozenset({"Sigmoid", "Tanh", "Erf", "LSTM", "GRU", "RNN"})
"""Runtimes compute them by polynomials, right to an ulp of their range and not of each value."""

# fmt: off
SUMS = frozenset((
    "Conv", "ConvTranspose", "CumSum", "GRU", "Gemm", "GlobalAveragePool", "LSTM",
    "LayerNormalization", "MatMul", "ReduceL2", "ReduceMean", "ReduceSum", "ReduceSumSquare",
    "Softmax",
))
MOVES = frozenset((
    "ArgMax", "ArgMin", "Cast", "CastLike", "Concat", "Constant", "ConstantOfShape",
    "DequantizeLinear", "Equal", "Expand", "EyeLike", "Flatten", "Floor", "Ceil", "Round",
    "Gather", "GatherElements", "GatherND", "Greater", "GreaterOrEqual", "Identity", "If",
    "IsInf", "IsNaN", "Less", "LessOrEqual", "Loop", "Max", "MaxPool", "Min", "Mod",
    "NonMaxSuppression", "NonZero", "Not", "OneHot", "Pad", "RandomNormal", "RandomNormalLike",
    "RandomUniform", "RandomUniformLike", "Range", "Relu", "Reshape", "Scan", "ScatterElements",
    "ScatterND", "Shape", "Sign", "Size", "Slice", "Split", "Squeeze", "TopK", "Transpose",
    "Tile", "Unique", "Unsqueeze", "Where", "Bernoulli", "Multinomial",
))
# fmt: on
"""Operations that move numbers or compare them, and round nothing."""


def jitter(model: ModelProto, seed: int) -> ModelProto:
    """A copy; `seed` decides which way each number moves."""
    import onnx

    moved = onnx.ModelProto()
    moved.CopyFrom(model)
    kinds, shapes = _values(model)
    nodes: list[NodeProto] = []
    for node in model.graph.node:
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        for index in _operands(node):
            kind = kinds.get(node.input[index])
            if kind == onnx.TensorProto.FLOAT:
                name = f"{PREFIX}_{len(nodes)}"
                nodes += _before(node.input[index], name, seed + 7919 * len(nodes))
                changed.input[index] = name
        nodes.append(changed)
        if kinds.get(changed.output[0]) == onnx.TensorProto.FLOAT:
            # Each node draws by itself: what they strayed together would add up.
            name, own = f"{PREFIX}_{len(nodes)}", seed + 7919 * len(nodes)
            blurred = _blurred(changed, name, own) if changed.op_type in BOUNDED else []
            if changed.op_type in SUMS:
                nodes += _behind(changed, _terms(node, shapes), f"{name}s", own)
            nodes += blurred
    del moved.graph.node[:]
    moved.graph.node.extend(nodes)
    return moved


def _operands(node: NodeProto) -> Iterator[int]:
    if node.domain in ("", "ai.onnx") and node.op_type in MOVES:
        return
    count = 1 if node.op_type in FIRST_ONLY else len(node.input)
    yield from (index for index in range(count) if node.input[index])


def _values(model: ModelProto) -> tuple[dict[str, int], dict[str, list[int]]]:
    """The element type and the shape (0 where a size is unknown) of every value that is known."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    kinds = {value.name: value.type.tensor_type.elem_type for value in values}
    kinds |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}
    return kinds, shapes | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


def _terms(node: NodeProto, shapes: dict[str, list[int]]) -> float:
    """How many terms each number of a node's output is the sum of; 0 where that is unknown."""
    first, last = (shapes.get(node.input[i], []) for i in (0, min(1, len(node.input) - 1)))
    if node.op_type in ("Conv", "ConvTranspose") and len(last) > 2:
        return math.prod(last) / last[node.op_type == "ConvTranspose"]
    if node.op_type in ("Softmax", "LayerNormalization", "LSTM", "GRU", "RNN"):
        return float(first[-1]) if first else 0.0
    if node.op_type == "Gemm":
        turned = any(a.name == "transB" and a.i for a in node.attribute)
        return float(last[1 if turned else 0]) if len(last) == 2 else 0.0
    if node.op_type == "MatMul":
        inner = (last[-2] if len(last) > 1 else 0) or (first[-1] if first else 0)
        return float(inner)
    return 0.0


def _blurred(node: NodeProto, name: str, seed: int) -> list[NodeProto]:
    """The nodes that move what `node` gives by half an ulp of one."""
    from onnx import helper

    value = node.output[0]
    node.output[0] = raw = f"{name}_raw"
    off, draw = f"{name}_n", float(seed % 65521)
    return [
        helper.make_node("RandomNormalLike", [raw], [off], scale=2.0**-24, seed=draw),
        helper.make_node("Add", [raw, off], [value]),
    ]


def _behind(node: NodeProto, terms: float, name: str, seed: int) -> list[NodeProto]:
    """The nodes that move what `node` gives, which they take over under its name."""
    from onnx import helper

    value = node.output[0]
    node.output[0] = raw = f"{name}_raw"
    make = helper.make_node
    scale = IN_SEQUENCE * 2.0**-24 * math.sqrt(terms or 1)
    made = [
        make("RandomNormalLike", [raw], [f"{name}_n"], scale=scale, seed=float(seed % 65521)),
        make("Abs", [raw], [f"{name}_a"]),
        make("ReduceL2", [raw], [f"{name}_l"], keepdims=0),
        make("Size", [raw], [f"{name}_c"]),
        make("Cast", [f"{name}_c"], [f"{name}_cf"], to=1),
        make("Sqrt", [f"{name}_cf"], [f"{name}_r"]),
        make("Div", [f"{name}_l", f"{name}_r"], [f"{name}_rms"]),
        make("Max", [f"{name}_a", f"{name}_rms"], [f"{name}_s"]),
        make("Mul", [f"{name}_s", f"{name}_n"], [f"{name}_off"]),
    ]
    off = f"{name}_off"
    if not terms:
        # Of reductions the count is known when they run: what goes in over what comes out.
        made += [
            make("Size", [node.input[0]], [f"{name}_i"]),
            make("Cast", [f"{name}_i"], [f"{name}_if"], to=1),
            make("Div", [f"{name}_if", f"{name}_cf"], [f"{name}_k"]),
            make("Sqrt", [f"{name}_k"], [f"{name}_kr"]),
            make("Mul", [off, f"{name}_kr"], [f"{name}_offk"]),
        ]
        off = f"{name}_offk"
    return [*made, make("Add", [raw, off], [value])]


def _before(value: str, name: str, seed: int) -> list[NodeProto]:
    """The nodes that give `name`, a neighbour of `value`."""
    from onnx import TensorProto, helper

    eps = 2.0**-23
    node = helper.make_node
    return [
        node(
            "RandomUniformLike",
            [value],
            [f"{name}_f"],
            low=1 - eps,
            high=1 + eps,
            seed=float(seed % 65521),
            dtype=TensorProto.FLOAT,
        ),
        node("Mul", [value, f"{name}_f"], [f"{name}_m"]),
        node("Cast", [value], [f"{name}_h"], to=TensorProto.FLOAT16),
        node("Cast", [f"{name}_h"], [f"{name}_s"], to=TensorProto.FLOAT),
        node("Equal", [value, f"{name}_s"], [f"{name}_e"]),
        node("Where", [f"{name}_e", value, f"{name}_m"], [name]),
    ]
