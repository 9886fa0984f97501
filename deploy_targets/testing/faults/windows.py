"""Faults of what looks at neighbours: padding, pooling, resizing, recurrence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy_targets.testing.faults.fault import graph
from deploy_targets.testing.faults.parameters import Parameter, biases, change, share_of, weights
from deploy_targets.testing.faults.surgery import Surgery

if TYPE_CHECKING:
    from onnx import NodeProto

_WINDOWED = ("Conv", "MaxPool", "AveragePool", "Pad")


@graph("the share of the padded layers; 0: one", 1, 0.3, 0)
def padding_one_off(cut: Surgery, strength: float) -> None:
    """Padding begins one too early and ends one too early: the image moves by a pixel."""
    flipped = {b"SAME_UPPER": "SAME_LOWER", b"SAME_LOWER": "SAME_UPPER"}
    found = [node for node in cut.nodes(*_WINDOWED) if _fits(cut, node, _moved(_pads(cut, node)))]
    found += [n for n in cut.nodes(*_WINDOWED) if cut.attribute(n, "auto_pad") in flipped]
    for node in cut.some(found, strength):
        if (how := cut.attribute(node, "auto_pad")) in flipped:
            cut.set(node, "auto_pad", flipped[how])
        else:
            _set_pads(cut, node, _moved(_pads(cut, node)))


@graph("the share of the padded convolutions and pads; 0: one", 1, 0.3, 0)
def padding_mode(cut: Surgery, strength: float) -> None:
    """The border is filled with its nearest pixels instead of zeros, or the reverse."""
    found = [node for node in cut.nodes("Conv", "Pad") if any(_pads(cut, node))]
    for node in cut.some([node for node in found if cut.opset >= 11], strength):
        if node.op_type == "Pad":
            plain = cut.attribute(node, "mode", b"constant") == b"constant"
            cut.set(node, "mode", "edge" if plain else "constant")
            continue
        pads = _pads(cut, node)
        half = len(pads) // 2
        full = cut.whole([0, 0, *pads[:half], 0, 0, *pads[half:]])
        node.input[0] = cut.add("Pad", [node.input[0], full], mode="edge")
        cut.set(node, "pads", [0] * len(pads))


@graph("the share of the padded average pools; 0: one", 1, 0)
def border_counted(cut: Surgery, strength: float) -> None:
    """An average over a window counts its padding where it must not, or the reverse."""
    found = [n for n in cut.nodes("AveragePool") if any(_pads(cut, n)) or _same_padded(cut, n)]
    for node in cut.some(found, strength):
        cut.set(node, "count_include_pad", 1 - cut.attribute(node, "count_include_pad", 0))


@graph("the share of the model's max pools; 0: one", 1, 0)
def pooling_exchanged(cut: Surgery, strength: float) -> None:
    """A window gives its average instead of its maximum."""
    plain = [
        node
        for node in cut.nodes("MaxPool")
        if cut.opset >= 7
        and len(node.output) == 1
        and {*cut.attribute(node, "dilations", [1])} == {1}
    ]
    for node in cut.some(plain, strength):
        node.op_type = "AveragePool"
        for name in ("storage_order", "dilations"):
            cut.set(node, name, None)


@graph("the share of the model's resizes; 0: one", 1, 0)
def align_corners_flipped(cut: Surgery, strength: float) -> None:
    """A resize aligns the corners where it must not, or the reverse."""
    for node in cut.some(_resizes(cut), strength):
        how = cut.attribute(node, "coordinate_transformation_mode", b"half_pixel")
        aligned = how == b"align_corners"
        mode = "half_pixel" if aligned else "align_corners"
        cut.set(node, "coordinate_transformation_mode", mode)


@graph("the share of the model's resizes; 0: one", 1, 0)
def resize_half_a_pixel_off(cut: Surgery, strength: float) -> None:
    """A resize measures from the edge of a pixel instead of its centre, or the reverse."""
    for node in cut.some(_resizes(cut), strength):
        how = cut.attribute(node, "coordinate_transformation_mode", b"half_pixel")
        mode = "half_pixel" if how == b"asymmetric" else "asymmetric"
        cut.set(node, "coordinate_transformation_mode", mode)


@graph("the share of the resizes to the nearest; 0: one", 1, 0)
def resize_rounding(cut: Surgery, strength: float) -> None:
    """A resize to the nearest pixel rounds the other way."""
    found = [n for n in _resizes(cut) if cut.attribute(n, "mode", b"nearest") == b"nearest"]
    for node in cut.some(found, strength):
        down = cut.attribute(node, "nearest_mode", b"round_prefer_floor")
        other = "ceil" if down in (b"floor", b"round_prefer_floor") else "floor"
        cut.set(node, "nearest_mode", other)


@graph("the share of the smooth resizes; 0: one", 1, 0)
def resize_kernel(cut: Surgery, strength: float) -> None:
    """A bilinear resize takes the nearest pixel; a bicubic one has another library's curve."""
    found = [n for n in _resizes(cut) if cut.attribute(n, "mode", b"nearest") != b"nearest"]
    for node in cut.some(found, strength):
        if cut.attribute(node, "mode") == b"linear":
            cut.set(node, "mode", "nearest")
            cut.set(node, "antialias", None)
        else:
            honest = cut.attribute(node, "cubic_coeff_a", -0.75)
            cut.set(node, "cubic_coeff_a", -0.5 if honest < -0.6 else -0.75)


@graph("the share of the hidden units that run the other way", 1, 0.3, 0)
def direction_reversed(cut: Surgery, strength: float) -> None:
    """A recurrent layer runs backwards; of two directions, units are exchanged."""
    for node in cut.one(cut.nodes("LSTM", "GRU", "RNN")):
        how = cut.attribute(node, "direction", b"forward")
        if how == b"bidirectional":
            for part in (p for p in [*weights(cut), *biases(cut)] if p.node is node):
                _exchange_directions(cut, part, strength)
        elif strength == 1:
            cut.set(node, "direction", "reverse" if how == b"forward" else "forward")


@graph("1: all of it; there is no weaker form", 1)
def reset_gate_misplaced(cut: Surgery, strength: float) -> None:
    """A GRU applies its reset gate before the matrix product instead of after, or the reverse."""
    for node in cut.one(cut.nodes("GRU")):
        after = cut.attribute(node, "linear_before_reset", 0)
        cut.set(node, "linear_before_reset", 1 - after)


def _resizes(cut: Surgery) -> list[NodeProto]:
    return [node for node in cut.nodes("Resize") if cut.opset >= 11]


def _same_padded(cut: Surgery, node: NodeProto) -> bool:
    return cut.attribute(node, "auto_pad", b"NOTSET") in (b"SAME_UPPER", b"SAME_LOWER")


def _pads(cut: Surgery, node: NodeProto) -> list[int]:
    """What is added before every axis, then what is added after; empty where it is not fixed."""
    written = cut.attribute(node, "pads")
    if written is None and node.op_type == "Pad" and len(node.input) > 1:
        held = cut.constant(node.input[1])
        return [] if held is None or any(node.input[3:]) else [int(n) for n in held]
    return list(written or [])


def _set_pads(cut: Surgery, node: NodeProto, pads: list[int]) -> None:
    import numpy as np

    if cut.attribute(node, "pads") is None:
        cut.put(node, 1, np.array(pads, np.int64))
    else:
        cut.set(node, "pads", pads)


def _moved(pads: list[int]) -> list[int]:
    """One more before and one less after, wherever there is one after; empty if nowhere."""
    half = len(pads) // 2
    moved = [
        (before + 1, after - 1) if after > 0 else (before - 1, after + 1) if before > 0 else (0, 0)
        for before, after in zip(pads[:half], pads[half:], strict=True)
    ]
    return [pair[side] for side in (0, 1) for pair in moved] if any(pads) else []


def _fits(cut: Surgery, node: NodeProto, pads: list[int]) -> bool:
    """Whether there is padding, and a window of a pool still sees more than that."""
    kernel = cut.attribute(node, "kernel_shape", []) if "Pool" in node.op_type else []
    return bool(pads) and all(pad < size for pad, size in zip(pads, kernel * 2, strict=False))


def _exchange_directions(cut: Surgery, part: Parameter, share: float) -> None:
    array = part.array.copy()
    hidden = cut.attribute(part.node, "hidden_size")
    gates = array.reshape(2, -1, hidden, *array.shape[2:])
    moved = share_of(hidden, share)
    gates[:, :, :moved] = gates[::-1, :, :moved].copy()
    change(cut, part, gates.reshape(array.shape))
