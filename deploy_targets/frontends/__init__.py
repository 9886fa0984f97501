"""From what the user has to a `Model` that answers and can be captured: a file per framework.

`load` brings a source to life; `recall` recognises one that has not changed, without importing
its framework. To add a framework: a file with a `load(spec)` beside these, its `Kind` in
source.py, and a line in `load`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from deploy_targets.errors import ToolMissing
from deploy_targets.frontends.environment import environment
from deploy_targets.frontends.source import Kind, SourceSpec, kind_of
from deploy_targets.frontends.witness import Witness, recall, remember
from deploy_targets.runtime import Model

if TYPE_CHECKING:
    from deploy_targets.workspace import Workspace


class LoadedModel(Model, Protocol):
    """A model and the record of what was read to load it."""

    @property
    def witness(self) -> Witness: ...


def load(
    spec: SourceSpec, workspace: Workspace | None = None, *, timeout: float = 600.0
) -> LoadedModel:
    """The model. With a workspace, what was read is remembered, so that `recall` can know it.

    `timeout`: seconds that one capture may take. Raises ConfigError, UnsupportedModel, ToolMissing.
    """
    kind = kind_of(spec)
    try:
        model = _load(kind, spec, timeout)
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "onnxruntime"):
            raise
        extra = "onnx" if kind is Kind.ONNX else "torch"
        raise ToolMissing(
            f"{spec.source} needs {error.name}, which is not installed",
            hint=f"pip install 'deploy-targets[{extra}]'",
        ) from error
    if workspace is not None:
        remember(spec, workspace, model.witness)
    return model


def _load(kind: Kind, spec: SourceSpec, timeout: float) -> LoadedModel:
    if kind is Kind.ONNX:
        from deploy_targets.frontends import onnx

        return onnx.load(spec)
    from deploy_targets.frontends import eager

    return eager.load(spec, kind, timeout)


__all__ = ["LoadedModel", "SourceSpec", "Witness", "environment", "load", "recall", "remember"]
