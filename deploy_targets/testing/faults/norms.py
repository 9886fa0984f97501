"""Faults in what keeps activations in range: norms, their statistics, scales of attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.testing.faults.fault import graph
from deploy_targets.testing.faults.parameters import share_of
from deploy_targets.testing.faults.surgery import Numbers, Surgery

if TYPE_CHECKING:
    from onnx import NodeProto

_DEFAULT_EPSILON = 1e-5
_LARGEST_EPSILON = 0.01  # what is added below a root and is larger is no epsilon
_NORMS = (
    "BatchNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "GroupNormalization",
    "RMSNormalization",
    "SimplifiedLayerNormalization",
    "SkipLayerNormalization",
)


@graph("what the epsilon of every norm is multiplied with", 1e5, 1e4, 1e3, 100, 10)
def wrong_norm_epsilon(cut: Surgery, strength: float) -> None:
    """The epsilon of the norms is that of another framework."""
    for node in cut.nodes(*_NORMS):
        honest = cut.attribute(node, "epsilon", _DEFAULT_EPSILON)
        cut.set(node, "epsilon", float(honest * strength))
    for root in cut.nodes("Sqrt", "Pow", "Rsqrt"):
        added = cut.producer(root.input[0])
        if added is None or added.op_type != "Add":
            continue
        for index, name in enumerate(added.input):
            epsilon = cut.scalar(name)
            if epsilon is not None and 0 < epsilon <= _LARGEST_EPSILON:
                wrong = np.array(epsilon * strength, np.float32)
                cut.put(added, index, wrong.reshape(_shape(cut, name)))


@graph("how far the statistics are towards mean 0 and variance 1", 1, 0.3, 0.1, 0.01)
def statistics_not_trained(cut: Surgery, strength: float) -> None:
    """The running statistics of the batch norms were not loaded."""
    for node in cut.nodes("BatchNormalization"):
        for index, fresh in ((3, 0.0), (4, 1.0)):
            held = cut.constant(node.input[index])
            if held is not None:
                mixed = (1 - strength) * held + strength * fresh
                cut.put(node, index, mixed.astype(held.dtype))


@graph("how far scale and shift are from those trained towards 1 and 0", 1, 0.3, 0.1, 0.01)
def norm_without_scale(cut: Surgery, strength: float) -> None:
    """One norm has lost its learned scale and shift."""
    found = [(node, learned) for node in cut.nodes(*_NORMS) if (learned := _learned(cut, node))]
    for node, learned in cut.one(found):
        for index, plain, held in learned:
            mixed = (1 - strength) * held + strength * plain
            cut.put(node, index, mixed.astype(held.dtype))


@graph("the share of the scale that is missing, as a power", 1, 0.3, 0.1, 0.01)
def attention_not_scaled(cut: Surgery, strength: float) -> None:
    """The scores of attention are not divided by the root of the head's width."""
    for node in cut.nodes("Softmax"):
        width = _head_width(cut, node.input[0])
        if width:
            honest, scores = cut.between(node.input[0])
            factor = cut.number(width ** (strength / 2))
            cut.add("Mul", [honest, factor], scores)
    for node in cut.nodes("Attention"):
        shape = cut.shape(node.input[0])
        if shape and len(shape) == 4 and isinstance(shape[-1], int):
            honest = cut.attribute(node, "scale", shape[-1] ** -0.5)
            cut.set(node, "scale", float(honest * shape[-1] ** (strength / 2)))


@graph("how much the constant grows, as a share of itself", 1, 0.1, 0.01, 1e-3)
def constant_wrong(cut: Surgery, strength: float) -> None:
    """A scalar of the graph was folded to another number."""
    found = [
        (node, index)
        for node in cut.nodes("Mul", "Div", "Add", "Sub", "Pow", "LeakyRelu", "HardSigmoid")
        for index, name in enumerate(node.input)
        if cut.scalar(name) and cut.is_float(node.output[0])
    ]
    for node, index in cut.one(found):
        held = cut.constant(node.input[index])
        if held is not None:
            cut.put(node, index, np.asarray(held * np.float32(1 + strength)))


@graph("the share of the channels that skip the layer", 1, 0.3, 0)
def layer_skipped(cut: Surgery, strength: float) -> None:
    """A layer is skipped: what goes in comes out."""
    found = []
    for node in cut.nodes():
        before, after = (cut.shape(name) for name in (_first(node), node.output[0]))
        channels = before[1] if before and len(before) > 1 else None
        floats = cut.is_float(_first(node)) and cut.is_float(node.output[0])
        if before == after and isinstance(channels, int) and floats:
            found.append((node, channels, len(before or ())))
    for node, channels, rank in cut.one(found):
        skipped = np.arange(channels) < share_of(channels, strength)
        mask = cut.hold(skipped.reshape(1, channels, *[1] * (rank - 2)))
        honest, made = cut.between(node.output[0])
        cut.add("Where", [mask, node.input[0], honest], made)


def _head_width(cut: Surgery, scores: str) -> int | None:
    """The size summed over by the matrix product of two activations above; None without one."""
    for _ in range(6):
        node = cut.producer(scores)
        if node is None:
            return None
        if node.op_type == "MatMul":
            shape = cut.shape(node.input[0])
            learned = any(cut.constant(name) is not None for name in node.input)
            width = shape[-1] if shape and not learned else None
            return width if isinstance(width, int) else None
        if node.op_type not in ("Add", "Mul", "Div", "Where", "Cast", "Identity", "Reshape"):
            return None
        scores = node.input[1 if node.op_type == "Where" and len(node.input) > 1 else 0]
    return None


def _shape(cut: Surgery, name: str) -> tuple[int, ...]:
    held = cut.constant(name)
    return held.shape if held is not None else ()


def _first(node: NodeProto) -> str:
    return node.input[0] if node.input else ""


def _learned(cut: Surgery, node: NodeProto) -> list[tuple[int, float, Numbers]]:
    """Scale and shift of a norm: where, what they are at first, what was learned."""
    plain = [(index, fresh) for index, fresh in ((1, 1.0), (2, 0.0)) if len(node.input) > index]
    held = [(index, fresh, cut.constant(node.input[index])) for index, fresh in plain]
    return [(i, fresh, a) for i, fresh, a in held if a is not None and (a != fresh).any()]
