"""Pixels to the model's tensor as a graph: crop, pad, channels, scale, layout. See host/image.py.

Values are [height, width, channels] until `layout`; sizes are read in the graph, so that one graph
takes photos of every size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deploy_targets.records import Array
from deploy_targets.stages.graphs.sketch import Sketch


def crop(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """The middle of the image; where it is too small, zeros around it first."""
    size = _ints(*options["size"])
    lack = sketch.add("Max", sketch.add("Sub", size, _sides(sketch, value)), _ints(0))
    before = sketch.add("Div", lack, _ints(2))
    value = _padded(sketch, value, before, sketch.add("Sub", lack, before), 0.0)
    over = sketch.cast(sketch.add("Sub", _sides(sketch, value), size), "float32")
    # Round is to the even neighbour, as Python's is.
    half = sketch.add("Round", sketch.add("Mul", over, 0.5))
    start = sketch.cast(half, "int64")
    return sketch.add("Slice", value, start, sketch.add("Add", start, size), _ints(0, 1))


def pad(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """The image on a larger ground. One that is larger would be cut: the host refuses it."""
    room = sketch.add("Sub", _ints(*options["to"]), _sides(sketch, value))
    centre = options["at"] == "centre"
    before = sketch.add("Div", room, _ints(2)) if centre else sketch.constant(_ints(0, 0))
    return _padded(sketch, value, before, sketch.add("Sub", room, before), options["value"])


def channels(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """The channels in another order."""
    return sketch.add("Gather", value, _ints(*options["order"]), axis=2)


def scale(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """(value * by - mean) / std for each channel, in float32; then as `dtype`."""
    value = sketch.add("Mul", sketch.cast(value, "float32"), float(options["by"]))
    value = sketch.add("Sub", value, np.asarray(options["mean"], np.float32))
    value = sketch.add("Div", value, np.asarray(options["std"], np.float32))
    return value if options["dtype"] == "float32" else sketch.cast(value, options["dtype"])


def layout(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """The axes as the model has them."""
    order = options["order"]
    if order.endswith("chw"):
        value = sketch.add("Transpose", value, perm=[2, 0, 1])
    return sketch.add("Unsqueeze", value, _ints(0)) if order.startswith("n") else value


def _padded(sketch: Sketch, value: str, before: str, after: str, fill: float) -> str:
    """With rows and columns around it: `before` and `after` are int64 [2], as (rows, columns)."""
    # For all axes, and without naming them: where a Transpose comes before, onnxruntime 1.31 takes
    # the pads of named axes for those of all.
    pads = sketch.add("Concat", before, _ints(0), after, _ints(0), axis=0)
    return sketch.add("Pad", value, pads, sketch.add("CastLike", float(fill), value))


def _sides(sketch: Sketch, value: str) -> str:
    return sketch.add("Shape", value, start=0, end=2)


def _ints(*numbers: int) -> Array:
    return np.asarray(numbers, np.int64)
