"""The converters that take a model, as commands. In: a model. Out: a folder with its question and
what each converter reads, and a Rival for each.

To add a converter: its function in convert.py, and a Rival here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deploy_targets import frontends, pipeline
from deploy_targets.converters import tflite, tflite_from_onnx
from deploy_targets.frontends.signature import probe
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.integrations import beside
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Dialect, Prepared
from deploy_targets.runtime import Model
from deploy_targets.targets.tflite import conversion
from deploy_targets.targets.tflite.target import Tflite
from deploy_targets.workspace import Workspace

CONVERT = Path(__file__).with_name("convert.py")
OURS = "deploy-target"


@dataclass(frozen=True)
class Rival:
    """One converter on one model: the command that writes `file`."""

    name: str
    command: tuple[str, ...]
    file: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Entered:
    """One model: the folder of its question, and its rivals, ours first."""

    folder: Path
    rivals: tuple[Rival, ...]


def entered(
    spec: SourceSpec, sizes: Mapping[str, int], home: Path, workspace: Workspace
) -> Entered:
    """Captures the model in each dialect that a rival reads, and asks the original once.

    `sizes`: of the axes other than the batch.
    """
    home.mkdir()
    model = frontends.load(spec, workspace)
    _ask(model, sizes, home)
    return Entered(home, tuple(_rivals(spec, model, Tflite(sizes=dict(sizes)), home, workspace)))


def _ask(model: Model, sizes: Mapping[str, int], home: Path) -> None:
    """question.npz and shapes.json: one row, its batch 1, and what the original answers."""
    batch = {model.signature.batch: 1} if model.signature.batch else {}
    inputs = probe(model.signature.inputs, {**batch, **sizes})
    answers = model.run(inputs)
    given = {f"in{i}": inputs[spec.name] for i, spec in enumerate(model.signature.inputs)}
    wanted = {f"out{i}": answers[spec.name] for i, spec in enumerate(model.signature.outputs)}
    np.savez(home / "question.npz", **given, **wanted)
    shapes = {name: array.shape for name, array in inputs.items()}
    (home / "shapes.json").write_text(json.dumps(shapes), encoding="utf-8")


def _rivals(
    spec: SourceSpec, model: Model, target: Tflite, home: Path, workspace: Workspace
) -> Iterator[Rival]:
    here = sys.executable

    def rival(name: str, python: str, source: Path, packages: Path | None = None) -> Rival:
        file = home / name / tflite.FILE
        command = (python, str(CONVERT), name, str(source), str(file), str(home))
        return Rival(name, command, file, {"BESIDE": str(packages)} if packages else {})

    first = next(how for how in model.captures if how.dialect in target.dialects)
    graph = pipeline.capture(model, first, workspace)
    prepared = Prepared(model.name, model.signature, graph, RECIPES["fp32"])
    if problems := target.check(prepared):
        raise SystemExit(f"{model.name}: {'; '.join(problems)}")
    yield rival(OURS, here, _ordered(target, prepared, home))
    if graph.dialect is Dialect.EXPORTED:
        packages = beside.folder("litert_torch", workspace)
        yield rival("litert-torch", here, graph.folder / "model.pt2", packages)
    if graph.dialect is Dialect.SAVED_MODEL:
        yield rival("TensorFlow", here, spec.base / spec.source)
    onnx = next(how for how in model.captures if how.dialect is Dialect.ONNX)
    plain = pipeline.capture(model, onnx, workspace).folder / "model.onnx"
    yield rival("onnx2tf", str(tflite_from_onnx.python(workspace)), plain)


def _ordered(target: Tflite, prepared: Prepared, home: Path) -> Path:
    """What the tflite target would ask of the converter that it tries first."""
    name = conversion.chosen(target, prepared.graph.dialect)
    told = {
        "converter": f"deploy_targets.converters.{conversion.MODULES[name]}",
        "order": tflite.packed(conversion.ordered(target, prepared)),
    }
    path = home / "order.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path
