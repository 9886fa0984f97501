"""Finds what a model has learned in an ONNX graph: weights and biases, quantized ones included."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.testing.faults.surgery import Numbers, Surgery

if TYPE_CHECKING:
    from onnx import NodeProto

_UNITS = {"Conv": 0, "ConvTranspose": 1, "Gather": 0, "LSTM": 1, "GRU": 1, "RNN": 1}
_BIASED = {"Conv": 2, "ConvTranspose": 2, "Gemm": 2, "LSTM": 3, "GRU": 3, "RNN": 3}
_NORMS = ("BatchNormalization", "InstanceNormalization", "LayerNormalization")


@dataclass(frozen=True)
class Parameter:
    """One learned tensor: where a node takes it, and along which axis its units lie."""

    node: NodeProto
    index: int
    array: Numbers
    units: int = 0


def weights(cut: Surgery) -> list[Parameter]:
    """Every learned float tensor of two axes or more that an operator multiplies or looks up."""
    return [
        Parameter(node, index, array, _units(cut, node, index, array.ndim))
        for node, index, array in _learned(cut)
        if array.ndim > 1 or (node.op_type == "Gather" and index == 0)
        if node.op_type not in ("Add", "Sub")
    ]


def layers(cut: Surgery) -> list[Parameter]:
    """The weights of convolutions and matrix products: no tables, no recurrences."""
    kinds = ("Conv", "ConvTranspose", "Gemm", "MatMul")
    return [weight for weight in weights(cut) if weight.node.op_type in kinds]


def biases(cut: Surgery) -> list[Parameter]:
    """Every learned float vector that an operator adds."""
    return [
        Parameter(node, index, array, int(np.argmax(array.shape)))
        for node, index, array in _learned(cut)
        if (_BIASED.get(node.op_type) == index)
        or (node.op_type == "Add" and array.size == max(array.shape))
    ]


def change(cut: Surgery, parameter: Parameter, array: Numbers) -> None:
    """Puts other numbers where a parameter was; quantized again where it was quantized."""
    node, index = parameter.node, parameter.index
    quantizer = cut.producer(node.input[index])
    if quantizer is None or quantizer.op_type != "DequantizeLinear":
        cut.put(node, index, array.astype(parameter.array.dtype))
        return
    held, scale, zero = _quantized(cut, quantizer)
    span = np.iinfo(held.dtype)
    steps = np.clip(np.round(array / scale) + zero, span.min, span.max)
    cut.put(quantizer, 0, steps.astype(held.dtype))


def rows(array: Numbers, axis: int) -> Numbers:
    """A copy whose first axis is `axis`; `restored` turns it back."""
    return np.array(np.moveaxis(array, axis, 0))


def restored(array: Numbers, axis: int) -> Numbers:
    """The inverse of `rows`."""
    return np.moveaxis(array, 0, axis)


def share_of(count: int, share: float) -> int:
    """That share of so many things, and at least one."""
    return min(count, max(1, round(share * count)))


def _learned(cut: Surgery) -> Iterator[tuple[NodeProto, int, Numbers]]:
    for node in cut.nodes():
        if node.op_type in ("Constant", "Identity", "DequantizeLinear", "Resize", *_NORMS):
            continue
        for index, value in enumerate(node.input):
            array = _float(cut, value)
            if array is not None and array.size > 1:
                yield node, index, array


def _float(cut: Surgery, value: str) -> Numbers | None:
    array = cut.constant(value) if value else None
    if array is not None:
        return array if array.dtype.kind == "f" else None
    node = cut.producer(value) if value else None
    if node is None or node.op_type != "DequantizeLinear" or cut.constant(node.input[0]) is None:
        return None
    held, scale, zero = _quantized(cut, node)
    if held.dtype.kind not in "iu":
        return None
    return np.asarray((held.astype(np.float32) - zero) * scale, np.float32)


def _quantized(cut: Surgery, node: NodeProto) -> tuple[Numbers, Numbers, Numbers]:
    """Integers, and scale and zero point in a shape that spreads over them."""
    held = [cut.constant(name) if name else None for name in node.input]
    array, scale = _known(held[:2])
    zero = held[2] if len(held) > 2 and held[2] is not None else np.zeros(1)
    if scale.size == 1 or scale.ndim != 1:
        return array, scale, zero.astype(np.float32)
    shape = [1] * array.ndim
    shape[cut.attribute(node, "axis", 1)] = scale.size
    spread = np.broadcast_to(zero.astype(np.float32), scale.shape)
    return array, scale.reshape(shape), spread.reshape(shape)


def _known(arrays: Iterable[Numbers | None]) -> list[Numbers]:
    return [array if array is not None else np.ones(1, np.float32) for array in arrays]


def _units(cut: Surgery, node: NodeProto, index: int, rank: int) -> int:
    if node.op_type == "Gemm":
        return 0 if cut.attribute(node, "transB", 0) else 1
    if node.op_type == "MatMul":
        return rank - 1 if index else max(0, rank - 2)
    return min(rank - 1, _UNITS.get(node.op_type, 0))
