"""Scores of classes as a graph: softmax, sigmoid, the best few, those above a limit.

Ties and what is no number go as in `host/scores.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deploy_targets.stages.graphs.sketch import Sketch


def softmax(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """Probabilities that sum to 1 along `axis`."""
    given = sketch.cast(values[of], "float32")
    values[of] = sketch.add("Softmax", given, axis=options["axis"])


def sigmoid(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """A probability for each element by itself."""
    # Not as one Sigmoid: ONNX Runtime's is 0 below -18, where the scores of rare classes lie.
    power = sketch.add("Exp", sketch.add("Neg", sketch.cast(values[of], "float32")))
    values[of] = sketch.add("Div", 1.0, sketch.add("Add", power, 1.0))


def top_k(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """The `k` largest of each row, and which they are."""
    scores = sketch.cast(values.pop(of), "float32")
    best = largest(sketch, scores, options["k"])
    values[f"{of}.scores"] = sketch.add("GatherElements", scores, best, axis=-1)
    values[f"{of}.indices"] = best


def threshold(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """Scores that are not above `at` become 0."""
    scores = sketch.cast(values[of], "float32")
    above = sketch.add("Greater", scores, float(options["at"]))
    values[of] = sketch.add("Where", above, scores, 0.0)


def largest(sketch: Sketch, scores: str, most: int) -> str:
    """The indices of the `most` largest along the last axis, in descending order."""
    # TopK breaks ties by the lower index, but says nothing of NaN.
    worth = numbers(sketch, scores)
    length = sketch.add("Shape", scores, start=-1)
    count = sketch.add("Min", length, np.array([most], np.int64))
    return sketch.several("TopK", 2, worth, count, axis=-1)[1]


def numbers(sketch: Sketch, scores: str) -> str:
    """The scores, with minus infinity for what is no number."""
    return sketch.add("Where", sketch.add("IsNaN", scores), float("-inf"), scores)
