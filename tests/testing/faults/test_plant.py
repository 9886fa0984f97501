"""One door: a fault of any place in a real bundle, seen by the runtime or by the seal."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import pytest

from deploy_targets import bundle as bundles
from deploy_targets import pipeline, registry
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.verify import answers
from deploy_targets.pipeline import Job
from deploy_targets.records import Bundle
from deploy_targets.runtime import Runner
from deploy_targets.testing import zoo
from deploy_targets.testing.faults import FAULTS, Fault, Place, in_bundle, plant
from deploy_targets.workspace import Workspace
from tests.testing.faults.distance import distance


@pytest.fixture(scope="module")
def job(first_target: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    home = tmp_path_factory.mktemp("plant")
    spec = SourceSpec(source=str(zoo.convnet(home / "convnet.onnx")), base=home)
    return Job(spec, registry.load("here"), home / "bundle")


@pytest.fixture(scope="module")
def bundle(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return pipeline.build(job, Workspace(tmp_path_factory.mktemp("workspace"))).bundle


@pytest.fixture(scope="module")
def runner(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    with job.target.runner(Workspace(tmp_path_factory.mktemp("workspace"))) as runner:
        return runner


def differs(bundle: Bundle, runner: Runner) -> bool:
    """Whether any golden call is answered otherwise than the original answers it."""
    said = [(check.expected, answer.outputs) for check, answer in answers(bundle, runner, "cpu")]
    assert said
    return any(distance(want, got) > 1e-5 for want, got in said)


def test_the_honest_bundle_answers_as_the_original(bundle: Bundle, runner: Runner) -> None:
    assert not differs(bundle, runner)


@pytest.mark.parametrize(
    "name",
    [
        "one_weight_changed",
        "channels_shuffled",
        "bgr_for_rgb",
        "normalization_dropped",
        "batch_reversed",
        "output_missing",
        "dtype_changed",
        "answer_of_the_call_before",
        "threads_race",
    ],
)
def test_a_planted_fault_opens_and_answers_otherwise(
    name: str, bundle: Bundle, runner: Runner, tmp_path: Path
) -> None:
    planted = plant(FAULTS[name], bundle, runner, tmp_path / "wrong")
    assert planted
    assert differs(bundles.open_bundle(planted.folder), planted.runner)
    assert not differs(bundle, runner)


@pytest.mark.parametrize(
    "fault",
    [fault for fault in FAULTS.values() if fault.place is Place.FILE],
    ids=lambda fault: fault.name,
)
def test_a_bundle_with_a_wrong_file_does_not_open(
    fault: Fault, bundle: Bundle, runner: Runner, tmp_path: Path
) -> None:
    planted = plant(fault, bundle, runner, tmp_path / "wrong", fault.strengths[-1])
    assert planted
    with pytest.raises(BundleCorrupt, match=r"model\.onnx"):
        bundles.open_bundle(planted.folder)


@pytest.mark.parametrize("name", ["gates_reordered", "mask_inverted", "integer_one_off"])
def test_nothing_is_planted_where_there_is_no_place(
    name: str, bundle: Bundle, runner: Runner, tmp_path: Path
) -> None:
    assert plant(FAULTS[name], bundle, runner, tmp_path / "wrong") is None
    assert not (tmp_path / "wrong").exists()


def test_a_graph_inside_a_zip_is_found_and_the_rest_of_the_zip_stays(
    bundle: Bundle, tmp_path: Path
) -> None:
    folder = tmp_path / "zipped"
    folder.mkdir()
    honest = (bundle.path / "model.onnx").read_bytes()
    with zipfile.ZipFile(folder / "function.zip", "w") as archive:
        archive.writestr("app.py", "print()\n")
        archive.writestr("inner/model.onnx", honest)
    manifest = dataclasses.replace(bundle.manifest, signatures={})
    zipped = bundles.seal(folder, manifest, {"function.zip": "model"})
    wrong = in_bundle(zipped, FAULTS["one_weight_changed"], tmp_path / "wrong", 1.0)
    assert wrong
    assert bundles.open_bundle(tmp_path / "wrong").manifest == wrong.manifest
    with zipfile.ZipFile(tmp_path / "wrong" / "function.zip") as archive:
        assert archive.namelist() == ["app.py", "inner/model.onnx"]
        assert archive.read("app.py") == b"print()\n"
        assert archive.read("inner/model.onnx") != honest


def test_a_bundle_without_a_graph_in_onnx_says_what_to_do(bundle: Bundle, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "model.tflite").write_bytes(b"TFL3")
    other = bundles.seal(folder, bundle.manifest, {"model.tflite": "model"})
    with pytest.raises(ConfigError, match="holds no graph in ONNX") as refused:
        in_bundle(other, FAULTS["weights_stale"], tmp_path / "wrong", 1.0)
    assert "in_graph" in refused.value.hint
