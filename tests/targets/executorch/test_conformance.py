"""The ten promises of every target, kept by this one: on a torch module, all that it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets import bundle as bundles
from deploy_targets import pipeline, registry
from deploy_targets.parity.verify import verify
from deploy_targets.pipeline import Job
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.testing.conformance import TargetConformance
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from .written import eye, one_weight_changed


class TestExecutorch(TargetConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return registry.load("executorch")

    @pytest.fixture(scope="class")
    @classmethod
    def job(cls, target: Target, place: Path) -> Job:
        return Job(eye(place / "eye"), target, place / "bundle")

    # The kit plants its wrong weight in ONNX; here it is planted in the .pte itself.
    def test_an_artifact_built_from_a_wrong_weight_is_refused(
        self, outcome: pipeline.Outcome, runner: Runner, place: Path
    ) -> None:
        wrong = one_weight_changed(outcome.bundle, place / "wrong weight")
        verdicts = {row.lane: row.verdict for row in verify(wrong, runner)}
        assert verdicts == {
            "xnnpack-1t": Verdict.FAIL,
            "xnnpack-2t": Verdict.FAIL,
            "android": Verdict.NOT_RUN,
            "ios": Verdict.NOT_RUN,
        }

    # Its source is no file of its own that could be moved.
    def test_two_builds_in_two_folders_give_the_same_bytes(
        self, outcome: pipeline.Outcome, job: Job, workspace: Workspace, place: Path
    ) -> None:
        other = place / "another" / "folder"
        again = pipeline.build(
            replace(job, spec=eye(other / "eye"), out=other / "bundle"), workspace, reuse=False
        )
        assert again.bundle.manifest.files == outcome.bundle.manifest.files
        assert bundles.digest(again.bundle) == bundles.digest(outcome.bundle)
