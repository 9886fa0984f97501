"""Masks as a graph: the class of each pixel. To the photo's own size the host brings them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deploy_targets.stages.graphs.scores import numbers
from deploy_targets.stages.graphs.sketch import Sketch


def argmax(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """The class of the largest score along `axis`, uint8."""
    worth = numbers(sketch, sketch.cast(values[of], "float32"))
    best = sketch.add("ArgMax", worth, axis=options["axis"], keepdims=0)
    values[of] = sketch.cast(best, "uint8")


def above(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """1 where the only score along `axis` is above `at`, else 0; uint8."""
    axis = np.array([options["axis"]], np.int64)
    scores = sketch.add("Squeeze", sketch.cast(values[of], "float32"), axis)
    values[of] = sketch.cast(sketch.add("Greater", scores, float(options["at"])), "uint8")
