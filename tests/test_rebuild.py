"""What decides a bundle is in its key, each part by itself."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import frontends, pipeline, rebuild, registry
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.expected import Tolerance
from deploy_targets.pipeline import Job
from deploy_targets.records import Recipe
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """An ONNX file with samples, for the target of docs/first-target.md."""
    (tmp_path / "samples").mkdir()
    np.savez(tmp_path / "samples" / "a.npz", image=np.ones((1, 3, 8, 8), np.float32))
    spec = SourceSpec(str(zoo.convnet(tmp_path / "convnet.onnx")), tmp_path)
    return Job(spec, registry.load("here"), tmp_path / "out", tmp_path / "samples")


@pytest.mark.parametrize(
    "change",
    [
        lambda job: dataclasses.replace(job, spec=dataclasses.replace(job.spec, name="other")),
        lambda job: dataclasses.replace(job, spec=dataclasses.replace(job.spec, batch="B")),
        lambda job: dataclasses.replace(job, budget=1e-3),
        lambda job: dataclasses.replace(job, expects={"logits": Tolerance(absolute=1e-3)}),
        lambda job: dataclasses.replace(job, recipe=Recipe("fp16")),
        lambda job: dataclasses.replace(job, samples=None),
        lambda job: dataclasses.replace(job, target=registry.load("here", {"threads": 2})),
        lambda job: dataclasses.replace(job, target=registry.load("lambda")),
    ],
)
def test_another_job_has_another_stamp(job: Job, change: Callable[[Job], Job]) -> None:
    assert rebuild.stamp(change(job)) != rebuild.stamp(job)


def test_where_the_bundle_goes_is_no_part_of_it(job: Job) -> None:
    assert rebuild.stamp(dataclasses.replace(job, out=Path("elsewhere"))) == rebuild.stamp(job)


@pytest.mark.parametrize(("owner", "name"), [(frontends, "environment"), (rebuild, "program")])
def test_another_package_or_another_version_of_this_program_has_another_stamp(
    job: Job, owner: object, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rebuild.stamp(job)
    monkeypatch.setattr(owner, name, lambda: "changed")
    assert rebuild.stamp(job) != before


def test_a_changed_line_of_somebodys_target_has_another_stamp(job: Job) -> None:
    before = rebuild.stamp(job)
    file = Path(str(sys.modules["first_target"].__file__))
    text = file.read_text()
    try:
        file.write_text(text + "# changed\n")
        assert rebuild.stamp(job) != before
    finally:
        file.write_text(text)


def test_a_sample_that_changed_while_it_was_built_leaves_nothing_in_the_cache(
    job: Job, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert job.samples is not None
    sample, record = job.samples / "a.npz", pipeline.record
    before = sample.read_bytes()

    def meddled(*given: object) -> object:
        np.savez(sample, image=np.zeros((1, 3, 8, 8), np.float32))
        return record(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "record", meddled)
    assert pipeline.build(job, workspace).verdict == "pass"
    monkeypatch.undo()
    # As it was when the build began: what was built is of other samples all the same.
    sample.write_bytes(before)
    assert not pipeline.build(job, workspace).cached
    assert pipeline.build(job, workspace).cached
