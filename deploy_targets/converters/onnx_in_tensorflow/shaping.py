"""Operators that move, cut, join and look up; whole numbers among them are shapes, mostly."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from .value import OPERATORS, Node, Tensor, Value, operator

LONGEST = 2**31 - 2
"""No axis is longer: an edge beyond it is an end of the axis."""


@operator("Constant")
def _constant(node: Node) -> Value:
    raise node.refused("it holds neither numbers nor flags")  # those that do are read beforehand


@operator("ConstantOfShape")
def _constant_of_shape(node: Node) -> Tensor:
    filling = node.get("value")
    number = np.float32(0) if filling is None else filling.reshape(-1)[0]
    return tf.fill(node.plain(0), tf.constant(number))


@operator("Shape")
def _shape(node: Node) -> Value:
    value = node.value(0)
    known = np.array([-1 if size is None else size for size in value.shape], np.int32)
    window = slice(node.get("start", 0), node.get("end"))
    if (known >= 0).all():
        return Value(held=known[window])
    return Value(tf.shape(value.plain())[window])


OPERATORS["Size"] = lambda node: tf.size(node.plain(0))


@operator("Reshape")
def _reshape(node: Node) -> Tensor:
    x, shape = node.plain(0), node.value(1)
    if shape.held is None:
        return tf.reshape(x, _copied(x, shape.plain(), node))
    wanted, copies = shape.held.reshape(-1).tolist(), not node.get("allowzero", 0)
    sizes = tf.shape(x)
    dims = [sizes[i] if size == 0 and copies else size for i, size in enumerate(wanted)]
    if 0 in wanted and copies:
        fixed = x.shape.as_list()
        dims = [fixed[i] or dim if wanted[i] == 0 else dim for i, dim in enumerate(dims)]
        return tf.reshape(x, tf.stack(dims))
    return tf.reshape(x, dims)


def _copied(x: Tensor, shape: Tensor, node: Node) -> Tensor:
    """The sizes, those that are 0 taken from the input."""
    count = shape.shape[0]
    if node.get("allowzero", 0):
        return shape
    if count is None:
        raise node.refused("how many axes its answer has is known only when it runs")
    here = tf.concat([tf.shape(x), tf.zeros([count], tf.int32)], 0)[:count]
    return tf.where(tf.equal(shape, 0), here, shape)


@operator("Flatten")
def _flatten(node: Node) -> Tensor:
    x = node.plain(0)
    axis = int(node.get("axis", 1))
    axis += x.shape.rank if axis < 0 else 0
    after = x.shape.as_list()[axis:]
    if axis and None not in after:
        return tf.reshape(x, [-1, int(np.prod(after))])
    if axis == 0:
        return tf.reshape(x, [1, -1])  # TF.js has no product of nothing
    sizes = tf.shape(x)
    return tf.reshape(x, tf.stack([tf.reduce_prod(sizes[:axis]), tf.reduce_prod(sizes[axis:])]))


@operator("Squeeze")
def _squeeze(node: Node) -> Tensor:
    axes = node.numbers(1, "axes")
    return tf.squeeze(node.plain(0), axes)


@operator("Unsqueeze")
def _unsqueeze(node: Node) -> Tensor:
    x, axes = node.plain(0), node.numbers(1, "axes") or []
    rank = x.shape.rank + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        x = tf.expand_dims(x, axis)
    return x


@operator("Transpose")
def _transpose(node: Node) -> Tensor:
    value, order = node.value(0), node.get("perm")
    order = list(order) if order else list(reversed(range(value.rank)))
    if value.is_last and order == [0, *range(2, value.rank), 1]:
        return value.last()
    return tf.transpose(value.plain(), order)


@operator("Concat")
def _concat(node: Node) -> Value:
    values = [node.value(i) for i in range(len(node.inputs))]
    axis = int(node.get("axis")) % values[0].rank
    if any(value.is_last for value in values):
        rank = values[0].rank
        moved = 0 if axis == 0 else rank - 1 if axis == 1 else axis - 1
        return Value(_last=tf.concat([value.last() for value in values], moved))
    return Value(tf.concat([value.plain() for value in values], axis))


@operator("Split")
def _split(node: Node) -> list[Tensor]:
    x, axis, sizes = node.plain(0), int(node.get("axis", 0)), node.numbers(1, "split")
    if sizes:
        return list(tf.split(x, sizes, axis))
    whole = x.shape.as_list()[axis]
    if whole is None:
        raise node.refused("it splits an axis whose size is known only when it runs")
    each = -(-whole // node.outputs)
    sizes = [each] * (node.outputs - 1)
    return list(tf.split(x, [*sizes, whole - sum(sizes)], axis))


@operator("Slice")
def _slice(node: Node) -> Tensor:
    x = node.plain(0)
    rank = x.shape.rank
    bounds = [_bound(node, index, name) for index, name in ((1, "starts"), (2, "ends"))]
    count = int(bounds[0].shape[0])
    axes = node.numbers(3, "axes") or list(range(count))
    steps = node.numbers(4, "steps") or [1] * count
    window: list[Any] = [slice(None)] * rank
    for i, (axis, step) in enumerate(zip(axes, steps, strict=True)):
        start, end = _within(bounds[0][i]), bounds[1][i]
        window[axis % rank] = slice(start, None if _is_end(end, step) else _within(end), step)
    return x[tuple(window)]


def _bound(node: Node, index: int, attribute: str) -> Any:
    """An array where it is a constant, a tensor otherwise."""
    if node.has(index):
        held = node.value(index).held
        return node.plain(index) if held is None else held.reshape(-1)
    return np.array(node.get(attribute), np.int64)


def _is_end(bound: Any, step: int) -> bool:
    """Whether it is a number that stands for the end of the axis."""
    known = isinstance(bound, np.integer)
    return known and bool(bound > LONGEST if step > 0 else bound < -LONGEST)


def _within(bound: Any) -> Any:
    """An edge in 32 bits."""
    return int(np.clip(bound, -LONGEST, LONGEST)) if isinstance(bound, np.integer) else bound


@operator("Gather")
def _gather(node: Node) -> Tensor:
    value, where = node.value(0), node.value(1)
    axis = int(node.get("axis", 0)) % value.rank
    x, indices = value.plain(), where.plain()
    if where.held is None or (where.held < 0).any():
        # ONNX counts negative ones from the end.
        indices = tf.where(indices < 0, indices + tf.shape(x)[axis], indices)
    return tf.gather(x, indices, axis=axis)


@operator("GatherND")
def _gather_nd(node: Node) -> Tensor:
    indices = node.held(1, "indices")
    if node.get("batch_dims", 0) or (indices < 0).any():
        raise node.refused("only constant indices from the start, without batch_dims")
    return tf.gather_nd(node.plain(0), tf.constant(indices))


@operator("Expand")
def _expand(node: Node) -> Tensor:
    x, shape = node.plain(0), node.plain(1)
    held = node.value(1).held
    if held is not None:
        here = x.shape.as_list()
        if None not in here:
            return tf.broadcast_to(x, np.broadcast_shapes(tuple(here), tuple(held.tolist())))
    return tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), shape))


OPERATORS["Tile"] = lambda node: tf.tile(node.plain(0), node.plain(1))
OPERATORS["Range"] = lambda node: tf.range(node.plain(0), node.plain(1), node.plain(2))


@operator("Pad")
def _pad(node: Node) -> Tensor:
    mode = node.get("mode", b"constant")
    mode = mode.decode() if isinstance(mode, bytes) else mode
    pads = node.numbers(1, "pads") or []
    x = node.plain(0)
    half = len(pads) // 2
    axes = node.numbers(3, "axes") or list(range(half))
    pairs = [(0, 0)] * x.shape.rank
    for i, axis in enumerate(axes):
        pairs[axis] = (pads[i], pads[half + i])
    if min(pads, default=0) < 0 or mode not in ("constant", "reflect"):
        raise node.refused(f"pads {pads}, mode {mode}")
    if mode == "reflect":
        return tf.pad(x, pairs, "REFLECT")
    held = node.held(2, "constant value") if node.has(2) else np.array(node.get("value", 0))
    filling = held.reshape(-1)[0]
    return tf.pad(x, pairs, constant_values=x.dtype.as_numpy_dtype(filling))


@operator("DepthToSpace")
def _depth_to_space(node: Node) -> Value | Tensor:
    block, value = int(node.get("blocksize")), node.value(0)
    if node.get("mode", b"DCR") not in (b"DCR", "DCR"):
        raise node.refused("mode CRD")
    return Value(_last=tf.nn.depth_to_space(value.last(), block))


@operator("TopK")
def _top_k(node: Node) -> list[Tensor]:
    x = node.plain(0)
    if int(node.get("axis", -1)) % x.shape.rank != x.shape.rank - 1 or not node.get("largest", 1):
        raise node.refused("only the largest along the last axis")
    many = int(node.held(1, "count").reshape(-1)[0]) if node.has(1) else int(node.get("k"))
    return list(tf.math.top_k(x, many))
