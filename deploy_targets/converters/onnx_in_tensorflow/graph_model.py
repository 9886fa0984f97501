"""Where the toolchain is entered: an ONNX file in, TF.js's model.json and weights.bin out.

The names in model.json's signature are those of the ONNX graph.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from .types import MOVING, WRAPPING
from .value import OPERATORS, Node, Tensor, UnsupportedModel, Value

_ABSENT = (
    *("tensorflow_decision_forests", "tensorflow_hub"),
    *("jax", "jax.experimental", "jax.experimental.jax2tf", "flax"),
)
"""What tensorflowjs imports and this conversion does not use."""
WEIGHTS = "weights.bin"
FUNCTIONS = (
    *("CastLike", "GroupNormalization", "HardSwish", "Mish", "RMSNormalization", "ReduceLogSum"),
    "Softsign",
)
"""What ONNX itself says in other operators. Not those with an attribute that may be left out: its
default is lost."""


def write(graph: str, folder: str) -> dict[str, Any]:
    """Writes both files. Returns the operators of TensorFlow that are left, each with a node.

    Raises UnsupportedModel with ONNX's operator and its node's name.
    """
    import onnx

    model = prepared(onnx.load(graph))
    with tempfile.TemporaryDirectory() as saved:
        _save(model, saved)
        _convert(saved, folder)
    return _finish(model, Path(folder))


def prepared(model: Any) -> Any:
    """The model without functions, its own or ONNX's, which stand for other operators."""
    from onnx import inliner

    _load_operators()
    model = inliner.inline_local_functions(model)
    if any(node.op_type in FUNCTIONS for node in model.graph.node):
        functions = [("", name) for name in FUNCTIONS]
        model = inliner.inline_selected_functions(model, functions, inline_schema_functions=True)
    refuse_unknown(model)
    return model


def refuse_unknown(model: Any) -> None:
    """Raises UnsupportedModel that names all operators that are not known here."""
    _refuse_narrow(model)
    unknown: dict[str, str] = {}
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx") or node.op_type not in OPERATORS:
            unknown.setdefault(node.op_type, node.name or node.output[0])
    if unknown:
        listed = ", ".join(f"{name} (node {at})" for name, at in unknown.items())
        raise UnsupportedModel(
            f"TF.js cannot run {listed}",
            hint='choose runtime = "onnxruntime-web", which takes every operator of ONNX',
        )


def _refuse_narrow(model: Any) -> None:
    """What would wrap around at 8 or 16 bits, and in int32 does not, is refused."""
    from onnx import TensorProto, shape_inference

    inferred = shape_inference.infer_shapes(model).graph
    values = (*inferred.value_info, *inferred.output)
    kinds = {value.name: value.type.tensor_type.elem_type for value in values}
    for node in model.graph.node:
        kind = kinds.get(node.output[0], TensorProto.UNDEFINED)
        if kind in WRAPPING and node.op_type in OPERATORS and node.op_type not in MOVING:
            name = TensorProto.DataType.Name(kind).lower()
            raise UnsupportedModel(
                f"TF.js cannot run {node.op_type} of node {node.name or node.output[0]}: its "
                f"answer is {name}, which would not wrap around there",
                hint='choose runtime = "onnxruntime-web", which has every datatype of ONNX',
            )


def _load_operators() -> None:
    from . import elementwise, reducing, shaping, spatial

    assert all((elementwise, reducing, shaping, spatial))


def _save(model: Any, folder: str) -> None:
    import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

    specs = [_spec(tf, value, i) for i, value in enumerate(_inputs(model))]

    @tf.function(input_signature=specs, autograph=False)  # type: ignore[untyped-decorator]
    def run(*tensors: Tensor) -> dict[str, Tensor]:
        found = compute(model, tensors)
        # Named by number: a name of ONNX may hold what a name of TensorFlow may not.
        return {f"out_{i:03d}": tf.identity(tensor) for i, tensor in enumerate(found)}

    module = tf.Module()
    module.run = run
    tf.saved_model.save(module, folder, signatures={"serving_default": run})


def _inputs(model: Any) -> list[Any]:
    held = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in held]


def _spec(tf: Any, value: Any, index: int) -> Any:
    from .types import stored

    kind = value.type.tensor_type
    node = Node("Input", value.name, {}, (), 1)
    sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in kind.shape.dim]
    return tf.TensorSpec(sizes, stored(kind.elem_type, node), f"in_{index:03d}")


def compute(model: Any, tensors: tuple[Tensor, ...]) -> list[Tensor]:
    """The graph's outputs, in ONNX's layout, while TensorFlow traces."""
    from onnx import numpy_helper

    known: dict[str, Value] = {
        tensor.name: _constant(numpy_helper.to_array(tensor), tensor.name)
        for tensor in model.graph.initializer
    }
    names = [value.name for value in _inputs(model)]
    known.update((name, Value(tensor)) for name, tensor in zip(names, tensors, strict=True))
    versions = {opset.domain: opset.version for opset in model.opset_import}
    opset = versions.get("", versions.get("ai.onnx", 1))
    for proto in model.graph.node:
        node = _node(proto, known, opset)
        known.update(zip(proto.output, _computed(node), strict=False))
    return [known[value.name].plain() for value in model.graph.output]


def _node(proto: Any, known: Mapping[str, Value], opset: int) -> Node:
    from onnx import TensorProto, helper, numpy_helper

    attributes = {a.name: helper.get_attribute_value(a) for a in proto.attribute}
    for name, value in attributes.items():
        if isinstance(value, TensorProto):
            attributes[name] = _constant(numpy_helper.to_array(value), proto.name).held
    inputs = [known[name] if name else None for name in proto.input]
    where = proto.name or proto.output[0]
    return Node(proto.op_type, where, attributes, inputs, len(proto.output), opset)


def _constant(array: Any, name: str) -> Value:
    from .types import narrowed

    held = narrowed(array)
    if held is None:
        raise UnsupportedModel(
            f"TF.js cannot hold {name}, which is {array.dtype}",
            hint='choose runtime = "onnxruntime-web"',
        )
    return Value(held=held)


def _computed(node: Node) -> list[Value]:
    """The node's outputs. What depends on constants alone is computed now."""
    import numpy as np
    import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

    if node.operator == "Constant":
        return [_attribute_value(node)]
    held = [value.held for value in node.inputs if value is not None]
    if node.operator != "Slice" and any(a is not None and a.dtype.itemsize > 4 for a in held):
        raise node.refused("it takes whole numbers beyond 32 bits")
    if held and all(array is not None for array in held):
        with tf.init_scope():
            inputs = [None if v is None else Value(held=v.held) for v in node.inputs]
            still = Node(
                node.operator, node.name, node.attributes, inputs, node.outputs, node.opset
            )
            return [Value(held=np.asarray(v.plain())) for v in _values(still)]
    return _values(node)


def _values(node: Node) -> list[Value]:
    found = OPERATORS[node.operator](node)
    several = found if isinstance(found, list) else [found]
    return [each if isinstance(each, Value) else Value(each) for each in several]


def _attribute_value(node: Node) -> Value:
    import numpy as np

    for name, kind in (("value_float", np.float32), ("value_floats", np.float32)):
        if name in node.attributes:
            return Value(held=np.array(node.get(name), kind))
    for name in ("value_int", "value_ints"):
        if name in node.attributes:
            return _constant(np.array(node.get(name), np.int64), node.name)
    if node.get("value") is None:
        raise node.refused("it holds neither numbers nor flags")
    return Value(held=node.get("value"))


def _convert(saved: str, folder: str) -> None:
    for name in _ABSENT:
        sys.modules.setdefault(name, _Absent(name))
    from tensorflowjs.converters import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
        tf_saved_model_conversion_v2 as conversion,
    )

    conversion.convert_tf_saved_model(
        saved, folder, weight_shard_size_bytes=1 << 40, skip_op_check=True
    )


class _Absent(ModuleType):
    """A module of which only the name is asked for."""

    __path__: list[str] = []  # noqa: RUF012 - what the import system takes a package by

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self.__name__}.{name}")


def _finish(model: Any, folder: Path) -> dict[str, Any]:
    """Names as in ONNX, one file of weights, nothing that differs from one build to the next."""
    about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    signature, groups = about["signature"], about["weightsManifest"]
    for side, values in (("inputs", _inputs(model)), ("outputs", list(model.graph.output))):
        numbered = sorted(
            signature.get(side, {}).items(), key=lambda item: item[0].partition(":")[0]
        )
        signature[side] = {
            value.name: {"name": held["name"]}
            for value, (_, held) in zip(values, numbered, strict=True)
        }
    paths = [path for group in groups for path in group["paths"]]
    (folder / WEIGHTS).write_bytes(b"".join((folder / path).read_bytes() for path in paths))
    for path in paths:
        (folder / path).unlink()
    kept = {
        "format": about["format"],
        "modelTopology": about["modelTopology"],
        "signature": {side: signature[side] for side in ("inputs", "outputs")},
        "weightsManifest": [
            {"paths": [WEIGHTS], "weights": [w for group in groups for w in group["weights"]]}
        ],
    }
    text = json.dumps(kept, separators=(",", ":"))
    (folder / "model.json").write_text(text, encoding="utf-8")
    return {"operators": _operators(kept["modelTopology"]), "tools": _tools()}


def _operators(topology: Mapping[str, Any]) -> dict[str, str]:
    """Each operator of the graph and its functions, and the first node that is one."""
    functions = topology.get("library", {}).get("function", [])
    nodes = [*topology["node"], *(n for f in functions for n in f.get("nodeDef", []))]
    found: dict[str, str] = {}
    for node in nodes:
        for name in (node["op"], *_fused(node)):
            found.setdefault(name, node["name"])
    return dict(sorted(found.items()))


def _fused(node: Mapping[str, Any]) -> list[str]:
    """What an optimizer put into this node: "+Relu6"."""
    held = node.get("attr", {}).get("fused_ops", {}).get("list", {}).get("s", [])
    return [f"+{base64.b64decode(name).decode()}" for name in held]


def _tools() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("tensorflowjs", "tensorflow-cpu")}
