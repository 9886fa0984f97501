"""What a model is, and what each installed target would not take. Builds nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deploy_targets import frontends, pipeline, registry
from deploy_targets.composing import Steps
from deploy_targets.errors import DeployError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.graph.summary import Summary, summarize
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Dialect, Graph, Prepared, Signature, Stage
from deploy_targets.runtime import Model
from deploy_targets.workspace import Workspace


@dataclass(frozen=True)
class Inspection:
    """Everything `inspect` shows."""

    name: str
    digest: str
    signature: Signature
    captures: tuple[str, ...]
    """How it can become a graph, with the reason where it was tried and cannot."""
    graph: Summary | None
    problems: Mapping[str, tuple[str, ...]]
    """Target -> what would not work there."""
    stages: tuple[Stage, ...] = ()
    """The declared steps; which of them are a graph is a target's choice."""


def inspect(spec: SourceSpec, workspace: Workspace, steps: Steps | None = None) -> Inspection:
    """Loads the model, captures it as ONNX where that works, and asks every target.

    Raises ConfigError where the declared steps do not fit the model.
    """
    model = frontends.load(spec)
    stages = _stages(model.signature, steps) if steps else ()
    graph, said = _onnx(model, workspace)
    return Inspection(
        name=model.name,
        digest=model.digest,
        signature=model.signature,
        captures=said,
        graph=summarize(graph.folder / "model.onnx") if graph else None,
        problems={name: _problems(name, model, graph) for name in registry.installed()},
        stages=stages,
    )


def _stages(signature: Signature, steps: Steps) -> tuple[Stage, ...]:
    from deploy_targets.stages import needs
    from deploy_targets.stages.tables import staging

    needs.require([*steps.before.values(), *steps.after.values()])
    return staging(signature, steps.before, steps.after, steps.base).stages


def _onnx(model: Model, workspace: Workspace) -> tuple[Graph | None, tuple[str, ...]]:
    said: list[str] = []
    found: Graph | None = None
    for how in model.captures:
        label = f"{how.dialect} by {how.how}"
        if how.dialect != Dialect.ONNX or found:
            said.append(label)
            continue
        try:
            found = pipeline.capture(model, how, workspace)
            said.append(label)
        except DeployError as error:
            said.append(f"{label}: {error}")
    return found, tuple(said)


def _problems(name: str, model: Model, graph: Graph | None) -> tuple[str, ...]:
    try:
        target = registry.load(name)
    except DeployError as error:
        return (str(error),)
    if not any(how.dialect in target.dialects for how in model.captures):
        return (f"it takes {', '.join(target.dialects)}",)
    if graph is None:
        return ("the model could not be captured as ONNX",) if "onnx" in target.dialects else ()
    try:
        return target.check(Prepared(model.name, model.signature, graph, RECIPES["fp32"]))
    except DeployError as error:
        return (str(error),)
