"""ONNX -> TensorFlow Lite by our own mapping and TensorFlow's converter, in a child process.

In: an Order whose graph is of Dialect.ONNX. Out: what `tflite.py` says. What computes each operator
is in onnx_in_tensorflow/; here it becomes a function of fixed sizes for each entry, and those one
SavedModel. Names are the model's own; whole numbers become int32 and floats float32, and the ports
say so. Operators are TensorFlow Lite's own alone: those of "Flex" would need TensorFlow on the
device, and are refused by the names of their nodes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import Any

from deploy_targets.converters import tflite, tflite_joined
from deploy_targets.converters.tflite import Converted, Fixed, Named, Order
from deploy_targets.converters.tflite_from_saved_model import tool
from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends.tensorflow_quiet import tensorflow
from deploy_targets.integrations import worker
from deploy_targets.records import TensorSpec
from deploy_targets.workspace import Workspace

LOCK = "litert"
WHO = "TensorFlow's converter"
HINT = "write it with other operators, or use a runtime that takes ONNX"

_OPERATOR = re.compile(r"'?tf\.(\w+)'? op is neither a custom op nor a flex op")
_SCOPE = re.compile(r"node_(\d+)_end")


def convert(
    order: Order, folder: Path, workspace: Workspace, *, timeout: float = worker.TIMEOUT
) -> Converted:
    """Writes model.tflite and entries.json into `folder`.

    Raises UnsupportedModel with the operators and their nodes, ConversionFailed for a crash or the
    time limit, ToolMissing where TensorFlow or LiteRT cannot be had.
    """
    tool()
    worker.call(
        f"{__name__}:export",
        {"order": tflite.packed(order), "folder": str(folder.absolute())},
        who=WHO,
        timeout=timeout,
        path=tflite.path(LOCK, workspace),
        log=folder / tflite.LOG,
    )
    return tflite.read(folder)


def export(order: dict[str, Any], folder: str) -> None:
    """The child's half: converts, then reads back what the file says of itself."""
    asked, home = tflite.unpacked(order), Path(folder)
    names = Named(
        [spec.name for spec in asked.signature.inputs],
        [spec.name for spec in asked.signature.outputs],
    )
    _write(asked, names, home / tflite.FILE)
    tools = {**tool(), **{name: version(name) for name in ("onnx", "ai-edge-litert")}}
    tflite.write(asked, home, names, who=WHO, tools=tools)


def _write(asked: Order, names: Named, file: Path) -> None:
    """By number first: a name of ONNX may hold what a name of TensorFlow may not."""
    numbered = Named(
        [f"in_{number:03d}" for number in range(len(names.inputs))],
        [f"out_{number:03d}" for number in range(len(names.outputs))],
    )
    keys = {entry.name: entry.name for entry in asked.entries}
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary, tflite.FILE)
        nodes: list[str] = []
        _save(asked, numbered, temporary, nodes)
        made.write_bytes(_converted(asked, temporary, nodes))
        tflite_joined.join({made: keys}, numbered, names, file, WHO)


def _save(asked: Order, numbered: Named, folder: str, nodes: list[str]) -> None:
    """A SavedModel with a signature for each entry. `nodes` gets what each scope is of."""
    import onnx

    from deploy_targets.converters.onnx_in_tensorflow import graph_model
    from deploy_targets.converters.onnx_in_tensorflow.value import UnsupportedModel as Refused

    tf = tensorflow()
    module = tf.Module()
    try:
        model = graph_model.prepared(onnx.load(asked.graph.folder / "model.onnx"))
        with _scoped(nodes):
            made = {
                entry.name: _function(model, asked, entry, numbered).get_concrete_function()
                for entry in asked.entries
            }
    except Refused as error:
        raise UnsupportedModel(str(error).replace("TF.js", "LiteRT"), hint=HINT) from error
    module.made = list(made.values())
    tf.saved_model.save(module, folder, signatures=made)


@contextmanager
def _scoped(nodes: list[str]) -> Iterator[None]:
    """Within it each node computes in a scope of its number, by which errors name it."""
    from deploy_targets.converters.onnx_in_tensorflow.value import OPERATORS, Node

    tf, plain = tensorflow(), dict(OPERATORS)

    def scoped(function: Callable[[Node], Any]) -> Callable[[Node], Any]:
        def run(node: Node) -> Any:
            nodes.append(f"{node.operator} (node {node.name})")
            with tf.name_scope(f"node_{len(nodes) - 1}_end"):
                return function(node)

        return run

    OPERATORS.update({name: scoped(function) for name, function in plain.items()})
    try:
        yield
    finally:
        OPERATORS.update(plain)


def _function(model: Any, asked: Order, entry: Fixed, numbered: Named) -> Any:
    """What computes the graph at the sizes of the entry, with inputs that lie as ordered."""
    from deploy_targets.converters.onnx_in_tensorflow import graph_model

    tf = tensorflow()
    order = [value.name for value in graph_model._inputs(model)]
    specs = {spec.name: spec for spec in asked.signature.inputs}
    kinds = {value.name: graph_model._spec(tf, value, 0).dtype for value in model.graph.input}
    asked_for = [
        tf.TensorSpec(_lying(specs[name], asked.layouts.get(name), entry), kinds[name], given)
        for name, given in zip(specs, numbered.inputs, strict=True)
    ]

    def run(*tensors: Any) -> dict[str, Any]:
        given = {
            name: _turned(tf, tensor, asked.layouts.get(name))
            for name, tensor in zip(specs, tensors, strict=True)
        }
        answers = graph_model.compute(model, tuple(given[name] for name in order))
        found = dict(zip((value.name for value in model.graph.output), answers, strict=True))
        wanted = zip(asked.signature.outputs, numbered.outputs, strict=True)
        return {number: tf.identity(found[spec.name]) for spec, number in wanted}

    return tf.function(run, input_signature=asked_for, autograph=False)


def _turned(tf: Any, tensor: Any, axes: Sequence[int] | None) -> Any:
    """From the artifact's layout to the model's."""
    if axes is None:
        return tensor
    return tf.transpose(tensor, [axes.index(axis) for axis in range(len(axes))])


def _lying(spec: TensorSpec, axes: Sequence[int] | None, entry: Fixed) -> list[int]:
    def size(dim: int | str) -> int:
        return prod(int(f) if f.isdigit() else entry.sizes[f] for f in str(dim).split("*"))

    return [size(spec.shape[axis]) for axis in axes or range(len(spec.shape))]


def _converted(asked: Order, folder: str, nodes: Sequence[str]) -> bytes:
    tf = tensorflow()
    keys = [entry.name for entry in asked.entries]
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=keys)
    if asked.half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    try:
        return bytes(converter.convert())
    except Exception as error:
        raise _refused(error, nodes) from error


def _refused(error: Exception, nodes: Sequence[str]) -> Exception:
    """UnsupportedModel where the tool names operators; else the error as it is."""
    said = str(error)
    found = dict.fromkeys(_OPERATOR.findall(said))
    if not found:
        return error
    places = dict.fromkeys(nodes[int(number)] for number in _SCOPE.findall(said))
    listed = ", ".join(places) or "a node of the model"
    return UnsupportedModel(
        f"LiteRT cannot run {listed}: TensorFlow Lite has no form of {', '.join(found)}", hint=HINT
    )
