"""TensorFlow -> ONNX by tf2onnx, in a child process.

In: a model of TensorFlow's frozen to one graph, and the Signature whose names and shapes the ONNX
graph must bear. Out: model.onnx, and export.log, which never ships. tf2onnx lays images out as
ONNX does inside of the graph; the inputs and outputs keep the layout of the original.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import ToolMissing, UnsupportedModel
from deploy_targets.integrations import worker
from deploy_targets.records import Signature

if TYPE_CHECKING:
    from onnx import ModelProto

    from deploy_targets.frontends.tensorflow_frozen import Frozen

OPSET = 18
"""The newest that tf2onnx 1.17 writes."""
GRAPH, LOG = "graph.pb", "export.log"


def capture(
    frozen: Frozen, signature: Signature, folder: Path, *, timeout: float = worker.TIMEOUT
) -> None:
    """Writes the graph into `folder`. Raises ConversionFailed, UnsupportedModel, ToolMissing."""
    from deploy_targets.frontends.tensorflow_canonical import raw

    given = folder / GRAPH
    given.write_bytes(raw(frozen.graph))
    try:
        worker.call(
            f"{__name__}:export",
            {
                "graph": str(given.absolute()),
                "inputs": list(frozen.inputs),
                "outputs": list(frozen.outputs),
                "signature": _adapter().dump_python(signature, mode="json"),
                "folder": str(folder.absolute()),
            },
            who="tf2onnx",
            timeout=timeout,
            log=folder / LOG,
        )
    finally:
        given.unlink()


def export(
    graph: str, inputs: list[str], outputs: list[str], signature: dict[str, Any], folder: str
) -> None:
    """The child's half: converts, names and cleans the graph."""
    from deploy_targets.frontends.tensorflow_quiet import tensorflow

    tf = tensorflow()
    wanted = _adapter().validate_python(signature)
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString(Path(graph).read_bytes())
    model = _by_tf2onnx(definition, inputs, outputs)
    _write(model, wanted, Path(folder))


def _by_tf2onnx(definition: Any, inputs: list[str], outputs: list[str]) -> ModelProto:
    from deploy_targets.frontends.tensorflow_canonical import order
    from deploy_targets.frontends.tensorflow_quiet import quiet, tensorflow

    tf = tensorflow()
    try:
        from tf2onnx import (  # type: ignore[import-untyped,unused-ignore]
            optimizer,
            tf_loader,
            tfonnx,
        )
    except ModuleNotFoundError as error:
        raise ToolMissing(
            f"a graph of TensorFlow's needs {error.name}, which is not installed",
            hint="pip install 'deploy-targets[tensorflow]'",
        ) from error
    try:
        with quiet():
            with tf.Graph().as_default():
                plain = tf_loader.tf_optimize(inputs, outputs, definition)
            # TensorFlow's optimiser hands nodes back in no order, and the file would follow it.
            order(plain, [*inputs, *outputs])
            with tf.Graph().as_default() as graph:
                tf.graph_util.import_graph_def(plain, name="")
                made = tfonnx.process_tf_graph(
                    graph, opset=OPSET, input_names=inputs, output_names=outputs
                )
            model: ModelProto = optimizer.optimize_graph(made).make_model("model")
    except (NotImplementedError, ValueError) as error:
        raise _refused(f"it: {str(error).strip()[:400]}") from error
    if unknown := _unmapped(model):
        raise _refused(", ".join(unknown))
    return model


def _unmapped(model: ModelProto) -> list[str]:
    """Operations of TensorFlow's that were left as they are: it only logs them."""
    from onnx import defs

    from deploy_targets.graph import walk

    nodes = (node for graph in walk.graphs(model.graph) for node in graph.node)
    return sorted({node.op_type for node in nodes if not defs.has(node.op_type, node.domain)})


def _write(model: ModelProto, signature: Signature, folder: Path) -> None:
    from deploy_targets.graph.name_boundary import name_boundary
    from deploy_targets.graph.save import save
    from deploy_targets.graph.strip_metadata import strip_metadata

    name_boundary(model, signature.inputs, signature.outputs)
    strip_metadata(model)
    model.graph.name = "model"
    with contextlib.redirect_stdout(sys.stderr):
        save(model, folder)


def _refused(said: str) -> UnsupportedModel:
    return UnsupportedModel(
        f"tf2onnx cannot carry {said}",
        hint="build the model without the operations that the message names; they are TensorFlow's",
    )


def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Signature)
