"""A whole build with TF.js, in Chromium."""

from __future__ import annotations

import json
from pathlib import Path

from deploy_targets import pipeline, registry
from deploy_targets.pipeline import Job
from deploy_targets.targets.web import tfjs
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace


def test_a_bundle_with_three_inputs_passes_in_the_browser(tmp_path: Path) -> None:
    target = registry.load("web", {"runtime": "tfjs", "precompress": False})
    job = Job(zoo.SPECS["three_inputs"], target, tmp_path / "bundle")
    outcome = pipeline.build(job, Workspace(), reuse=False)
    [row] = outcome.report.rows
    assert (row.lane, row.verdict) == ("wasm-1t", Verdict.PASS)
    assert "tfjs 4.22.0" in row.where
    assert max(parity.relative_l2 for parity in row.parity) < 1e-6
    about = json.loads((outcome.bundle.path / "model.json").read_text())
    assert set(about["files"]) == {*tfjs.FILES, "model", "worker"}
    assert "token is int64 in the model and int32 in TF.js" in outcome.bundle.manifest.notes
