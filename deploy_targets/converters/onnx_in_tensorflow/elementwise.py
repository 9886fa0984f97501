"""Operators that work element by element, in whichever layout their inputs lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from .types import stored
from .value import OPERATORS, Node, Tensor, Value, operator


def one(function: Callable[[Tensor], Tensor]) -> Callable[[Node], Value]:
    """Of one input."""
    return lambda node: keeping(lambda x: function(x), node.value(0))


def keeping(function: Callable[..., Tensor], *values: Value) -> Value:
    """The function of all values, in the layout in which they lie already."""
    ranks = {value.rank for value in values} - {0}
    moved = any(value.is_last for value in values)
    if moved and len(ranks) == 1:
        return Value(
            _last=function(*(value.plain() if not value.rank else value.last() for value in values))
        )
    return Value(function(*(value.plain() for value in values)))


UNARY: dict[str, Callable[[Tensor], Tensor]] = {
    "Abs": tf.abs,
    "Acos": tf.acos,
    "Asin": tf.asin,
    "Atan": tf.atan,
    "Ceil": tf.math.ceil,
    "Cos": tf.cos,
    "Cosh": tf.cosh,
    "Erf": tf.math.erf,
    "Exp": tf.exp,
    "Floor": tf.floor,
    # The same value and not Identity, which the optimizer of graphs may take for an output.
    "Identity": lambda x: x,
    "IsNaN": tf.math.is_nan,
    "Log": tf.math.log,
    "Neg": tf.negative,
    "Not": tf.logical_not,
    "Reciprocal": lambda x: 1.0 / x,
    "Relu": tf.nn.relu,
    "Round": tf.round,
    "Sigmoid": tf.sigmoid,
    "Sign": tf.sign,
    "Sin": tf.sin,
    "Sinh": tf.sinh,
    # By max and log1p: exp alone overflows where x is large.
    "Softplus": lambda x: tf.maximum(x, 0.0) + tf.math.log(1.0 + tf.exp(-tf.abs(x))),
    "Sqrt": tf.sqrt,
    "Tan": tf.tan,
    # Turned twice: after a product it would be fused into what TF.js does not know.
    "Tanh": lambda x: -tf.tanh(-x),
}
BINARY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Add": tf.add,
    "And": tf.logical_and,
    "Equal": tf.equal,
    "Greater": tf.greater,
    "GreaterOrEqual": tf.greater_equal,
    "Less": tf.less,
    "LessOrEqual": tf.less_equal,
    "Mul": tf.multiply,
    "Or": tf.logical_or,
    "Pow": lambda x, y: tf.pow(x, tf.cast(y, x.dtype)),
    "Sub": tf.subtract,
    "Xor": tf.not_equal,
}
MANY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "Max": tf.maximum,
    "Min": tf.minimum,
    "Sum": tf.add,
}

for _name, _function in UNARY.items():
    OPERATORS[_name] = one(_function)


@operator(*BINARY)
def _binary(node: Node) -> Value:
    if node.get("broadcast", 0):
        raise node.refused("it aligns axes as opsets before 7 do")
    return keeping(BINARY[node.operator], node.value(0), node.value(1))


@operator(*MANY)
def _many(node: Node) -> Value:
    found = node.value(0)
    for index in range(1, len(node.inputs)):
        found = keeping(MANY[node.operator], found, node.value(index))
    return found


@operator("IsInf")
def _is_inf(node: Node) -> Value:
    if not (node.get("detect_negative", 1) and node.get("detect_positive", 1)):
        raise node.refused("it looks for one sign only")
    return keeping(tf.math.is_inf, node.value(0))


@operator("Div")
def _div(node: Node) -> Value:
    def divide(x: Tensor, y: Tensor) -> Tensor:
        if x.dtype.is_floating:
            return x / y
        # Whole numbers are cut towards zero, and TensorFlow's floor is below it.
        floor = tf.math.floordiv(x, y)
        short = tf.logical_and(tf.not_equal(floor * y, x), tf.not_equal(x < 0, y < 0))
        return floor + tf.cast(short, x.dtype)

    return keeping(divide, node.value(0), node.value(1))


@operator("Mod")
def _mod(node: Node) -> Value:
    if node.get("fmod", 0) or node.value(0).dtype.is_floating:
        raise node.refused("only whole numbers, and no fmod")
    return keeping(tf.math.floormod, node.value(0), node.value(1))


@operator("Where")
def _where(node: Node) -> Value:
    return keeping(tf.where, node.value(0), node.value(1), node.value(2))


@operator("Cast")
def _cast(node: Node) -> Value:
    wanted = stored(int(node.get("to")), node)
    return keeping(lambda x: x if x.dtype == wanted else tf.cast(x, wanted), node.value(0))


@operator("Dropout")
def _dropout(node: Node) -> list[Any]:
    if node.has(2) and node.held(2, "mode").any():
        raise node.refused("it is in training mode")
    return [node.value(0), tf.ones_like(node.plain(0), tf.bool)][: node.outputs]


@operator("Clip")
def _clip(node: Node) -> Value:
    low, high = node.get("min"), node.get("max")
    low = node.plain(1) if node.has(1) else low
    high = node.plain(2) if node.has(2) else high
    known = [node.value(i).held if node.has(i) else None for i in (1, 2)]
    if all(bound is not None and bound.size == 1 for bound in known) and [
        float(np.asarray(bound).item()) for bound in known
    ] == [0.0, 6.0]:
        return keeping(tf.nn.relu6, node.value(0))

    def clip(x: Tensor) -> Tensor:
        found = x if low is None else tf.maximum(x, tf.cast(low, x.dtype))
        return found if high is None else tf.minimum(found, tf.cast(high, x.dtype))

    return keeping(clip, node.value(0))


@operator("LeakyRelu")
def _leaky_relu(node: Node) -> Value:
    return keeping(lambda x: tf.nn.leaky_relu(x, node.get("alpha", 0.01)), node.value(0))


@operator("PRelu")
def _prelu(node: Node) -> Value:
    if node.opset < 7:
        raise node.refused("it aligns axes as opsets before 7 do")
    return keeping(
        lambda x, a: tf.maximum(x, 0.0) - a * tf.maximum(-x, 0.0), node.value(0), node.value(1)
    )


@operator("Elu")
def _elu(node: Node) -> Value:
    alpha = node.get("alpha", 1.0)
    return keeping(
        lambda x: tf.maximum(x, 0.0) + alpha * (tf.exp(tf.minimum(x, 0.0)) - 1.0), node.value(0)
    )


@operator("Selu")
def _selu(node: Node) -> Value:
    alpha, gamma = node.get("alpha", 1.67326319217681884765625), node.get("gamma", 1.05070102214813)
    return keeping(
        lambda x: gamma * (tf.maximum(x, 0.0) + alpha * (tf.exp(tf.minimum(x, 0.0)) - 1.0)),
        node.value(0),
    )


@operator("HardSigmoid")
def _hard_sigmoid(node: Node) -> Value:
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    # Not by relu6, which an optimizer fuses into what TF.js does not know.
    return keeping(lambda x: tf.minimum(tf.maximum(x * alpha + beta, 0.0), 1.0), node.value(0))


@operator("Gelu")
def _gelu(node: Node) -> Value:
    def exact(x: Tensor) -> Tensor:
        # Not as an optimizer knows it, for what it makes of it TF.js does not.
        return x * (0.5 + 0.5 * tf.math.erf(x * 0.7071067811865476))

    def tanh(x: Tensor) -> Tensor:
        return 0.5 * x * (1.0 + tf.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))

    wanted = node.get("approximate", b"none")
    return keeping(tanh if wanted in (b"tanh", "tanh") else exact, node.value(0))
