"""TensorFlow (a SavedModel) -> TensorFlow Lite by TensorFlow's own converter, in a child process.

In: an Order whose graph is of Dialect.SAVED_MODEL: saved_model/ with the signature SERVED, whose
tensors have the model's own names and whose graph has no variables. Out: what `tflite.py` says.
Each entry is the graph at its own sizes; what they hold alike is in the file once. Operators are
TensorFlow Lite's own alone, for "Flex" would need TensorFlow on the device. 64-bit integers stay
what they are.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from deploy_targets.converters import tensorflow_loops, tflite, tflite_joined
from deploy_targets.converters.tflite import Converted, Fixed, Named, Order
from deploy_targets.errors import ToolMissing, UnsupportedModel
from deploy_targets.frontends.signature import probe
from deploy_targets.frontends.tensorflow_quiet import tensorflow
from deploy_targets.integrations import worker
from deploy_targets.workspace import Workspace

LOCK = "litert"
PACKAGES = ("tensorflow-cpu", "tensorflow")
WHO = "TensorFlow's converter"
MODEL, FILE, SERVED = "saved_model", "saved_model.pb", "serving_default"

_OPERATOR = re.compile(
    r"'tf\.(\w+)' op is neither a custom op nor a flex op"
    r"|failed to legalize operation 'tf\.(\w+)'"
)
_PLACE = re.compile(r'fused\["(\w+):", "([^"@]+)')


def convert(
    order: Order, folder: Path, workspace: Workspace, *, timeout: float = worker.TIMEOUT
) -> Converted:
    """Writes model.tflite and entries.json into `folder`.

    Raises UnsupportedModel naming the operators that cannot be carried, ConversionFailed for a
    crash or the time limit, ToolMissing where TensorFlow or LiteRT cannot be had.
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


def tool() -> dict[str, str]:
    """TensorFlow's package and its version. Raises ToolMissing."""
    from importlib.metadata import PackageNotFoundError

    for name in PACKAGES:
        try:
            return {name: version(name)}
        except PackageNotFoundError:
            continue
    raise ToolMissing(
        "TensorFlow is not installed", hint="pip install 'deploy-targets[tensorflow]'"
    )


def export(order: dict[str, Any], folder: str) -> None:
    """The child's half: converts, then reads back what the file says of itself."""
    asked, home = tflite.unpacked(order), Path(folder)
    names = Named(
        [spec.name for spec in asked.signature.inputs],
        [spec.name for spec in asked.signature.outputs],
    )
    _write(asked, names, home / tflite.FILE)
    tools = {**tool(), "ai-edge-litert": version("ai-edge-litert")}
    tflite.write(asked, home, names, who=WHO, tools=tools)


def _write(asked: Order, names: Named, file: Path) -> None:
    """By number first: a model's name may be what no argument of a function can be called."""
    numbered = Named(
        [f"in_{number:03d}" for number in range(len(names.inputs))],
        [f"out_{number:03d}" for number in range(len(names.outputs))],
    )
    keys = {entry.name: entry.name for entry in asked.entries}
    with tempfile.TemporaryDirectory() as temporary:
        made = Path(temporary, tflite.FILE)
        Path(temporary, FILE).write_bytes(_together(asked, numbered))
        made.write_bytes(_converted(temporary, list(keys), half=asked.half))
        tflite_joined.join({made: keys}, numbered, names, file, WHO)


def _converted(folder: str, entries: list[str], *, half: bool) -> bytes:
    tf = tensorflow()
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=entries)
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    try:
        return bytes(converter.convert())
    except Exception as error:
        raise _refused(error) from error


def _together(asked: Order, numbered: Named) -> bytes:
    """A SavedModel with a signature for each entry: the graph at those sizes, with fixed inputs."""
    from tensorflow.core.protobuf import saved_model_pb2  # type: ignore[import-untyped,unused-ignore]

    tf = tensorflow()
    path = asked.graph.folder / MODEL / FILE
    meta = saved_model_pb2.SavedModel.FromString(path.read_bytes()).meta_graphs[0]
    graph = tf.Graph()
    made = [_fixed(graph, meta, asked, entry) for entry in asked.entries]
    saved = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    whole = saved.meta_graphs.add()
    whole.meta_info_def.CopyFrom(meta.meta_info_def)
    values = {name: array for one in made for name, array in one.values.items()}
    whole.graph_def.CopyFrom(tensorflow_loops.settled(graph, values))
    for entry, one in zip(asked.entries, made, strict=True):
        signature = whole.signature_def[entry.name]
        signature.method_name = meta.signature_def[SERVED].method_name
        _declare(signature.inputs, dict(zip(numbered.inputs, one.inputs, strict=True)))
        _declare(signature.outputs, dict(zip(numbered.outputs, one.outputs, strict=True)))
    return bytes(saved.SerializeToString(deterministic=True))


def _declare(infos: Any, tensors: Mapping[str, Any]) -> None:
    for name, tensor in tensors.items():
        infos[name].name, infos[name].dtype = tensor.name, tensor.dtype.as_datatype_enum
        infos[name].tensor_shape.CopyFrom(tensor.shape.as_proto())


@dataclass(frozen=True)
class _Copy:
    """One more copy of the graph: its tensors at the boundary, and values to try it with."""

    inputs: Sequence[Any]
    outputs: Sequence[Any]
    values: Mapping[str, Any]


def _fixed(graph: Any, meta: Any, asked: Order, entry: Fixed) -> _Copy:
    """The graph with inputs of fixed sizes, that lie as ordered."""
    tf = tensorflow()
    signed, specs = meta.signature_def[SERVED], asked.signature.inputs
    arrays = probe(specs, entry.sizes)
    inputs, mapped, values = [], {}, {}
    with graph.as_default():
        for index, spec in enumerate(specs):
            axes = asked.layouts.get(spec.name) or tuple(range(len(spec.shape)))
            array = arrays[spec.name].transpose(axes)
            tensor = tf.compat.v1.placeholder(spec.dtype, array.shape, f"{entry.name}_{index}")
            inputs.append(tensor)
            values[tensor.name] = array
            given = tf.transpose(tensor, _back(axes)) if spec.name in asked.layouts else tensor
            mapped[signed.inputs[spec.name].name] = given
        wanted = [signed.outputs[spec.name].name for spec in asked.signature.outputs]
        own = tensorflow_loops.apart(meta.graph_def, entry.name)
        outputs = tf.graph_util.import_graph_def(own, mapped, wanted, name=entry.name)
    return _Copy(inputs, outputs, values)


def _back(axes: Sequence[int]) -> list[int]:
    """From the artifact's layout to the model's."""
    return [axes.index(axis) for axis in range(len(axes))]


def _refused(error: Exception) -> Exception:
    """UnsupportedModel where the tool names operators; else the error as it is."""
    said = str(error)
    found = dict.fromkeys(one or other for one, other in _OPERATOR.findall(said))
    if not found:
        return error
    places: dict[str, str] = {}
    for operator, place in _PLACE.findall(said):
        # The first part is the entry, the last the operator.
        places.setdefault(operator, "/".join(place.split("/")[1:-1]))
    listed = [f"{name} (in {places[name]})" if places.get(name) else name for name in found]
    return UnsupportedModel(
        f"TensorFlow Lite has no form of {', '.join(listed)}",
        hint="write it with other operators, or use a runtime that takes ONNX",
    )
