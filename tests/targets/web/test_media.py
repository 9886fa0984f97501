"""An eye, an ear and a scikit-learn pipeline from raw bytes, in a real Chromium.

The eye is a detector and a segmenter in one. Each passes from tensors and from bytes; each planted
mistake fails from bytes alone and is named.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from deploy_targets import api, pipeline
from deploy_targets import bundle as bundles
from deploy_targets.errors import ParityFailed, UnsupportedModel
from deploy_targets.explaining.explain import explain
from deploy_targets.parity.finding import Stage as Where
from deploy_targets.pipeline import Outcome
from deploy_targets.records import BYTES, TENSORS, Bundle
from deploy_targets.stages import plan, tables
from deploy_targets.stages.variants import variants
from deploy_targets.targets.web import about
from deploy_targets.testing import media_zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

LANE = "wasm-1t"


class Homes:
    """A folder for each project, and what was built of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._built: dict[str, Outcome] = {}

    def project(self, name: str) -> Path:
        return self._root / name

    def built(self, name: str) -> Outcome:
        if name not in self._built:
            media_zoo.write(self.project(name), name)
            options = {"precompress": False}
            self._built[name] = api.build(
                self.project(name), target="web", options=options, reuse=False
            )
        return self._built[name]


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Homes:
    return Homes(tmp_path_factory.mktemp("media"))


@pytest.mark.parametrize("name", media_zoo.TABLES)
def test_it_passes_from_tensors_and_from_bytes_at_one_and_two_threads(
    homes: Homes, name: str
) -> None:
    rows = homes.built(name).report.rows
    assert {(row.lane, row.golden) for row in rows} == {
        (lane, golden) for lane in ("wasm-1t", "wasm-2t") for golden in (BYTES, TENSORS)
    }
    assert {row.verdict for row in rows} == {Verdict.PASS}, [row.reason for row in rows]
    for row in rows:
        assert len({parity.call for parity in row.parity}) > 5


MISTAKES = {
    "detections-format-cxcywh": ("eye", "format is 'cxcywh' instead of 'xyxy'"),
    "no-unframe": ("eye", "not brought back to the photo's"),
    "log_mel-scale-htk": ("ear", "scale is 'htk' instead of 'slaney'"),
    "columns-age-fare": ("passengers", "columns 'age' and 'fare' are exchanged"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_steps_fails_from_bytes_alone_and_is_named(
    homes: Homes, tmp_path: Path, mistake: str
) -> None:
    name, said = MISTAKES[mistake]
    wrong = planted(homes.project(name), homes.built(name).bundle, mistake, tmp_path / "out")
    judged = pipeline.verify_folder(wrong.path, Workspace(), lanes=[LANE])
    assert {row.golden: row.verdict for row in judged.report.rows if row.lane == LANE} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.FAIL,
    }
    found = explain(wrong.path, report=judged.report)
    assert found.stage is Where.STEPS
    assert mistake in found.steps, found.said
    assert said in found.said


def planted(project: Path, honest: Bundle, mistake: str, folder: Path) -> Bundle:
    """The bundle with steps in its model.json that nobody declared, sealed anew."""
    steps = api.steps_of(api.settings_of(project))
    signature = honest.manifest.signature
    staging = tables.staging(signature, steps.before, steps.after, steps.base, "web")
    (variant,) = [one for one in variants(staging.stages) if one.name == mistake]
    planned = plan.plan(dataclasses.replace(staging, stages=variant.stages), lambda _: True)
    made = folder.with_name(f"{folder.name}-files")
    made.mkdir()
    said = plan.write(planned, signature, made)
    shutil.copytree(honest.path, folder)
    described = json.loads((folder / about.NAME).read_text())
    described["steps"] = about.steps(said, planned.staging)
    (folder / about.NAME).write_text(json.dumps(described))
    roles = {name: file.role for name, file in honest.manifest.files.items()}
    return bundles.seal(folder, honest.manifest, roles)


STEP = """
[[inputs.features.preprocess.own]]
python = "steps.py:older"
{web}
"""
PYTHON = "def older(value):\n    value[:, 0] += 1\n    return value\n"
JAVASCRIPT = """
export function older({ dtype, shape, data }) {
  for (let row = 0; row < shape[0]; row += 1) data[row * shape[1]] += %s;
  return { dtype, shape, data };
}
"""


def passengers(folder: Path, web: str, added: float = 1) -> Path:
    """The pipeline with a step of one's own, in Python and in JavaScript."""
    media_zoo.write(folder, "passengers")
    with (folder / "deploy.toml").open("a") as table:
        table.write(STEP.format(web=web))
    (folder / "steps.py").write_text(PYTHON)
    (folder / "steps.mjs").write_text(JAVASCRIPT % added)
    return folder


def test_a_step_of_ones_own_runs_in_the_browser(tmp_path: Path) -> None:
    project = passengers(tmp_path / "own", 'web = "steps.mjs:older"')
    outcome = api.build(project, target="web", options={"precompress": False})
    assert outcome.verdict is Verdict.PASS, [row.reason for row in outcome.report.rows]


def test_a_step_of_ones_own_that_does_something_else_is_refused(tmp_path: Path) -> None:
    project = passengers(tmp_path / "own", 'web = "steps.mjs:older"', added=20)
    with pytest.raises(ParityFailed, match="no artifact answers as model does"):
        api.build(project, target="web", options={"precompress": False})


def test_a_step_of_ones_own_without_a_counterpart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="older"):
        api.build(passengers(tmp_path / "own", ""), target="web")
