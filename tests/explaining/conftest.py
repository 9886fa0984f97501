"""Bundles with a fault in them, and a target whose runtime has one."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest
from onnx import ModelProto

from deploy_targets import bundle as bundles
from deploy_targets import frontends, pipeline, registry
from deploy_targets.choose import Attempt
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.verify import merged, verify
from deploy_targets.pipeline import Job
from deploy_targets.records import Prepared
from deploy_targets.workspace import Workspace

from .planting import deep

ODD = '''
"""A target that is no ONNX file to others, and whose runtime has its own idea of one operator."""

import pathlib
import shutil
from contextlib import contextmanager, nullcontext
from typing import Literal

from deploy_targets.binding import identity
from deploy_targets.records import Answer, Built, Dialect, Lane
from deploy_targets.targets.base import Target


class Odd(Target):
    """onnx's reference evaluator, with a LeakyRelu of its own from the `after`-th on."""

    name = "odd"
    accepts = (Dialect.ONNX,)
    slope: float = 0.3
    shown: bool = False

    def build(self, prepared, folder, workspace):
        shutil.copyfile(prepared.graph.folder / "model.onnx", folder / "weights")
        entries = (identity(prepared.signature),)
        return Built(entries, (Lane("odd", prepared.recipe.name),), {"weights": "model"}, tools={})

    def graph(self, bundle, folder):
        if not self.shown:
            return None
        return pathlib.Path(shutil.copyfile(bundle.path / "weights", folder / "model.onnx"))

    def runner(self, workspace):
        return nullcontext(self)

    @contextmanager
    def open(self, bundle, lane):
        import numpy
        import onnx
        from onnx.reference import ReferenceEvaluator
        from onnx.reference.op_run import OpRun

        slope = bundle.manifest.options["slope"]

        class LeakyRelu(OpRun):
            def _run(self, x, alpha=None):
                return (numpy.where(x > 0, x, numpy.float32(slope) * x),)

        evaluator = ReferenceEvaluator(onnx.load(bundle.path / "weights"), new_ops=[LeakyRelu])
        yield Session(evaluator)


class Session:
    where, notes = "onnx's reference evaluator", ()

    def __init__(self, evaluator):
        self.evaluator = evaluator

    def run(self, call):
        answers = self.evaluator.run(None, dict(call.inputs))
        return Answer(dict(zip(self.evaluator.output_names, answers)))
'''


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The target "odd", installed: a folder for sys.path."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd_target.py").write_text(ODD)
    info = folder / "odd_target-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-target\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[deploy_targets.targets]\nodd = odd_target:Odd\n")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@dataclasses.dataclass
class Planted:
    """Makes judged bundles of a deep graph; golden is always the honest graph's."""

    folder: Path
    workspace: Workspace
    model: ModelProto

    def job(self, target: str = "here", **options: object) -> Job:
        """An honest job."""
        source = self.folder / "deep.onnx"
        if not source.exists():
            onnx.save(self.model, source)
        spec = SourceSpec(str(source), self.folder)
        return Job(spec, registry.load(target, options), self.folder / "bundle")

    def bundle(self, plant: Callable[[ModelProto], object], job: Job | None = None) -> Path:
        """A sealed and judged bundle, built from the captured graph after `plant` was at it."""
        asked = job or self.job()
        model = frontends.load(asked.spec)
        (how,) = model.captures
        honest = pipeline.capture(model, how, self.workspace)
        spoilt = onnx.load(honest.folder / "model.onnx")
        plant(spoilt)
        folder = self.folder / "spoilt"
        folder.mkdir()
        onnx.save(spoilt, folder / "model.onnx")
        known = pipeline.record(model, asked)
        prepared = Prepared(
            "deep", model.signature, dataclasses.replace(honest, folder=folder), asked.recipe
        )
        way = Attempt(asked.target, how, asked.out)
        bundle = pipeline.seal(prepared, known, asked, way, self.workspace)
        with asked.target.runner(self.workspace) as runner:
            bundles.write_report(bundle, merged(bundle, verify(bundle, runner)))
        return bundle.path


@pytest.fixture
def planted(first_target: Path, odd: Path, tmp_path: Path, workspace: Workspace) -> Planted:
    """Bundles of a graph of 31 nodes."""
    return Planted(tmp_path, workspace, deep(6))
