"""Faults of layout inside a graph: axes, channels and operands where others belong."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.testing.faults.fault import graph
from deploy_targets.testing.faults.parameters import share_of
from deploy_targets.testing.faults.surgery import Surgery

if TYPE_CHECKING:
    from onnx import NodeProto

_NHWC = {3: [0, 2, 1], 4: [0, 2, 3, 1], 5: [0, 2, 3, 4, 1]}


@graph("the share of the channels (or of another axis) that are transposed", 1, 0.3, 0)
def swapped_axes(cut: Surgery, strength: float) -> None:
    """Two axes of equal size are swapped."""
    found = [
        (value, len(shape), pair)
        for value in [*cut.activations(), *(i.name for i in cut.graph.input)]
        if cut.is_float(value) and cut.constant(value) is None and (shape := cut.shape(value))
        for pair in combinations(range(len(shape)), 2)
        if shape[pair[0]] == shape[pair[1]] and shape[pair[0]] not in (1, None)
    ]
    for value, rank, (one, other) in cut.one(found):
        order = list(range(rank))
        order[one], order[other] = other, one
        honest, made = cut.between(value)
        _partly(cut, value, honest, cut.add("Transpose", [honest], perm=order), made, strength)


@graph("the share of the flattened maps; 0: one", 1, 0)
def flattened_as_nhwc(cut: Surgery, strength: float) -> None:
    """Channels come last where a map is flattened: right numbers in the wrong order."""
    found = []
    for node in cut.nodes("Flatten", "Reshape"):
        shape, made = cut.shape(node.input[0]) or (), cut.shape(node.output[0]) or ()
        several = all(size != 1 for size in (shape[1:2])) and any(s != 1 for s in shape[2:])
        merged = len(shape) in _NHWC and len(made) < len(shape)
        if merged and several and cut.is_float(node.input[0]):
            found.append(node)
    for node in cut.some(found, strength):
        honest = node.input[0]
        turned = cut.add("Transpose", [honest], perm=_NHWC[len(cut.shape(honest) or ())])
        node.input[0] = cut.add("Reshape", [turned, cut.add("Shape", [honest])])


@graph("the share of the transpositions; 0: one", 1, 0.3, 0)
def transposed_by_reshape(cut: Surgery, strength: float) -> None:
    """A transposition is done as a reshape: the right shape around unmoved numbers."""
    moving = [n for n in cut.nodes("Transpose") if cut.is_float(n.output[0])]
    for node in cut.some(moving, strength):
        honest, made = cut.between(node.output[0])
        cut.add("Reshape", [node.input[0], cut.add("Shape", [honest])], made)


@graph("the share of the channels that change places, two at least", 1, 0.3, 0)
def channels_shuffled(cut: Surgery, strength: float) -> None:
    """The channels of one layer come in another order."""
    found = [(value, n) for value in cut.activations() for n in cut.channels(value) if n > 1]
    for value, size in cut.one(found):
        order = np.arange(size)
        part = max(2, round(strength * size))
        order[:part] = np.roll(order[:part], 1)
        honest, made = cut.between(value)
        cut.add("Gather", [honest, cut.hold(order)], made, axis=1)


@graph("1: the whole of both; there is no weaker form", 1)
def concatenated_in_another_order(cut: Surgery, strength: float) -> None:
    """Two parts of equal shape are put together in the other order."""
    found = [
        (node, pair)
        for node in cut.nodes("Concat")
        if cut.is_float(node.output[0])
        for pair in combinations(range(len(node.input)), 2)
        if _alike(cut, node, *pair)
    ]
    for node, (one, other) in cut.one(found):
        node.input[one], node.input[other] = node.input[other], node.input[one]


@graph("how many rows are right", 1, 2, 3, 4)
def batch_baked_into_graph(cut: Surgery, strength: float) -> None:
    """Only the first rows of a layer are computed; the others repeat the first."""
    batches = {dims[0] for i in cut.graph.input if (dims := cut.shape(i.name))} - {1, None}
    dynamic = [v for v in cut.activations() if (cut.shape(v) or (None,))[0] in batches]
    for value in cut.one(dynamic):
        honest, made = cut.between(value)
        count = cut.add("Gather", [cut.add("Shape", [honest]), cut.whole(0)], axis=0)
        rows = cut.add("Range", [cut.whole(0), count, cut.whole(1)])
        late = cut.add("GreaterOrEqual", [rows, cut.whole(round(strength))])
        taken = cut.add("Where", [late, cut.whole(0), rows])
        cut.add("Gather", [honest, taken], made, axis=0)


def _partly(cut: Surgery, value: str, honest: str, wrong: str, made: str, share: float) -> None:
    """Takes the wrong value for a share of the channels, the honest one for the rest."""
    sizes = cut.channels(value)
    rank = len(cut.shape(value) or ())
    if share == 1 or not sizes:
        cut.add("Identity", [wrong], made)
        return
    mask = np.arange(sizes[0]) < share_of(sizes[0], share)
    spread = cut.hold(mask.reshape(1, sizes[0], *[1] * (rank - 2)))
    cut.add("Where", [spread, wrong, honest], made)


def _alike(cut: Surgery, node: NodeProto, one: int, other: int) -> bool:
    here, there = cut.shape(node.input[one]), cut.shape(node.input[other])
    return here is not None and here == there and node.input[one] != node.input[other]
