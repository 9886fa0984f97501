"""An .onnx file as a source.

The reference is ONNX Runtime without any optimisation, on one thread. For targets that run ONNX
Runtime too, that would be its own judge, so onnx's reference evaluator is asked as well wherever
it can run the graph. A graph in an opset that ONNX Runtime does not have is restated in one that
it has, and then the two must agree.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends import merge, onnx_values
from deploy_targets.frontends.arrays import check_inputs
from deploy_targets.frontends.onnx_restated import (
    AS_GIVEN,
    Running,
    evaluated,
    refuse_another_model,
    running,
)
from deploy_targets.frontends.onnx_session import first_line, rounded
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
from deploy_targets.records import Array, Capture, Dialect, Signature, Tensors, TensorSpec
from deploy_targets.runtime import Rounding
from deploy_targets.workspace import digest_of, digest_of_file

if TYPE_CHECKING:
    from onnx import ModelProto


@dataclass(frozen=True)
class OnnxModel:
    """A model that is an ONNX graph, run as it is written."""

    name: str
    digest: str
    signature: Signature
    witness: Witness
    files: tuple[Path, ...]
    """The graph, and what holds its weights beside it."""
    running: Running

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The graph itself, or as it was restated."""
        return (Capture(Dialect.ONNX, self.running.how),)

    @functools.cached_property
    def roundings(self) -> tuple[Rounding, ...]:
        """Not float64: its types are written into the graph."""
        wanted = (Rounding.OPERANDS, Rounding.OPTIMIZED)
        return tuple(rounding for rounding in wanted if self._takes(rounding))

    def run(
        self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0
    ) -> dict[str, Array]:
        """What ONNX Runtime answers. Raises ConfigError for inputs that do not fit."""
        check_inputs(self.signature, inputs)
        if rounding:
            return _run(rounded(self.running.path, self.digest, rounding, seed), inputs)
        answers = _run(self.running.session, inputs)
        if self.running.how != AS_GIVEN:
            refuse_another_model(self.running.how, answers, self.second_opinion(inputs))
        return answers

    def _takes(self, rounding: Rounding) -> bool:
        try:
            rounded(self.running.path, self.digest, rounding, 0)
        except Exception:
            return False
        return True

    def second_opinion(self, inputs: Tensors) -> dict[str, Array] | None:
        """What onnx's reference evaluator answers; None where it cannot run the graph."""
        return evaluated(self.files[0], [spec.name for spec in self.signature.outputs], inputs)

    def capture(self, capture: Capture, folder: Path) -> None:
        """The graph that is run, as one file, without the metadata of the machine it came from."""
        import onnx

        if capture not in self.captures:
            raise UnsupportedModel(
                f"an ONNX file cannot become {capture.dialect} by {capture.how}",
                hint="give the model that it was exported from",
            )
        model = onnx.load(self.running.path)
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
    full = merge.complete(spec, tuple(onnx_values.inputs(graph.graph)), ())
    onnx_values.refuse_names(graph.graph, spec.outputs)
    stated = onnx_values.outputs(graph.graph)
    run = running(path, files)
    signature = _signature(run.session, full, spec, stated)
    return OnnxModel(
        name_of(spec), digest, signature, witness_files(spec, digest, files), files, run
    )


def _signature(
    session: Any, full: SourceSpec, spec: SourceSpec, stated: Sequence[TensorSpec | None]
) -> Signature:
    """What is seen on made-up inputs; where the model takes none of those, what the file says."""
    try:
        found = infer(
            full.inputs,
            full.axes,
            spec.outputs,
            spec.batch,
            lambda given: _try(session, given, full),
        )
    except ConfigError:
        # Made-up shapes, axes and indices are often refused. The user's samples fit, or `record`
        # says what does not; sizes that move cannot be known without a run.
        told = onnx_values.as_stated(full.inputs, stated, spec.outputs)
        if full.axes or told is None:
            raise
        return told
    return found if full.axes else onnx_values.where_both_agree(found, stated)


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
            f"{spec.source} fails on {shapes}: {first_line(error)}",
            hint=f"declare what it takes in deploy.toml: [axes] {ranges}, "
            "or a range of values under [inputs.NAME]",
        ) from error


def _digest(files: Sequence[Path]) -> str:
    import onnxruntime  # type: ignore[import-untyped,unused-ignore]

    # By content alone: where the files lie, and what they are called, is no part of the model.
    contents = [digest_of_file(file) for file in files]
    return digest_of("onnx", contents, onnxruntime.__version__)
