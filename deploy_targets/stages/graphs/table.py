"""Rows of numbers as a graph: float64 [rows, columns], NaN where a value is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from deploy_targets.stages.graphs.sketch import Sketch
from deploy_targets.stages.host.table import expanded


def impute(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """A number for each missing value, by column; None leaves it missing."""
    values = np.array([np.nan if v is None else v for v in options["values"]], np.float64)
    return sketch.add("Where", sketch.add("IsNaN", value), values, value)


def standardise(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """(x - mean) / scale along the last axis, in the value's own precision."""
    mean, scale = (
        sketch.add("CastLike", np.array(options[key], np.float64), value)
        for key in ("mean", "scale")
    )
    return sketch.add("Div", sketch.add("Sub", value, mean), scale)


def one_hot(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """A column of a category's index becomes as many columns as it has; no index: all zeros."""
    columns, codes, coded = expanded(options["sizes"])
    spread = sketch.add("Gather", value, columns, axis=1)
    nearest = sketch.add("Round", spread)
    hot = sketch.cast(sketch.add("Equal", nearest, codes), "float64")
    return sketch.add("Where", coded, hot, spread)


def cast(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """The tensor's own dtype."""
    return sketch.cast(value, options["dtype"])
