"""Convolutions, pools and normalizations: channels last, as TF.js computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

from .value import Node, Tensor, Value, operator

LEAST = float(np.finfo(np.float32).min)


@operator("Conv")
def _conv(node: Node) -> Value:
    kernel = node.held(1, "kernel")  # [out, in / groups, *sizes]
    spatial = kernel.ndim - 2
    if spatial not in (1, 2):
        raise node.refused(f"it has {spatial} dimensions of space")
    x, groups = node.value(0).last(), int(node.get("group", 1))
    strides, dilations = _pair(node, "strides", spatial), _pair(node, "dilations", spatial)
    x, padding = _padded(node, x, kernel.shape[2:], strides, dilations, 0.0)
    weights = kernel.transpose(*range(2, kernel.ndim), 1, 0)
    if spatial == 1:
        # A row of height 1: the operators in one dimension do not exist in TF.js's WebAssembly.
        x, weights = tf.expand_dims(x, 1), weights[None]
        strides, dilations = [strides[0], strides[0]], [1, *dilations]
    found = _convolved(x, weights, groups, strides, dilations, padding)
    if spatial == 1:
        found = tf.squeeze(found, [1])
    return Value(_last=tf.nn.bias_add(found, node.plain(2)) if node.has(2) else found)


def _convolved(
    x: Tensor,
    weights: np.ndarray[Any, Any],
    groups: int,
    strides: list[int],
    dilations: list[int],
    padding: str,
) -> Tensor:
    height, width, per_group, outputs = weights.shape
    if groups == 1:
        return tf.nn.conv2d(x, tf.constant(weights), strides, padding, dilations=dilations)
    if per_group == 1 and strides[0] == strides[1]:
        each = weights.reshape(height, width, groups, outputs // groups)
        every = [1, *strides, 1]
        return tf.nn.depthwise_conv2d(x, tf.constant(each), every, padding, dilations=dilations)
    parts = zip(tf.split(x, groups, -1), np.split(weights, groups, -1), strict=True)
    found = [
        tf.nn.conv2d(part, tf.constant(w), strides, padding, dilations=dilations)
        for part, w in parts
    ]
    return tf.concat(found, -1)


def _pair(node: Node, name: str, spatial: int) -> list[int]:
    return [int(n) for n in node.get(name) or [1] * spatial]


def _padded(
    node: Node,
    x: Tensor,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    value: float,
) -> tuple[Tensor, str]:
    """The input, padded where TensorFlow's own "SAME" would pad otherwise, and what is left."""
    spatial = len(kernel)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    how = node.get("auto_pad", b"NOTSET")
    how = how.decode() if isinstance(how, bytes) else how
    if how == "SAME_UPPER":
        return x, "SAME"
    if how == "SAME_LOWER":
        raise node.refused("auto_pad = SAME_LOWER")
    pads = [0] * 2 * spatial if how == "VALID" else node.get("pads") or [0] * 2 * spatial
    pairs = [(int(a), int(b)) for a, b in zip(pads[:spatial], pads[spatial:], strict=True)]
    if not any(map(any, pairs)):
        return x, "VALID"
    sizes = x.shape.as_list()[1:-1]
    if all(map(_is_same, pairs, reach, strides, sizes)):
        return x, "SAME"
    return tf.pad(x, [(0, 0), *pairs, (0, 0)], constant_values=value), "VALID"


def _is_same(pair: tuple[int, int], reach: int, stride: int, size: int | None) -> bool:
    """Whether "SAME" pads as this pair says. With a stride that depends on the size."""
    if stride == 1:
        total = reach - 1
    elif size is None:
        return False
    else:
        total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return pair == (total // 2, total - total // 2)


@operator("ConvTranspose")
def _conv_transpose(node: Node) -> Value:
    kernel = node.held(1, "kernel")  # [in, out / groups, height, width]
    if kernel.ndim != 4 or int(node.get("group", 1)) != 1 or max(_pair(node, "dilations", 2)) > 1:
        raise node.refused("only two dimensions, one group and no dilation can be had")
    if node.get("output_shape") or node.get("auto_pad", b"NOTSET") not in (b"NOTSET", "NOTSET"):
        raise node.refused("its padding is not given as pads")
    x, strides = node.value(0).last(), _pair(node, "strides", 2)
    sizes = tf.shape(x)
    pads, more = node.get("pads") or [0] * 4, node.get("output_padding") or [0, 0]
    full = [(sizes[1 + i] - 1) * strides[i] + kernel.shape[2 + i] for i in (0, 1)]
    shape = tf.stack([sizes[0], *full, kernel.shape[1]])
    weights = tf.constant(kernel.transpose(2, 3, 1, 0))
    found = tf.nn.conv2d_transpose(x, weights, shape, strides, "VALID")
    if max(more):
        found = tf.pad(found, [(0, 0), (0, more[0]), (0, more[1]), (0, 0)])
    keep = [full[i] + more[i] - pads[i] - pads[2 + i] for i in (0, 1)]
    found = tf.slice(found, [0, pads[0], pads[1], 0], tf.stack([-1, *keep, -1]))
    found.set_shape([x.shape[0], None, None, kernel.shape[1]])
    return Value(_last=tf.nn.bias_add(found, node.plain(2)) if node.has(2) else found)


@operator("MaxPool", "AveragePool")
def _pool(node: Node) -> Value:
    kernel = [int(n) for n in node.get("kernel_shape")]
    spatial = len(kernel)
    if spatial not in (1, 2) or node.outputs > 1 or node.get("ceil_mode", 0):
        raise node.refused("only one or two dimensions, sizes rounded down and no indices")
    if max(_pair(node, "dilations", spatial)) > 1:
        raise node.refused("dilations above 1")
    strides, x = _pair(node, "strides", spatial), node.value(0).last()
    average = node.operator == "AveragePool"
    padded, how = _padded(node, x, kernel, strides, [1] * spatial, 0.0 if average else LEAST)
    if average and how == "SAME" and node.get("count_include_pad", 0):
        raise node.refused("count_include_pad with these pads")
    found = _pooled(padded, kernel, strides, how, average)
    if average and padded is not x and not node.get("count_include_pad", 0):
        ones, _ = _padded(node, tf.ones_like(x), kernel, strides, [1] * spatial, 0.0)
        found = found / _pooled(ones, kernel, strides, how, average)
    return Value(_last=found)


def _pooled(
    x: Tensor, kernel: list[int], strides: list[int], padding: str, average: bool
) -> Tensor:
    pool = tf.nn.avg_pool2d if average else tf.nn.max_pool2d
    if len(kernel) == 2:
        return pool(x, kernel, strides, padding)
    found = pool(tf.expand_dims(x, 1), [1, *kernel], [1, *strides], padding)
    return tf.squeeze(found, [1])


@operator("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(node: Node) -> Value:
    x = node.value(0)
    axes = list(range(1, x.rank - 1))
    reduce = tf.reduce_mean if node.operator == "GlobalAveragePool" else tf.reduce_max
    return Value(_last=reduce(x.last(), axes, keepdims=True))


@operator("BatchNormalization")
def _batch_normalization(node: Node) -> Value:
    if node.outputs > 1 or node.get("training_mode", 0):
        raise node.refused("it is in training mode")
    scale, bias, mean, variance = (node.held(i, "statistics") for i in range(1, 5))
    # In float64 and once: what is left is a factor and a sum.
    factor = scale.astype(np.float64) / np.sqrt(
        variance.astype(np.float64) + node.get("epsilon", 1e-5)
    )
    added = bias.astype(np.float64) - mean.astype(np.float64) * factor
    factors, sums = (array.astype(np.float32) for array in (factor, added))
    if node.value(0).rank < 3:
        return Value(node.plain(0) * factors + sums)
    return Value(_last=node.value(0).last() * factors + sums)


@operator("InstanceNormalization")
def _instance_normalization(node: Node) -> Value:
    axes = list(range(1, node.value(0).rank - 1))
    normal, *_ = _normal(node.value(0).last(), axes, node.get("epsilon", 1e-5))
    return Value(_last=normal * node.plain(1) + node.plain(2))


@operator("LayerNormalization")
def _layer_normalization(node: Node) -> list[Tensor]:
    x = node.plain(0)
    first = int(node.get("axis", -1)) % x.shape.rank
    found, *others = _normal(x, list(range(first, x.shape.rank)), node.get("epsilon", 1e-5))
    found = found * node.plain(1)
    return [found + node.plain(2) if node.has(2) else found, *others][: node.outputs]


def _normal(x: Tensor, axes: list[int], epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """The normalized input, its mean, and one over its deviation."""
    mean = tf.reduce_mean(x, axes, keepdims=True)
    away = x - mean
    inverse = tf.math.rsqrt(tf.reduce_mean(away * away, axes, keepdims=True) + epsilon)
    return away * inverse, mean, inverse


@operator("Resize")
def _resize(node: Node) -> Value:
    """Nearest and bilinear, in two dimensions, by the conventions that TF.js has."""
    mode, how = (_text(node.get(*pair)) for pair in (("mode", "nearest"), _HALF))
    nearest = _text(node.get("nearest_mode", "round_prefer_floor"))
    policy = _text(node.get("keep_aspect_ratio_policy", "stretch"))
    if node.value(0).rank != 4 or node.get("axes") or node.get("antialias") or policy != "stretch":
        raise node.refused("only images, all of their axes, without antialias or an aspect ratio")
    x, size = node.value(0).last(), _resized(node, how)
    if mode == "linear" and how in ("half_pixel", "pytorch_half_pixel"):
        return Value(_last=tf.compat.v1.image.resize_bilinear(x, size, half_pixel_centers=True))
    if mode == "linear" and how in ("align_corners", "asymmetric"):
        corners = how == "align_corners"
        return Value(_last=tf.compat.v1.image.resize_bilinear(x, size, align_corners=corners))
    if mode == "nearest" and (how, nearest) == ("asymmetric", "floor"):
        return Value(_last=tf.compat.v1.image.resize_nearest_neighbor(x, size))
    raise node.refused(f"mode {mode}, {how}, {nearest}")


_HALF = ("coordinate_transformation_mode", "half_pixel")


def _resized(node: Node, how: str) -> Tensor:
    """Height and width. TensorFlow has ONNX's scales only where they give whole sizes."""
    if node.has(3):
        if how == "pytorch_half_pixel" and (node.held(3, "size")[2:] == 1).any():
            raise node.refused("one pixel high or wide, by PyTorch's convention")
        return tf.cast(node.plain(3), tf.int32)[2:]
    scales = node.held(2, "scales")
    if scales[0] != 1 or scales[1] != 1:
        raise node.refused("it scales more than the image's height and width")
    sizes = [s * k for s, k in zip(node.value(0).shape[2:], scales[2:], strict=True) if s]
    if len(sizes) == 2 and all(size == int(size) > 1 for size in sizes):
        return tf.constant(sizes, tf.int32)
    if any(scale != int(scale) for scale in scales):
        raise node.refused(f"scales {scales[2:]}, which do not give whole sizes")
    return tf.shape(node.value(0).last())[1:3] * scales[2:].astype(np.int32)


def _text(raw: Any) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)
