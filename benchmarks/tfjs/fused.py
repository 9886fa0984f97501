"""Cases of what TensorFlow puts together: a product or convolution, and what follows it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tfjs.asking import Case

FIRST = ("Conv", "Depthwise", "Gemm")
THEN = ("Relu", "Relu6", "LeakyRelu", "Elu", "Sigmoid", "Tanh", "HardSwish", "Gelu", "PRelu")
OPSET = 20


def cases() -> Iterator[Case]:
    """Each first with each that may follow; the answers are onnx's reference's."""
    random = np.random.default_rng(0)
    for first, then in product(FIRST, THEN):
        shape = (2, 6) if first == "Gemm" else (2, 4, 5, 6)
        x = random.standard_normal(shape, np.float32)
        weights = {
            "Conv": random.standard_normal((3, 4, 3, 3), np.float32),
            "Depthwise": random.standard_normal((4, 1, 3, 3), np.float32),
            "Gemm": random.standard_normal((6, 3), np.float32),
        }[first]
        bias = random.standard_normal(weights.shape[1 if first == "Gemm" else 0], np.float32)
        low, high = np.float32(0), np.float32(6)
        slope = np.full((1,), 0.25, np.float32)
        held = {"w": weights, "b": bias, "low": low, "high": high, "slope": slope}
        sides = (
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        )
        tensors = [numpy_helper.from_array(np.asarray(a), name) for name, a in held.items()]
        graph = helper.make_graph([_first(first), _then(then)], "fused", *sides, tensors)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = 9
        answer = tuple(ReferenceEvaluator(model).run(None, {"x": x}))
        name = f"fused/{first}_{then}"
        yield Case(name, f"({name})", model.SerializeToString(), (((x,), answer),), 1e-3, 1e-6)


def _first(name: str):  # type: ignore[no-untyped-def]
    if name == "Gemm":
        return helper.make_node("Gemm", ["x", "w", "b"], ["y"])
    groups = 4 if name == "Depthwise" else 1
    return helper.make_node("Conv", ["x", "w", "b"], ["y"], group=groups, pads=[1, 1, 1, 1])


def _then(name: str):  # type: ignore[no-untyped-def]
    if name == "Relu6":
        return helper.make_node("Clip", ["y", "low", "high"], ["z"])
    more = ["slope"] if name == "PRelu" else []
    return helper.make_node(name, ["y", *more], ["z"])
