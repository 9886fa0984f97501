"""Answers come back as they were recorded, and are asked for once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import pipeline, registry
from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.parity import kept
from deploy_targets.pipeline import Job
from deploy_targets.records import Case, Golden, OutputNoise, Signature, TensorSpec
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

SIGNATURE = Signature(
    inputs=(TensorSpec("b", "float32", (2,)), TensorSpec("a", "int64", ())),
    outputs=(TensorSpec("y/z", "float16", (2, 1)),),
)


def golden() -> Golden:
    case = Case(
        "photo 1",
        "a sample",
        {"b": np.array([1.5, np.nan], "float32"), "a": np.array(7)},
        {"y/z": np.array([[1], [-0.0]], "float16")},
        noise={"y/z": np.array([[0.1], [np.inf]], "float32")},
    )
    noise = {"y/z": OutputNoise(float("nan"), 0.1 + 0.2)}
    return Golden(
        "tensors", SIGNATURE, (case, replace(case, name="2")), noise, ("threads",), ("x",)
    )


def test_answers_come_back_to_the_last_bit(workspace: Workspace) -> None:
    (back,) = kept.kept(workspace, "key", lambda: [golden()])
    want = golden()
    assert (back.name, back.signature) == (want.name, want.signature)
    assert (back.noise_sources, back.doubts) == (want.noise_sources, want.doubts)
    assert repr(back.noise) == repr(want.noise)
    for one, other in zip(back.cases, want.cases, strict=True):
        assert (one.name, one.why, one.synthetic) == (other.name, other.why, other.synthetic)
        for side in kept.SIDES:
            found, wanted = getattr(one, side), getattr(other, side)
            assert list(found) == list(wanted), "the order of the names is kept"
            for name, array in wanted.items():
                assert found[name].dtype == array.dtype
                assert found[name].shape == array.shape
                assert found[name].tobytes() == array.tobytes()


def test_what_could_not_be_recorded_leaves_nothing(workspace: Workspace) -> None:
    def record() -> list[Golden]:
        raise UnsupportedModel("random", hint="seed it")

    with pytest.raises(UnsupportedModel):
        kept.kept(workspace, "key", record)
    assert workspace.find(kept.KIND, "key") is None


@pytest.mark.usefixtures("first_target")
def test_a_second_target_asks_the_original_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = zoo.write(tmp_path / "project")
    job = Job(spec, registry.load("here"), tmp_path / "out")
    recorded: list[Job] = []
    record = pipeline.record

    def counted(model: object, job: Job, staged: object = None) -> tuple[Golden, ...]:
        recorded.append(job)
        return record(model, job, staged)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "record", counted)
    pipeline.build(job, workspace)
    other = pipeline.build(replace(job, out=tmp_path / "other", budget=0.5), workspace)
    assert not other.cached
    assert len(recorded) == 1
    pipeline.build(replace(job, out=tmp_path / "again"), workspace, reuse=False)
    assert len(recorded) == 2, "the user asked for nothing to be reused"


@pytest.mark.usefixtures("first_target")
def test_samples_that_are_not_there_are_not_taken_for_none(
    workspace: Workspace, tmp_path: Path
) -> None:
    spec = zoo.write(tmp_path / "project")
    job = Job(spec, registry.load("here"), tmp_path / "out")
    pipeline.build(job, workspace)
    with pytest.raises(ConfigError, match="does not exist"):
        pipeline.build(replace(job, samples=tmp_path / "absent"), workspace)
