"""The ten promises of every target, kept by this one: on TorchScript, all that it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets import frontends, pipeline, registry
from deploy_targets.choose import Attempt
from deploy_targets.parity.rows import overall
from deploy_targets.parity.verify import verify
from deploy_targets.pipeline import Job
from deploy_targets.records import Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.testing.conformance import TargetConformance
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from .written import convnet, one_weight_changed


class TestPytorchMobile(TargetConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return registry.load("pytorch_mobile")

    @pytest.fixture(scope="class")
    @classmethod
    def job(cls, target: Target, place: Path) -> Job:
        return Job(convnet(place), target, place / "bundle")

    # The kit plants its wrong weight in ONNX.
    def test_an_artifact_built_from_a_wrong_weight_is_refused(
        self, job: Job, runner: Runner, workspace: Workspace, place: Path
    ) -> None:
        model = frontends.load(job.spec, workspace)
        known = pipeline.record(model, job)
        (how,) = [how for how in model.captures if how.dialect in job.target.dialects]
        honest = pipeline.capture(model, how, workspace)
        (place / "spoilt").mkdir()
        one_weight_changed(honest.folder / "model.pt", place / "spoilt" / "model.pt")
        graph = replace(honest, folder=place / "spoilt")
        prepared = Prepared("spoilt", known[0].signature, graph, job.recipe)
        way = Attempt(job.target, how, place / "wrong weight")
        bundle = pipeline.seal(prepared, known, job, way, workspace)
        rows = verify(bundle, runner)
        assert overall(bundle.manifest.lanes, rows) is Verdict.FAIL
