"""Steps that an artifact does otherwise than declared: found by the verdict, named by --explain."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from deploy_targets import api, composing, pipeline, registry
from deploy_targets import bundle as bundles
from deploy_targets.explaining.explain import explain
from deploy_targets.parity.finding import Stage as Where
from deploy_targets.pipeline import Job
from deploy_targets.records import BYTES, TENSORS, Bundle, Staging
from deploy_targets.stages import plan
from deploy_targets.stages.variants import Variant, variants
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")

MODEL = """
import torch


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 6, 5, 3)
        self.out = torch.nn.Linear(6 * 8 * 8, 4)

    def forward(self, image):
        return self.out(torch.relu(self.conv(image)).flatten(1))


def build():
    torch.manual_seed(1)
    return Small().eval()
"""
DEPLOY = """
source = "model.py:build"
[axes]
batch = [1, 4]
[inputs.image]
shape = ["batch", 3, 27, 27]
[inputs.image.preprocess]
type = "image"
resize = { shorter = 30, interpolation = "bicubic" }
crop = [27, 27]
alpha = "white"
scale = 0.00392156862745098
mean = [0.485, 0.456, 0.406]
std = [0.229, 0.224, 0.225]
[outputs.output.postprocess]
type = "classes"
activation = "softmax"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of photos, and how a photo becomes its input."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "model.py").write_text(MODEL)
    (folder / "deploy.toml").write_text(DEPLOY)
    return folder


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One cache for all builds, so that the graph is captured once."""
    return Workspace(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def honest(
    first_target: Path,
    project: Path,
    workspace: Workspace,
    tmp_path_factory: pytest.TempPathFactory,
) -> pipeline.Outcome:
    """The bundle of the documentation's target that carries steps."""
    settings = api.settings_of(project)
    out = tmp_path_factory.mktemp("honest") / "out"
    job = Job(api.spec_of(settings), registry.load("around"), out, steps=api.steps_of(settings))
    return pipeline.build(job, workspace)


def spoilt(honest: Bundle, staging: Staging, variant: Variant, folder: Path) -> Bundle:
    """The bundle with other steps in it than its manifest says."""
    shutil.copytree(honest.path, folder)
    wrong = dataclasses.replace(staging, stages=variant.stages)
    # All before the model on the host: between other steps lie other tensors.
    plan.write(plan.plan(wrong, lambda _: True), honest.manifest.signature, folder)
    roles = {name: file.role for name, file in honest.manifest.files.items()}
    return bundles.seal(folder, honest.manifest, roles)


def test_the_declared_steps_pass_from_bytes(honest: pipeline.Outcome) -> None:
    assert honest.verdict is Verdict.PASS
    rows = {row.golden: row for row in honest.report.rows}
    assert {name: row.verdict for name, row in rows.items()} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.PASS,
    }
    asked = {parity.call.partition("/")[0] for parity in rows[BYTES].parity}
    assert any(call.startswith("turned") for call in asked), "EXIF is among what is asked"


def test_every_usual_mistake_is_found_and_named(
    honest: pipeline.Outcome, project: Path, workspace: Workspace, tmp_path: Path
) -> None:
    staging = declared(project, workspace)
    missed, unnamed = [], []
    for variant in variants(staging.stages):
        wrong = spoilt(honest.bundle, staging, variant, tmp_path / variant.name)
        judged = pipeline.verify_folder(wrong.path, workspace)
        if judged.verdict is not Verdict.FAIL:
            missed.append(variant.name)
            continue
        failed = {row.golden for row in judged.report.rows if row.verdict is Verdict.FAIL}
        found = explain(wrong.path, report=judged.report, workspace=workspace)
        if (found.stage, failed) != (Where.STEPS, {BYTES}) or variant.name not in found.steps:
            unnamed.append((variant.name, found.said))
    assert not missed
    assert not unnamed


def test_an_artifact_that_refuses_is_explained_by_what_would_fail_as_well(
    honest: pipeline.Outcome, project: Path, workspace: Workspace, tmp_path: Path
) -> None:
    staging = declared(project, workspace)
    crop = next(stage for stage in staging.stages if stage.op == "crop")
    uncropped = tuple(stage for stage in staging.stages if stage is not crop)
    wrong = spoilt(honest.bundle, staging, Variant("", "image", "", uncropped), tmp_path / "wide")
    judged = pipeline.verify_folder(wrong.path, workspace)
    assert {row.golden: row.verdict for row in judged.report.rows}[BYTES] is Verdict.FAIL
    found = explain(wrong.path, report=judged.report, workspace=workspace)
    assert (found.stage, found.steps) == (Where.STEPS, ())
    assert any(untold.startswith("why it said ") for untold in found.untold)


def test_what_no_usual_mistake_explains_is_said_to_be_unknown(
    honest: pipeline.Outcome, project: Path, workspace: Workspace, tmp_path: Path
) -> None:
    staging = declared(project, workspace)
    scale = next(stage for stage in staging.stages if stage.op == "scale")
    odd = dataclasses.replace(scale, options={**scale.options, "by": 0.00317})
    stages = tuple(odd if stage is scale else stage for stage in staging.stages)
    wrong = spoilt(honest.bundle, staging, Variant("odd", "image", "", stages), tmp_path / "odd")
    found = explain(wrong.path, workspace=workspace)
    assert found.stage is Where.STEPS
    assert found.steps == ()
    assert "none of the usual mistakes" in found.said


def declared(project: Path, workspace: Workspace) -> Staging:
    """The steps as a build compiles them."""
    settings = api.settings_of(project)
    model = api.load(settings)
    staged = composing.compose(model, api.steps_of(settings), registry.load("around"), workspace)
    assert staged
    return staged.staging
