"""Lanes of ONNX Runtime in this process: optimisation levels, threads, one row at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.binding import batch_axis, sizes_of
from deploy_targets.records import Array, Case, Signature, Tensors

Run = Callable[[Tensors], dict[str, Array]]

LANES = {
    "ort-plain-1t": ("ORT_DISABLE_ALL", 1),
    "ort-basic-1t": ("ORT_ENABLE_BASIC", 1),
    "ort-extended-1t": ("ORT_ENABLE_EXTENDED", 1),
    "ort-all-1t": ("ORT_ENABLE_ALL", 1),
    "ort-all-2t": ("ORT_ENABLE_ALL", 2),
}
ROWS = "ort-all-1t-rows"


def session(model: Path | bytes, level: str = "ORT_ENABLE_ALL", threads: int = 1) -> Run:
    """A loaded graph. Raises what ONNX Runtime raises."""
    import onnxruntime as ort

    options: Any = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    loaded = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in loaded.get_outputs()]

    def run(inputs: Tensors) -> dict[str, Array]:
        return dict(zip(names, loaded.run(names, dict(inputs)), strict=True))

    return run


def answers(cases: Sequence[Case], run: Run) -> dict[str, dict[str, Array]]:
    """What a loaded graph says to every case."""
    return {case.name: run(case.inputs) for case in cases}


def row_by_row(
    signature: Signature, cases: Sequence[Case], run: Run
) -> dict[str, dict[str, Array]]:
    """The same with batches split into single rows and joined again; {} where they cannot be."""
    specs = (*signature.inputs, *signature.outputs)
    if any(batch_axis(spec, signature.batch) is None for spec in specs):
        return {}
    return {case.name: _joined(signature, case, run) for case in cases}


def _joined(signature: Signature, case: Case, run: Run) -> dict[str, Array]:
    count = sizes_of(signature.inputs, case.inputs)[signature.batch or ""]
    said = [run(_row(signature, case.inputs, i)) for i in range(count)]
    return {
        spec.name: np.concatenate([row[spec.name] for row in said], _axis(spec, signature))
        for spec in signature.outputs
    }


def _row(signature: Signature, inputs: Tensors, index: int) -> Mapping[str, Array]:
    return {
        spec.name: inputs[spec.name].take([index], _axis(spec, signature))
        for spec in signature.inputs
    }


def _axis(spec: Any, signature: Signature) -> int:
    axis = batch_axis(spec, signature.batch)
    assert axis is not None
    return axis
