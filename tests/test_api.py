"""The documented Python API, on a model and a target that take a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deploy_targets
from deploy_targets import bundle as bundles
from deploy_targets.errors import ConfigError, UnknownTarget
from deploy_targets.records import Array
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with an ONNX model and a deploy.toml of one line."""
    zoo.convnet(tmp_path / "convnet.onnx")
    (tmp_path / "deploy.toml").write_text('source = "convnet.onnx"\n')
    return tmp_path


@pytest.fixture
def outcome(project: Path, workspace: Workspace) -> deploy_targets.Outcome:
    """The model, built for the target of docs/first-target.md."""
    return deploy_targets.build(project, target="here", workspace=workspace)


def recorded(outcome: deploy_targets.Outcome, file: Path, **said: str) -> Path:
    """The expected answers as a device would have written them; `said` replaces metadata."""
    tensors: dict[str, Array] = {
        f"{check.call.name}/{name}": array
        for check in bundles.read_golden(outcome.bundle)
        for name, array in check.expected.items()
    }
    if factor := said.pop("factor", ""):
        tensors = {key: array * np.float32(factor) for key, array in tensors.items()}
    metadata = {
        "manifest": bundles.digest(outcome.bundle),
        "lane": "cpu",
        "runtime": "a runtime 1.0",
        "device": "a device",
    }
    given = {key: value for key, value in (metadata | said).items() if value}
    bundles.write_tensors(file, tensors, **given)
    return file


def test_a_folder_is_built_beside_its_deploy_toml(
    project: Path, outcome: deploy_targets.Outcome
) -> None:
    assert outcome.verdict == "pass"
    assert outcome.bundle.path == project / "build" / "convnet-here"


def test_the_original_can_be_loaded_and_asked(project: Path) -> None:
    model = deploy_targets.load(project)
    answers = model.run({"image": np.zeros((2, 3, 8, 8), np.float32)})
    assert {name: array.shape for name, array in answers.items()} == {
        "logits": (2, 5),
        "features": (2, 8, 8, 8),
    }


def test_a_bundle_can_be_asked_for_some_of_its_answers(
    outcome: deploy_targets.Outcome, workspace: Workspace
) -> None:
    checks = {check.call.name: check for check in bundles.read_golden(outcome.bundle)}
    first = sorted(checks)[0]
    said = deploy_targets.answers(outcome.bundle.path, calls=[first], workspace=workspace)
    assert set(said) == {first}
    np.testing.assert_allclose(
        said[first]["logits"], checks[first].expected["logits"], rtol=1e-4, atol=1e-4
    )
    assert set(deploy_targets.answers(outcome.bundle.path, workspace=workspace)) == set(checks)


def test_answers_written_elsewhere_are_judged(
    outcome: deploy_targets.Outcome, workspace: Workspace, tmp_path: Path
) -> None:
    file = recorded(outcome, tmp_path / "actual.safetensors")
    judged = deploy_targets.verify(outcome.bundle.path, actual=file, workspace=workspace)
    assert judged.verdict == "pass"
    assert judged.report.rows[0].where == "a runtime 1.0 on a device (recorded)"
    wrong = recorded(outcome, tmp_path / "wrong.safetensors", factor="1.001")
    judged = deploy_targets.verify(outcome.bundle.path, actual=wrong, workspace=workspace)
    assert judged.verdict == "fail"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"manifest": "0" * 64}, "was not written for this bundle"),
        ({"manifest": ""}, "was not written for this bundle"),
        ({"lane": ""}, "does not say its lane"),
        ({"device": ""}, "does not say its device"),
        ({"lane": "gpu"}, "lane 'gpu'"),
    ],
)
def test_a_recording_of_something_else_is_refused_and_changes_nothing(
    outcome: deploy_targets.Outcome,
    workspace: Workspace,
    tmp_path: Path,
    said: dict[str, str],
    message: str,
) -> None:
    before = (outcome.bundle.path / bundles.PARITY).read_bytes()
    file = recorded(outcome, tmp_path / "actual.safetensors", **said)
    with pytest.raises(ConfigError, match=message):
        deploy_targets.verify(outcome.bundle.path, actual=file, workspace=workspace)
    assert (outcome.bundle.path / bundles.PARITY).read_bytes() == before


def test_a_recording_that_is_no_tensor_file_or_absent_is_refused(
    outcome: deploy_targets.Outcome, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "junk").write_text("junk")
    for name in ("junk", "absent"):
        with pytest.raises(ConfigError, match=name):
            deploy_targets.verify(outcome.bundle.path, actual=tmp_path / name, workspace=workspace)


def test_a_lane_that_the_bundle_does_not_have_is_refused(
    outcome: deploy_targets.Outcome, workspace: Workspace
) -> None:
    with pytest.raises(ConfigError, match="has no lane 'cup'") as error:
        deploy_targets.verify(outcome.bundle.path, lanes=["cup"], workspace=workspace)
    assert "'cpu'" in error.value.hint


def test_an_unknown_target_is_refused_before_the_model_is_loaded(project: Path) -> None:
    with pytest.raises(UnknownTarget):
        deploy_targets.build(project, target="nowhere")
    assert not (project / "build").exists()


def test_a_folder_without_a_deploy_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"holds no deploy\.toml") as error:
        deploy_targets.load(tmp_path)
    assert "deploy-target init" in error.value.hint
