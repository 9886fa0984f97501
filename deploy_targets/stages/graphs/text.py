"""Text as a graph: each step beside the one before it, and what is new and no blank stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deploy_targets.stages.graphs.scores import numbers
from deploy_targets.stages.graphs.sketch import Sketch


def ctc(sketch: Sketch, values: dict[str, str], of: str, options: Mapping[str, Any]) -> None:
    """The best token of each step, repeats once, blanks never: int64 [tokens]."""
    worth = numbers(sketch, sketch.cast(values[of], "float32"))
    item = sketch.add("Squeeze", worth, np.array([1 - options["time"]], np.int64))
    # A row ahead, since ONNX Runtime's ArgMax gives the wrong shape for no steps at all.
    padded = sketch.add("Pad", item, np.array([1, 0, 0, 0], np.int64))
    best = sketch.add("ArgMax", padded, axis=-1, keepdims=0)
    first, last = np.array([1], np.int64), np.array([-1], np.int64)
    steps = sketch.add("Slice", best, first, np.array([np.iinfo(np.int64).max], np.int64))
    # What comes before the first is no token.
    before = sketch.add("Concat", last, sketch.add("Slice", best, first, last), axis=0)
    same = [sketch.add("Equal", steps, other) for other in (before, int(options["blank"]))]
    new = sketch.add("Not", sketch.add("Or", *same))
    values[of] = sketch.add("Compress", steps, new, axis=0)
