"""Writes a graph as one file, model.onnx, after onnx's own checker has agreed to it.

Protocol buffers end at 2 GB: only above that do the weights go into a second file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.errors import ConversionFailed

if TYPE_CHECKING:
    from onnx import ModelProto

FILE, WEIGHTS = "model.onnx", "model.onnx.data"
LARGEST = 2**31 - 2**24
"""Bytes of weights that one file can hold, with room left for the graph itself."""


def save(model: ModelProto, folder: Path, largest: int = LARGEST) -> Path:
    """The written file. Raises ConversionFailed where the graph is invalid."""
    import onnx

    path = folder / FILE
    if sum(len(tensor.raw_data) for tensor in model.graph.initializer) > largest:
        onnx.save_model(model, path, save_as_external_data=True, location=WEIGHTS)
    else:
        path.write_bytes(model.SerializeToString(deterministic=True))
    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError as error:
        path.unlink()
        raise ConversionFailed(
            f"the exporter wrote an invalid graph: {error}", hint="try another dialect"
        ) from error
    return path
