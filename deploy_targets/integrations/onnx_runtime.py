"""Runs an ONNX graph in this process. In: a ModelProto and inputs. Out: its outputs.

Plainly (no optimisation, one thread), so that two graphs that hold the same node give the same
bits; or optimised, as a server would run it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.records import Array, Tensors

if TYPE_CHECKING:
    from onnx import ModelProto


def run(
    model: ModelProto, feeds: Tensors, *, optimised: bool = False, beside: Path | None = None
) -> dict[str, Array]:
    """Output -> array; what is no tensor is left out. `beside`: the folder of outside weights.

    Raises NotRun where ONNX Runtime refuses the graph or fails in it.
    """
    session = _session(model.SerializeToString(), optimised, beside)
    try:
        names = [output.name for output in session.get_outputs()]
        taken = {value.name for value in session.get_inputs()}
        answers = session.run(names, {name: a for name, a in feeds.items() if name in taken})
    except Exception as error:
        raise _failed(error) from error
    pairs = zip(names, answers, strict=True)
    return {name: array for name, array in pairs if isinstance(array, np.ndarray)}


def _session(raw: bytes, optimised: bool, beside: Path | None) -> Any:
    try:
        import onnxruntime as ort  # type: ignore[import-untyped,unused-ignore]
    except ModuleNotFoundError as error:
        raise ToolMissing(
            "running a graph here needs onnxruntime, which is not installed",
            hint="pip install 'deploy-targets[onnx]'",
        ) from error
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    if not optimised:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    if beside is not None:
        key = "session.model_external_initializers_file_folder_path"
        options.add_session_config_entry(key, str(beside))
    try:
        return ort.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise _failed(error) from error


def _failed(error: Exception) -> NotRun:
    return NotRun(
        f"ONNX Runtime cannot run the graph here: {str(error).strip().splitlines()[0]}",
        hint="see that the machine has the memory for it, and onnxruntime the operators",
    )
