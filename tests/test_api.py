"""The documented Python API, on a model and a target that take a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deploy_targets
from deploy_targets import api, config, registry
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


def recorded(outcome: deploy_targets.Outcome, workspace: Workspace, factor: float = 1) -> Path:
    """What the bundle answers, as a device would have written it."""
    said = deploy_targets.answers(outcome.bundle.path, workspace=workspace)
    file = workspace.root / "actual.safetensors"
    tensors: dict[str, Array] = {
        f"{call}/{name}": array * np.float32(factor)
        for call, outputs in said.items()
        for name, array in outputs.items()
    }
    metadata = {"lane": "cpu", "runtime": "a runtime 1.0", "device": "a device"}
    bundles.write_tensors(file, tensors, manifest=bundles.digest(outcome.bundle), **metadata)
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
    outcome: deploy_targets.Outcome, workspace: Workspace
) -> None:
    path, file = outcome.bundle.path, recorded(outcome, workspace)
    judged = deploy_targets.verify(path, actual=file, workspace=workspace)
    assert judged.verdict == "pass"
    assert judged.report.rows[0].where == "a runtime 1.0 on a device (recorded)"
    wrong = recorded(outcome, workspace, factor=1.001)
    judged = deploy_targets.verify(path, actual=wrong, workspace=workspace)
    assert judged.verdict == "fail"


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


def test_a_precision_that_the_target_has_not_is_refused_with_those_it_has(tmp_path: Path) -> None:
    settings = config.validate({"source": "m.py:m", "precision": "fp16"}, tmp_path)
    with pytest.raises(ConfigError, match="precision = 'fp16': lambda has fp32"):
        api.build(settings, target="lambda")
    with pytest.raises(ConfigError, match="precision = 'fp8': tflite has fp16, fp32"):
        api.recipe_for(registry.load("tflite"), "fp8")
    assert api.recipe_for(registry.load("tflite"), "fp16").weights == "float16"
