"""Boxes as a graph: NonMaxSuppression with what is around it, to the rows that the host gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deploy_targets.stages.graphs.scores import largest, numbers
from deploy_targets.stages.graphs.sketch import Sketch


def detections(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """`<of>` becomes [found, 6], as `host/boxes.py` describes it."""
    boxes = _rows(sketch, values.pop(of), options["layout"])
    if options["scores"] is None:
        marks = _columns(sketch, boxes, 4, _LAST)
    else:
        marks = _rows(sketch, values.pop(options["scores"]), options["scores_layout"])
    corners = _corners(sketch, _columns(sketch, boxes, 0, 4), options)
    marks = sketch.add("Transpose", _worth(sketch, marks, corners, options), perm=[0, 2, 1])
    values[of] = _found(sketch, corners, marks, options)


_LAST = np.iinfo(np.int64).max


def _rows(sketch: Sketch, value: str, layout: str) -> str:
    """[1, proposals, …], float32."""
    value = sketch.cast(value, "float32")
    return value if layout == "rows" else sketch.add("Transpose", value, perm=[0, 2, 1])


def _columns(sketch: Sketch, value: str, start: int, end: int) -> str:
    bounds = [np.array([bound], np.int64) for bound in (start, end, 2)]
    return sketch.add("Slice", value, *bounds)


def _corners(sketch: Sketch, boxes: str, options: Mapping[str, Any]) -> str:
    first, second = _columns(sketch, boxes, 0, 2), _columns(sketch, boxes, 2, 4)
    if options["format"] == "xywh":
        second = sketch.add("Add", first, second)
    elif options["format"] == "cxcywh":
        half = sketch.add("Mul", second, 0.5)
        first, second = sketch.add("Sub", first, half), sketch.add("Add", first, half)
    corners = sketch.add("Concat", first, second, axis=2)
    if options["unit"] == "pixels":
        return corners
    height, width = options["size"]
    return sketch.add("Mul", corners, np.array([width, height] * 2, np.float32))


def _worth(sketch: Sketch, marks: str, corners: str, options: Mapping[str, Any]) -> str:
    """The scores, and minus infinity for what can never be found."""
    odd = sketch.add("Or", sketch.add("IsNaN", corners), sketch.add("IsInf", corners))
    odd = sketch.add("ReduceMax", sketch.cast(odd, "float32"), np.array([2], np.int64))
    never = float("-inf")
    marks = sketch.add("Where", sketch.cast(odd, "bool"), never, numbers(sketch, marks))
    count = sketch.add("Squeeze", sketch.add("Shape", marks, start=2))
    kinds = sketch.add("Range", 0, count, 1)
    if options["background"] is not None:
        nothing = sketch.add("Equal", kinds, int(options["background"]))
        marks = sketch.add("Where", nothing, never, marks)
    if options["best"]:
        best = sketch.add("Equal", kinds, sketch.add("ArgMax", marks, axis=2, keepdims=1))
        marks = sketch.add("Where", best, marks, never)
    return marks


def _found(sketch: Sketch, corners: str, marks: str, options: Mapping[str, Any]) -> str:
    """Rows in the order of their scores; before that they lie by class, and so break ties."""
    limits = (
        np.array([options["max"]], np.int64),
        np.array([options["iou"]], np.float32),
        np.array([options["score"]], np.float32),
    )
    chosen = sketch.add("NonMaxSuppression", corners, marks, *limits)
    kind, box = (sketch.add("Gather", chosen, np.array([at], np.int64), axis=1) for at in (1, 2))
    # Squeeze also holds that there is one item, for which alone the rows are an answer.
    plain = sketch.add("Squeeze", corners, np.array([0], np.int64))
    places = sketch.add("GatherND", plain, box)
    scores = sketch.add("GatherND", marks, chosen)
    columns = (places, _column(sketch, scores), sketch.cast(kind, "float32"))
    rows = sketch.add("Concat", *columns, axis=1)
    return sketch.add("Gather", rows, largest(sketch, scores, options["max"]), axis=0)


def _column(sketch: Sketch, values: str) -> str:
    return sketch.add("Unsqueeze", values, np.array([1], np.int64))
