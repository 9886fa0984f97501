"""A model of TensorFlow's as one graph without variables: what is captured, and what is varied.

In: a Loaded. Out: a Frozen, whose bytes are the same in every process, and a SavedModel with one
signature, whose names are the model's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy_targets.errors import DeployError, UnsupportedModel
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.tensorflow_canonical import canonical, raw
from deploy_targets.frontends.tensorflow_quiet import quiet, tensorflow
from deploy_targets.frontends.tensorflow_saved import DEFAULT, SERVE, Loaded
from deploy_targets.frontends.tensorflow_tensors import tensor_specs
from deploy_targets.records import Signature, TensorSpec

FOLDER, FILE = "saved_model", "saved_model.pb"
LARGEST = 2**31 - 1
"""Bytes that a protocol buffer may have."""


@dataclass(frozen=True)
class Frozen:
    """A GraphDef, and the names of its tensors at the boundary, in the model's order."""

    graph: Any
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over the graph, weights included."""
        return hashlib.sha256(raw(self.graph)).hexdigest()


def freeze(loaded: Loaded, inputs: Sequence[TensorSpec], source: str) -> Frozen:
    """The graph of a model. Raises UnsupportedModel where it cannot be traced or is too large."""
    tf = tensorflow()
    from tensorflow.python.framework import convert_to_constants  # type: ignore[import-untyped,unused-ignore]

    names: list[str] = []

    def flat(*tensors: Any) -> list[Any]:
        said = loaded.call(tensors)
        names[:] = [name for name, _ in said]
        # An operation of its own for each, for two outputs may be one tensor.
        return [tf.identity(tensor) for _, tensor in said]

    try:
        with quiet(), tf.device("CPU:0"):
            traced = tf.function(flat, autograph=False).get_concrete_function(
                *tensor_specs(tf, inputs)
            )
            frozen = convert_to_constants.convert_variables_to_constants_v2(
                traced, lower_control_flow=False, aggressive_inlining=True
            )
            graph = frozen.graph.as_graph_def()
            ends = [tensor.name for tensor in (*frozen.inputs, *frozen.outputs)]
            ends = canonical(graph, ends, [spec.name for spec in inputs], names)
            size = graph.ByteSize()
    except DeployError:
        raise
    except Exception as error:
        raise UnsupportedModel(
            f"TensorFlow cannot make a graph of {source}: {described(error)}",
            hint="see that it runs inside of tf.function",
        ) from error
    if size > LARGEST:
        raise UnsupportedModel(
            f"{source} has more than 2 GB of weights, which one graph cannot hold",
            hint="split it, or keep its weights in float16",
        )
    return Frozen(graph, tuple(ends[: len(inputs)]), tuple(ends[len(inputs) :]))


def write(frozen: Frozen, signature: Signature, folder: Path) -> None:
    """folder/saved_model/, with the one signature serving_default in the model's own names."""
    from tensorflow.core.protobuf import saved_model_pb2  # type: ignore[import-untyped,unused-ignore]

    saved = saved_model_pb2.SavedModel(saved_model_schema_version=1)
    meta = saved.meta_graphs.add()
    meta.meta_info_def.tags.append(SERVE)
    meta.meta_info_def.tensorflow_version = tensorflow().__version__
    meta.graph_def.CopyFrom(frozen.graph)
    known = meta.signature_def[DEFAULT]
    known.method_name = "tensorflow/serving/predict"
    _declare(known.inputs, dict(zip(frozen.inputs, signature.inputs, strict=True)))
    _declare(known.outputs, dict(zip(frozen.outputs, signature.outputs, strict=True)))
    home = folder / FOLDER
    home.mkdir()
    (home / FILE).write_bytes(raw(saved))


def _declare(infos: Any, tensors: Mapping[str, TensorSpec]) -> None:
    tf = tensorflow()
    for name, spec in tensors.items():
        info = infos[spec.name]
        info.name, info.dtype = name, tf.dtypes.as_dtype(spec.dtype).as_datatype_enum
        # An axis of no dimensions is a scalar, which is said by saying so.
        info.tensor_shape.SetInParent()
        for dim in spec.shape:
            info.tensor_shape.dim.add(size=dim if isinstance(dim, int) else -1)
