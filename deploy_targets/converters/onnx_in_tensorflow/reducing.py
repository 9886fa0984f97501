"""Operators that sum, choose or multiply along axes."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from .value import Node, Tensor, Value, operator

REDUCED: dict[str, Callable[..., Tensor]] = {
    "ReduceMax": tf.reduce_max,
    "ReduceMean": tf.reduce_mean,
    "ReduceMin": tf.reduce_min,
    "ReduceProd": tf.reduce_prod,
    "ReduceSum": tf.reduce_sum,
    "ReduceSumSquare": lambda x, axes, keepdims: tf.reduce_sum(x * x, axes, keepdims=keepdims),
    "ReduceL1": lambda x, axes, keepdims: tf.reduce_sum(tf.abs(x), axes, keepdims=keepdims),
    "ReduceL2": lambda x, axes, keepdims: tf.sqrt(tf.reduce_sum(x * x, axes, keepdims=keepdims)),
    "ReduceLogSumExp": lambda x, axes, keepdims: _log_sum(x, axes, keepdims),
}


def _log_sum(x: Tensor, axes: list[int] | None, keepdims: bool) -> Tensor:
    most = tf.reduce_max(x, axes, keepdims=True)
    total = tf.math.log(tf.reduce_sum(tf.exp(x - most), axes, keepdims=keepdims))
    return total + (most if keepdims else tf.reduce_max(x, axes))


@operator(*REDUCED)
def _reduce(node: Node) -> Value | Tensor:
    value, axes = node.value(0), node.numbers(1, "axes")
    if value.dtype == tf.bool:
        raise node.refused("it is asked for flags")
    if not axes and node.get("noop_with_empty_axes", 0):
        return value
    keep, rank = bool(node.get("keepdims", 1)), value.rank
    whole = sorted(axis % rank for axis in axes) if axes else None
    if value.is_last and whole == list(range(2, rank)):
        # What a pool over the whole image is often written as.
        found = REDUCED[node.operator](value.last(), list(range(1, rank - 1)), keepdims=keep)
        return Value(_last=found) if keep else found
    return REDUCED[node.operator](value.plain(), whole, keepdims=keep)


@operator("ArgMax", "ArgMin")
def _arg(node: Node) -> Tensor:
    if node.get("select_last_index", 0):
        raise node.refused("select_last_index = 1")
    x, axis = node.plain(0), int(node.get("axis", 0))
    axis %= x.shape.rank
    function = tf.argmax if node.operator == "ArgMax" else tf.argmin
    found = function(x, axis, output_type=tf.int32)
    return tf.expand_dims(found, axis) if node.get("keepdims", 1) else found


@operator("Softmax", "LogSoftmax")
def _softmax(node: Node) -> Tensor:
    x = node.plain(0)
    rank = x.shape.rank
    axis = int(node.get("axis", -1 if node.opset >= 13 else 1)) % rank
    if axis != rank - 1 and node.opset < 13:
        raise node.refused("an axis that is not the last, in an opset before 13")
    order = [i for i in range(rank) if i != axis] + [axis]
    moved = x if axis == rank - 1 else tf.transpose(x, order)
    if node.operator == "Softmax":
        found = tf.nn.softmax(moved)
    else:
        found = moved - _log_sum(moved, [rank - 1], True)
    back = [order.index(i) for i in range(rank)]
    return found if axis == rank - 1 else tf.transpose(found, back)


@operator("CumSum")
def _cum_sum(node: Node) -> Tensor:
    axis = int(node.held(1, "axis").reshape(-1)[0])
    exclusive, backwards = bool(node.get("exclusive", 0)), bool(node.get("reverse", 0))
    return tf.cumsum(node.plain(0), axis, exclusive, backwards)


@operator("MatMul")
def _mat_mul(node: Node) -> Tensor:
    x, y = node.plain(0), node.plain(1)
    if x.shape.rank == 1 and y.shape.rank == 1:
        return tf.reduce_sum(x * y)
    if x.shape.rank == 1:
        return tf.squeeze(tf.matmul(tf.expand_dims(x, 0), y), [-2])
    if y.shape.rank == 1:
        return tf.squeeze(tf.matmul(x, tf.expand_dims(y, 1)), [-1])
    return _multiplied(x, y)


def _multiplied(x: Tensor, y: Tensor) -> Tensor:
    """One matrix for a whole stack of rows is one multiplication."""
    if y.shape.rank == 2 and x.shape.rank > 2 and None not in x.shape.as_list()[-1:]:
        rows = tf.reshape(x, [-1, x.shape[-1]])
        shape = tf.concat([tf.shape(x)[:-1], [y.shape[-1]]], 0)
        found = tf.reshape(tf.matmul(rows, y), shape)
        found.set_shape([*x.shape.as_list()[:-1], y.shape[-1]])
        return found
    return tf.matmul(x, y)


@operator("Gemm")
def _gemm(node: Node) -> Tensor:
    # Turned here: TF.js's WebAssembly is wrong where a fused multiplication is told to turn.
    x, y = _turned(node, 0, "transA"), _turned(node, 1, "transB")
    alpha, beta = node.get("alpha", 1.0), node.get("beta", 1.0)
    found = tf.matmul(x, y)
    found = found if alpha == 1.0 else found * alpha
    if not node.has(2) or beta == 0.0:
        return found
    added = node.plain(2)
    sizes = added.shape.as_list()
    if beta == 1.0 and sizes and sizes[-1] == found.shape[-1] and set(sizes[:-1]) <= {1}:
        return tf.nn.bias_add(found, tf.reshape(added, [-1]))
    # Not a sum, which an optimizer fuses into what TF.js refuses where it is more than one row.
    return tf.subtract(found, added * -beta)


def _turned(node: Node, index: int, attribute: str) -> Tensor:
    if not node.get(attribute, 0):
        return node.plain(index)
    held = node.value(index).held
    return tf.transpose(node.plain(index)) if held is None else tf.constant(held.T)
