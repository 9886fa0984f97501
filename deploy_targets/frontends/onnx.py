"""An .onnx file as a source.

The reference is ONNX Runtime without any optimisation, on one thread. For targets that run ONNX
Runtime too, that would be its own judge, so onnx's reference evaluator is asked as well wherever
it can run the graph.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends import merge
from deploy_targets.frontends.arrays import check_dtype, check_inputs
from deploy_targets.frontends.signature import infer
from deploy_targets.frontends.source import (
    Kind,
    SourceSpec,
    changed,
    file_of,
    name_of,
    refuse_contents,
)
from deploy_targets.frontends.witness import Witness, witness_files
from deploy_targets.graph.save import save
from deploy_targets.graph.strip_metadata import strip_metadata
from deploy_targets.records import Array, Capture, Dialect, Dim, Signature, Tensors, TensorSpec
from deploy_targets.workspace import digest_of, digest_of_file

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, ValueInfoProto

AS_GIVEN = Capture(Dialect.ONNX, "as given")


@dataclass(frozen=True)
class OnnxModel:
    """A model that is an ONNX graph, run as it is written."""

    name: str
    digest: str
    signature: Signature
    witness: Witness
    files: tuple[Path, ...]
    """The graph, and what holds its weights beside it."""
    session: Any

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The graph itself."""
        return (AS_GIVEN,)

    @property
    def float64(self) -> bool:
        """Never: its types are written into the graph."""
        return False

    def run(self, inputs: Tensors, *, float64: bool = False) -> dict[str, Array]:
        """What ONNX Runtime answers. Raises ConfigError for inputs that do not fit."""
        if float64:
            raise UnsupportedModel(
                "an ONNX graph cannot be computed in float64", hint="give the model it came from"
            )
        check_inputs(self.signature, inputs)
        return _run(self.session, inputs)

    def second_opinion(self, inputs: Tensors) -> dict[str, Array] | None:
        """What onnx's reference evaluator answers; None where it cannot run the graph."""
        from onnx.reference import ReferenceEvaluator

        names = [spec.name for spec in self.signature.outputs]
        # It is written in numpy: overflow and the like are warnings there, and no failure.
        with warnings.catch_warnings(), contextlib.suppress(Exception):
            warnings.simplefilter("ignore")
            return dict(
                zip(
                    names,
                    ReferenceEvaluator(str(self.files[0])).run(names, dict(inputs)),
                    strict=True,
                )
            )
        return None

    def capture(self, capture: Capture, folder: Path) -> None:
        """The graph as given, as one file, without the metadata of the machine it came from."""
        import onnx

        if capture != AS_GIVEN:
            raise UnsupportedModel(
                f"an ONNX file cannot become {capture.dialect} by {capture.how}",
                hint="give the model that it was exported from",
            )
        model = onnx.load(self.files[0])
        if _digest(self.files) != self.digest:
            raise changed(self.files[0])
        strip_metadata(model)
        save(model, folder)


def load(spec: SourceSpec) -> OnnxModel:
    """The model. Raises ConfigError or UnsupportedModel."""
    path = file_of(spec)
    assert path is not None, "an .onnx source is a file"
    refuse_contents(path, Kind.ONNX)
    graph = _parse(path)
    files = (path, *_external(graph, path))
    digest = _digest(files)
    session = _session(path)
    full = merge.complete(spec, tuple(_inputs(graph.graph)), ())
    _check_outputs(graph.graph)
    signature = infer(
        full.inputs, full.axes, spec.outputs, spec.batch, lambda given: _try(session, given, full)
    )
    return OnnxModel(
        name_of(spec), digest, signature, witness_files(spec, digest, files), files, session
    )


def _parse(path: Path) -> ModelProto:
    import onnx

    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:
        # DecodeError, of a package without types that onnx stands on.
        raise UnsupportedModel(
            f"{path} is no ONNX model: {error}", hint="fetch or export it again"
        ) from error
    if not model.graph.output:
        raise UnsupportedModel(f"{path} holds no graph", hint="fetch or export it again")
    return model


def _external(model: ModelProto, path: Path) -> list[Path]:
    """The files beside the graph that hold its weights. Raises UnsupportedModel for a lost one."""
    from onnx.external_data_helper import ExternalDataInfo, _get_all_tensors, uses_external_data

    found = {
        ExternalDataInfo(tensor).location
        for tensor in _get_all_tensors(model)
        if uses_external_data(tensor)
    }
    for location in sorted(found):
        if not (path.parent / location).is_file():
            raise UnsupportedModel(
                f"{path} keeps weights in {location}, which is not beside it",
                hint=f"put {location} into {path.parent}",
            )
    return [path.parent / location for location in sorted(found)]


def _session(path: Path) -> Any:
    """Plain and on one thread: what is judged by it must not be optimised as it is."""
    import onnxruntime as ort  # type: ignore[import-untyped,unused-ignore]

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UnsupportedModel(
            f"ONNX Runtime cannot load {path}: {_first_line(error)}",
            hint="export it again with operators that ONNX Runtime's CPU provider has",
        ) from error


def _run(session: Any, inputs: Tensors) -> dict[str, Array]:
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def _try(session: Any, inputs: Tensors, spec: SourceSpec) -> dict[str, Array]:
    try:
        return _run(session, inputs)
    except Exception as error:
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in inputs.items())
        ranges = " ".join(f"{a.name} = [{a.minimum}, {a.maximum}]" for a in spec.axes)
        raise ConfigError(
            f"{spec.source} fails on {shapes}: {_first_line(error)}",
            hint=f"declare what it takes in deploy.toml: [axes] {ranges}, "
            "or a range of values under [inputs.NAME]",
        ) from error


def _inputs(graph: GraphProto) -> Iterator[TensorSpec]:
    weights = {tensor.name for tensor in graph.initializer}
    weights |= {tensor.values.name for tensor in graph.sparse_initializer}
    return (_spec(value) for value in graph.input if value.name not in weights)


def _check_outputs(graph: GraphProto) -> None:
    for value in graph.output:
        _dtype(value)


def _spec(value: ValueInfoProto) -> TensorSpec:
    dtype = _dtype(value)
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        raise UnsupportedModel(
            f"input {value.name} does not say how many dimensions it has",
            hint="set its shape and save the graph again (onnx.helper.make_tensor_value_info)",
        )
    shape: list[Dim] = []
    for axis, dim in enumerate(tensor.shape.dim):
        # A name with "*" would read as a product; -1 and no name at all mean dynamic.
        named = dim.dim_param if "*" not in dim.dim_param else ""
        fixed = dim.HasField("dim_value") and dim.dim_value >= 0
        shape.append(dim.dim_value if fixed else named or f"{value.name}_dim_{axis}")
    return TensorSpec(value.name, dtype, tuple(shape))


def _dtype(value: ValueInfoProto) -> str:
    from onnx import TensorProto, helper

    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        shown = (kind or "value of no type").removesuffix("_type")
        raise UnsupportedModel(
            f"{value.name} is a {shown}; only tensors leave a model",
            hint="export with tensors alone (skl2onnx: options={'zipmap': False})",
        )
    if value.type.tensor_type.elem_type == TensorProto.STRING:
        return check_dtype(value.name, "str")
    return check_dtype(
        value.name, helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name
    )


def _digest(files: Sequence[Path]) -> str:
    import onnxruntime

    # By content alone: where the files lie, and what they are called, is no part of the model.
    contents = [digest_of_file(file) for file in files]
    return digest_of("onnx", contents, onnxruntime.__version__)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
