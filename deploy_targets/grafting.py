"""The user's own steps, ready to run: as functions for the reference, as files for a target.

In: a model's steps. Out: for each own step its function, and its file: the counterpart's, or the
graph of a torch module, captured as a model is, in a child process, one exporter after another
until one is right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deploy_targets import bundle as bundles
from deploy_targets import frontends, rebuild
from deploy_targets.errors import ConversionFailed, NotRun, UnsupportedModel
from deploy_targets.frontends import own
from deploy_targets.frontends.signature import probe, sizes_to_run
from deploy_targets.integrations import onnx_runtime
from deploy_targets.parity.compare import relative_l2
from deploy_targets.records import Array, Capture, Dialect, Signature, Staging
from deploy_targets.runtime import Model
from deploy_targets.stages.own import FUNCTION, MODULE, key
from deploy_targets.workspace import Workspace, digest_of

KIND, FILE = "graph", "model.onnx"
SAME = 1e-3
"""Relative L2 within which a captured graph is the module: rounding is less, another graph more."""


def load(
    staging: Staging, model: Signature, base: Path, workspace: Workspace
) -> tuple[dict[str, own.Function], dict[str, Path]]:
    """Functions and files of all own steps. Raises ConfigError, UnsupportedModel."""
    functions: dict[str, own.Function] = {}
    files: dict[str, Path] = {}
    tensors = {spec.name: spec for spec in model.inputs}
    for stage in staging.stages:
        if stage.op == FUNCTION:
            functions[key(stage)] = own.function(stage.options, base)
            if there := stage.options["counterpart"]:
                files[there] = own.counterpart(there, base)
        elif stage.op == MODULE:
            source, tensor = stage.options["source"], tensors[stage.of]
            module = own.module(source, base, tensor, model, workspace)
            functions[key(stage)] = own.eager(module, tensor)
            files[key(stage)] = graph(module, source, workspace)
    return functions, files


def graph(module: Model, source: str, workspace: Workspace) -> Path:
    """The module as an ONNX file. Raises UnsupportedModel where no exporter takes it rightly."""
    failed: list[str] = []
    for how in module.captures:
        if how.dialect is not Dialect.ONNX:
            continue
        try:
            path = _captured(module, how, workspace)
            if not (wrong := _wrong(module, path)):
                return path
        except (ConversionFailed, NotRun) as error:
            wrong = str(error)
        failed.append(f"{how.how}: {wrong}")
    raise UnsupportedModel(
        f"module = {source!r} cannot be made a graph: {'; '.join(failed)}",
        hint="write it with operations that ONNX has, or make it a function with counterparts",
    )


def _captured(module: Model, how: Capture, workspace: Workspace) -> Path:
    key = digest_of(
        module.digest,
        frontends.environment(),
        rebuild.program(),
        bundles.as_json(module.signature),
        how.dialect,
        how.how,
    )
    return workspace.cached(KIND, key, lambda home: module.capture(how, home)) / FILE


def _wrong(module: Model, path: Path) -> str:
    """How the graph answers otherwise, at every size that is tried; empty where it does not."""
    import onnx

    captured, signature = onnx.load(path), module.signature
    for sizes in sizes_to_run(signature.axes):
        given = probe(signature.inputs, sizes)
        want, got = module.run(given), onnx_runtime.run(captured, given)
        far = max(_apart(array, got[name]) for name, array in want.items())
        if not far <= SAME:
            return f"its graph answers otherwise, by a relative L2 of {far:.1e}"
    return ""


def _apart(want: Array, got: Array) -> float:
    """NaN where NaN is due counts as the same: made-up inputs may be outside of what is allowed."""
    if want.shape != got.shape or want.dtype != got.dtype:
        return float("inf")
    if want.dtype.kind != "f":
        return float("inf") if (want != got).any() else 0.0
    if (np.isfinite(want) != np.isfinite(got)).any():
        return float("inf")
    finite = np.isfinite(want)
    return relative_l2(want[finite], got[finite]) if finite.any() else 0.0
