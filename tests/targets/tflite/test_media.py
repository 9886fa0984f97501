"""An eye from raw bytes: the bundle's own Kotlin on a JVM, around the .tflite in LiteRT.

It is a detector and a segmenter in one. It passes from tensors and from bytes; a planted mistake in
the steps that ship, or in the Kotlin that runs them, fails from bytes alone.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy_targets import api, pipeline
from deploy_targets import bundle as bundles
from deploy_targets.errors import UnsupportedModel
from deploy_targets.explaining.explain import explain
from deploy_targets.parity.finding import Stage as Where
from deploy_targets.phones.project import STEPS
from deploy_targets.pipeline import Outcome
from deploy_targets.records import BYTES, TENSORS, Bundle
from deploy_targets.stages import plan, tables
from deploy_targets.stages.variants import variants
from deploy_targets.testing import media_zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

LANE = "litert-1t"
OPTIONS = {"arm": "none", "old_runtime": False}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eye") / "eye"
    media_zoo.write(folder, "eye")
    return folder


@pytest.fixture(scope="module")
def eye(project: Path) -> Outcome:
    return api.build(project, target="tflite", options=OPTIONS, reuse=False)


def judged(bundle: Bundle, workspace: Workspace) -> Mapping[str, Verdict]:
    report = pipeline.verify_folder(bundle.path, workspace, lanes=[LANE]).report
    return {row.golden: row.verdict for row in report.rows if row.lane == LANE}


def sealed(honest: Bundle, folder: Path) -> Bundle:
    roles = {name: file.role for name, file in honest.manifest.files.items()}
    return bundles.seal(folder, honest.manifest, roles)


def test_it_passes_from_tensors_and_from_bytes_on_one_and_two_threads(eye: Outcome) -> None:
    rows = {(r.lane, r.golden): r for r in eye.report.rows if r.lane.startswith("litert")}
    assert {row.verdict for row in rows.values()} == {Verdict.PASS}
    assert set(rows) == {
        (lane, line) for lane in ("litert-1t", "litert-2t") for line in (BYTES, TENSORS)
    }
    for row in rows.values():
        assert len({parity.call for parity in row.parity}) > 5
    # What a desktop's JVM does not decode is counted, and never taken for passed.
    assert "not run: 1 of 8 cases, javax.imageio makes no colours of CMYK" in (
        rows[LANE, BYTES].notes
    )
    assert "do not travel" not in " ".join(eye.bundle.manifest.notes)


def test_a_mistake_in_the_steps_fails_from_bytes_alone_and_is_named(
    project: Path, eye: Outcome, tmp_path: Path
) -> None:
    steps = api.steps_of(api.settings_of(project))
    signature = eye.bundle.manifest.signature
    staging = tables.staging(signature, steps.before, steps.after, steps.base, "tflite")
    (wrong,) = [v for v in variants(staging.stages) if v.name == "detections-format-cxcywh"]
    planned = plan.plan(dataclasses.replace(staging, stages=wrong.stages), lambda _: True)
    folder = tmp_path / "bundle"
    shutil.copytree(eye.bundle.path, folder)
    made = tmp_path / "made"
    made.mkdir()
    plan.write(planned, signature, made)
    shutil.copyfile(made / plan.FILE, folder / STEPS)
    bundle = sealed(eye.bundle, folder)
    judgement = pipeline.verify_folder(bundle.path, Workspace(), lanes=[LANE])
    assert judged(bundle, Workspace()) == {TENSORS: Verdict.PASS, BYTES: Verdict.FAIL}
    found = explain(bundle.path, report=judgement.report)
    assert found.stage is Where.STEPS
    assert "detections-format-cxcywh" in found.steps, found.said


def test_it_is_the_kotlin_in_the_bundle_that_is_asked(eye: Outcome, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(eye.bundle.path, folder)
    code = folder / "android/core/src/main/kotlin/dev/deploytarget/core/steps/Image.kt"
    right = code.read_text()
    wrong = right.replace("* by - mean[c])", "* by - mean[c] + 0.01f)")
    assert wrong != right, "the line that this test spoils is gone"
    code.write_text(wrong)
    bundle = sealed(eye.bundle, folder)
    assert judged(bundle, Workspace()) == {TENSORS: Verdict.PASS, BYTES: Verdict.FAIL}


OWN = """
[[inputs.image.preprocess.own]]
python = "own.py:same"
"""


def test_a_step_of_ones_own_is_refused(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "eye"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("build"))
    with (folder / "deploy.toml").open("a") as table:
        table.write(OWN)
    (folder / "own.py").write_text("def same(value):\n    return value\n")
    with pytest.raises(UnsupportedModel, match="own"):
        api.build(folder, target="tflite", options=OPTIONS)
