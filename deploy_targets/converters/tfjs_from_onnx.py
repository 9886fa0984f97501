"""ONNX -> a TF.js graph model, in an environment of its own that has TensorFlow.

In: a captured Graph of Dialect.ONNX. Out: model.json and weights.bin, whose signature has the names
of the graph; convert.log, which never ships; and what TF.js will be asked to run. What computes
each operator is in onnx_in_tensorflow/, which that environment imports and this one does not.

TF.js has float32, int32 and bool: other floats and whole numbers become the first two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.integrations import toolchain, worker
from deploy_targets.records import Graph
from deploy_targets.workspace import Workspace

MODEL, WEIGHTS, LOG = "model.json", "weights.bin", "convert.log"
LOCK = "tfjs"
PYTHONS = ("3.11", "3.12", "3.13")
UNUSED = ("tensorflow/include",)
"""Headers for C++: 430 MB that no conversion reads."""


@dataclass(frozen=True)
class Converted:
    """What a conversion left."""

    operators: Mapping[str, str]
    """TensorFlow's operator -> the first node that is one."""
    tools: Mapping[str, str]


def convert(
    graph: Graph, folder: Path, workspace: Workspace, *, timeout: float = worker.TIMEOUT
) -> Converted:
    """Writes model.json and weights.bin into `folder`.

    Raises ToolMissing, ConversionFailed, and UnsupportedModel with the operator's and its node's
    name.
    """
    said = worker.call(
        "onnx_in_tensorflow.graph_model:write",
        {"graph": str(graph.folder.absolute() / "model.onnx"), "folder": str(folder.absolute())},
        who="the conversion to TF.js",
        timeout=timeout,
        python=str(python(workspace)),
        # This package's packages are not that environment's; its own folder alone is shown to it.
        path=[str(Path(__file__).parent)],
        log=folder / LOG,
    )
    return Converted(said["operators"], said["tools"])


def python(workspace: Workspace) -> Path:
    """The interpreter of the environment that has TensorFlow. Raises ToolMissing."""
    return toolchain.python(LOCK, workspace, minors=PYTHONS, without=UNUSED)
