"""PyTorch -> ONNX by two exporters, -> .pt2, -> TorchScript. Each refuses what another takes.

In: a SourceSpec, from which the child process builds the module again, and the Signature whose
names the graph must bear. Out: model.onnx (or model.pt2, model.pt); beside it sources.json (which
node came from which line) and export.log, which never ship. The bytes of model.onnx do not depend
on the folder of the user's source.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy_targets.frontends.source import SourceSpec
from deploy_targets.integrations import worker
from deploy_targets.records import Capture, Dialect, Signature

if TYPE_CHECKING:
    import torch
    from onnx import ModelProto

    from deploy_targets.converters.flat import Flat

OPSET = 20
SOURCES, LOG = "sources.json", "export.log"


def capture(
    spec: SourceSpec,
    signature: Signature,
    how: Capture,
    folder: Path,
    *,
    weights: str,
    timeout: float = worker.TIMEOUT,
) -> None:
    """Writes the graph into `folder`. `weights`: the digest that the child's module must have.

    Raises ConversionFailed, UnsupportedModel.
    """
    worker.call(
        f"{__name__}:export",
        arguments(spec, signature, how, folder, weights),
        who=f"the {how.how} exporter",
        timeout=timeout,
        log=folder / LOG,
    )


def arguments(
    spec: SourceSpec, signature: Signature, how: Capture, folder: Path, weights: str
) -> dict[str, Any]:
    """What `export` is called with, as JSON can hold it."""
    return {
        "spec": _plain(spec),
        "signature": _plain(signature),
        "dialect": how.dialect.value,
        "how": how.how,
        "folder": str(folder.absolute()),
        "weights": weights,
        "opset": how.opset or OPSET,
    }


def export(
    spec: dict[str, Any],
    signature: dict[str, Any],
    dialect: str,
    how: str,
    folder: str,
    weights: str,
    opset: int = OPSET,
) -> None:
    """The child's half: builds the module, exports it, names and cleans the graph."""
    from deploy_targets.converters import torchscript_from_torch
    from deploy_targets.converters.flat import Flat
    from deploy_targets.frontends import eager
    from deploy_targets.frontends.observe import observing

    source, wanted = _record(SourceSpec, spec), _record(Signature, signature)
    home = eager.home(source)
    with observing(home) as observed:
        callee, _ = eager.build(source, observed)
        if eager.weights(source, callee) != weights:
            raise eager.strayed(source)
        flat = Flat(callee)
        if dialect == Dialect.TORCHSCRIPT:
            torchscript_from_torch.write(callee, wanted, how, Path(folder))
        elif dialect == Dialect.EXPORTED:
            _export_program(flat, wanted, Path(folder), how)
        else:
            # What dynamo is told it does not do: its graph has to be lowered by who wants it older.
            made = _legacy(flat, wanted, opset) if how == "legacy" else _dynamo(flat, wanted)
            _write_onnx(made, wanted, Path(folder), home)


def _export_program(flat: Flat, signature: Signature, folder: Path, how: str) -> None:
    import torch

    from deploy_targets.converters import torchscript_from_torch
    from deploy_targets.frontends.torch import holds_script

    script = holds_script(flat.model)
    program = torch.export.export(
        torchscript_from_torch.rewritten(flat, signature) if script else flat,
        _example(signature),
        dynamic_shapes=_dynamic_shapes(signature),
    )
    if script:
        # Nothing says how far a rewriting can be trusted.
        torchscript_from_torch.check(flat, program.module(), signature, how)
    torch.export.save(program, folder / "model.pt2")


def _dynamo(flat: Flat, signature: Signature) -> ModelProto:
    import torch

    inputs, outputs = _safe_names(signature)
    program = torch.onnx.export(
        flat,
        _example(signature),
        dynamo=True,
        opset_version=OPSET,
        input_names=inputs,
        output_names=outputs,
        dynamic_shapes=_dynamic_shapes(signature),
    )
    assert program is not None, "the dynamo exporter returns a program"
    return program.model_proto


def _legacy(flat: Flat, signature: Signature, opset: int) -> ModelProto:
    import tempfile

    import onnx
    import torch

    from deploy_targets.converters import torchscript_from_torch
    from deploy_targets.frontends.torch import holds_script

    if holds_script(flat.model):
        # Called from Python it would be one opaque node; as a part of TorchScript it is unrolled.
        flat = torchscript_from_torch.traced(flat, signature)
    inputs, outputs = _safe_names(signature)
    moving = {
        safe: {i: dim for i, dim in enumerate(spec.shape) if isinstance(dim, str)}
        for safe, spec in zip(
            (*inputs, *outputs), (*signature.inputs, *signature.outputs), strict=True
        )
    }
    with tempfile.TemporaryDirectory() as temporary, warnings.catch_warnings():
        # That it is deprecated and that it traces is known; both go to the log of the job.
        warnings.simplefilter("default")
        path = Path(temporary) / "model.onnx"
        torch.onnx.export(
            flat,
            _example(signature),
            path,
            dynamo=False,
            opset_version=opset,
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=moving,
            # Else it drops the lines of source that lead from a node back to the user's code.
            verbose=True,
        )
        return onnx.load(path)


def _write_onnx(model: ModelProto, signature: Signature, folder: Path, home: Path | None) -> None:
    from deploy_targets.graph.name_boundary import name_boundary
    from deploy_targets.graph.save import save
    from deploy_targets.graph.strip_metadata import strip_metadata

    name_boundary(model, signature.inputs, signature.outputs)
    sources = strip_metadata(model, home)
    save(model, folder)
    text = json.dumps(sources, indent=1, sort_keys=True)
    (folder / SOURCES).write_text(text, encoding="utf-8")


def _safe_names(signature: Signature) -> tuple[list[str], list[str]]:
    from deploy_targets.graph.name_boundary import safe_names

    return safe_names("in", len(signature.inputs)), safe_names("out", len(signature.outputs))


def _example(signature: Signature) -> tuple[torch.Tensor, ...]:
    """Inputs to export with: sizes above 1, which exporters would burn in."""
    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe, sizes_to_run

    arrays = probe(signature.inputs, sizes_to_run(signature.axes)[0])
    return tuple(to_tensor(array) for array in arrays.values())


def _dynamic_shapes(signature: Signature) -> tuple[Any, ...]:
    """Per input, axis -> Dim; inside one more tuple, for they are *tensors of one forward."""
    import torch

    # Named by number: a Dim must be called like a Python variable, an axis need not be.
    dims = {
        axis.name: torch.export.Dim(f"axis_{index}", min=axis.minimum, max=axis.maximum)
        for index, axis in enumerate(signature.axes)
        if axis.minimum < axis.maximum
    }
    shapes = (
        {i: dims[size] for i, size in enumerate(spec.shape) if size in dims}
        for spec in signature.inputs
    )
    return (tuple(shapes),)


def _plain(record: object) -> Any:
    return _adapter(type(record)).dump_python(record, mode="json")


def _record(kind: type, plain: Any) -> Any:
    return _adapter(kind).validate_python(plain)


def _adapter(kind: type) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind)
