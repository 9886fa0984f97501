"""A user's own torch module, captured as a graph, inside the graph of the declared steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deploy_targets.stages.graphs.sketch import Sketch


def module(sketch: Sketch, value: str, options: Mapping[str, Any]) -> str:
    """Grafts the captured graph: `file` is where it lies."""
    import onnx

    return sketch.graft(onnx.load(options["file"]), value)
