"""Faults of scales and zero points, where a graph is quantized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.testing.faults.fault import graph
from deploy_targets.testing.faults.surgery import Surgery

if TYPE_CHECKING:
    from onnx import NodeProto

_SCALES = {
    "DequantizeLinear": (1,),
    "QLinearConv": (1, 4, 6),
    "QLinearMatMul": (1, 4, 6),
    "QGemm": (1, 4),
}


@graph("how much one scale grows, as a share of itself", 1, 0.1, 0.01, 1e-3)
def scale_wrong(cut: Surgery, strength: float) -> None:
    """One scale of a quantized graph is wrong."""
    for node, index in cut.one(_scales(cut)):
        scale = cut.constant(node.input[index])
        if scale is not None:
            cut.put(node, index, (scale * (1 + strength)).astype(scale.dtype))


@graph("how many steps the zero point is off", 32, 8, 2, 1)
def zero_point_wrong(cut: Surgery, strength: float) -> None:
    """One zero point of a quantized graph is off."""
    found = [(n, i + 1) for n, i in _scales(cut) if len(n.input) > i + 1 and n.input[i + 1]]
    for node, index in cut.one(found):
        zero = cut.constant(node.input[index])
        if zero is None or zero.dtype.kind not in "iu":
            continue
        middle = (np.iinfo(zero.dtype).max + np.iinfo(zero.dtype).min) / 2
        step = np.where(zero.astype(np.float64) > middle, -strength, strength)
        cut.put(node, index, (zero + step).astype(zero.dtype))


@graph("the share of the channels whose scale is the largest one's", 1, 0.3, 0)
def channel_scales_merged(cut: Surgery, strength: float) -> None:
    """Scales of channels are replaced by one for all."""
    found = [
        (node, index, scale)
        for node, index in _scales(cut)
        if (scale := cut.constant(node.input[index])) is not None and scale.size > 1
    ]
    for node, index, scale in cut.one(found):
        order = np.argsort(scale)[::-1]  # those nearest to the largest change first
        changed = np.array(scale)
        changed[order[: 1 + max(1, round(strength * (scale.size - 1)))]] = scale.max()
        cut.put(node, index, changed)


def _scales(cut: Surgery) -> list[tuple[NodeProto, int]]:
    """Each scale that a runtime reads: that of a bias follows from those of its layer."""
    return [
        (node, index)
        for node in cut.nodes(*_SCALES)
        for index in _SCALES[node.op_type]
        if cut.constant(node.input[index]) is not None and not _is_bias(cut, node)
    ]


def _is_bias(cut: Surgery, node: NodeProto) -> bool:
    held = cut.constant(node.input[0])
    return held is not None and held.dtype == np.int32
