"""The steps that can be a graph, as a graph in ONNX: the same operations that host/ has in Python.

In: the steps of an input (or of outputs) and the tensors on either side. Out: a small model that
lies beside the user's. To add an operation: a function `emit(sketch, value, options)` in the file
of its medium, and a line in `BEFORE` or `AFTER` here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages.graphs.sketch import Sketch

if TYPE_CHECKING:
    from onnx import ModelProto

BEFORE = {
    "resize": "resize",
    "crop": "image",
    "pad": "image",
    "channels": "image",
    "scale": "image",
    "layout": "image",
    "frames": "audio",
    "normalise": "audio",
    "arrange": "audio",
    "log_mel": "audio",
    "impute": "table",
    "standardise": "table",
    "one_hot": "table",
    "cast": "table",
    "module": "own",
}
"""Operation -> the file in this folder whose function of that name emits it."""

AFTER = {
    "softmax": "scores",
    "sigmoid": "scores",
    "top_k": "scores",
    "threshold": "scores",
    "detections": "boxes",
    "argmax": "masks",
    "above": "masks",
    "ctc": "text",
}

EmitBefore = Callable[[Sketch, str, Mapping[str, Any]], str]
EmitAfter = Callable[[Sketch, dict[str, str], str, Mapping[str, Any]], None]


def before(stages: Sequence[Stage], port: TensorSpec, tensor: TensorSpec) -> ModelProto:
    """From what the host hands over (`port`) to the model's own tensor."""
    sketch = Sketch()
    value = sketch.input(port)
    for stage in stages:
        emit: EmitBefore = _function(BEFORE, stage.op)
        value = emit(sketch, value, stage.options)
    return sketch.model({value: tensor})


def after(
    stages: Sequence[Stage], outputs: Sequence[TensorSpec], gives: Sequence[TensorSpec]
) -> ModelProto:
    """From the model's outputs to those of the steps. An emitter edits name -> value in place."""
    sketch = Sketch()
    values = {spec.name: sketch.input(spec) for spec in outputs}
    for stage in stages:
        emit: EmitAfter = _function(AFTER, stage.op)
        emit(sketch, values, stage.of, stage.options)
    return sketch.model({values[spec.name]: spec for spec in gives})


def _function(known: Mapping[str, str], op: str) -> Any:
    return getattr(import_module(f"{__name__}.{known[op]}"), op)
