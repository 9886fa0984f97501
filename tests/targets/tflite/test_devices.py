"""What a phone answered is judged as any runtime is, and stays in the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets import pipeline
from deploy_targets.parity.recorded import recording
from deploy_targets.parity.verify import answers
from deploy_targets.phones.runner import started
from deploy_targets.pipeline import Outcome
from deploy_targets.records import Array, Bundle
from deploy_targets.targets.tflite.places import WORLD
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from .written import bundle

ON_A_PHONE = {"runtime": "LiteRT 1.4.0, XNNPACK", "device": "a phone"}


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle(tmp_path_factory.mktemp("received") / "bundle")


@pytest.fixture(scope="module")
def answered(received: Bundle) -> dict[str, Array]:
    """CALL/OUTPUT -> array, as the file really answers."""
    with started(WORLD, Workspace()) as runner:
        return {
            f"{check.call.name}/{name}": array
            for check, answer in answers(received, runner, "litert-1t")
            for name, array in answer.outputs.items()
        }


def verified(received: Bundle, lane: str, tensors: dict[str, Array], file: Path) -> Outcome:
    digest = bundles.digest(received)
    bundles.write_tensors(file, tensors, manifest=digest, lane=lane, **ON_A_PHONE)
    replayed = recording(file, received)
    return pipeline.verify_folder(received.path, Workspace(), [lane], replayed)


@pytest.mark.parametrize("lane", ["android", "ios"])
def test_right_answers_of_a_phone_pass_and_are_not_erased_here(
    received: Bundle, answered: dict[str, Array], tmp_path: Path, lane: str
) -> None:
    outcome = verified(received, lane, answered, tmp_path / "actual.safetensors")
    assert outcome.verdict is Verdict.PASS
    later = pipeline.verify_folder(received.path, Workspace(), [lane])
    assert later.verdict is Verdict.NOT_RUN
    (row,) = [row for row in later.report.rows if row.lane == lane]
    assert row.verdict is Verdict.PASS
    assert row.where == "LiteRT 1.4.0, XNNPACK on a phone (recorded)"
    assert bundles.read_report(received) == later.report


def test_wrong_answers_of_a_phone_fail(
    received: Bundle, answered: dict[str, Array], tmp_path: Path
) -> None:
    wrong = {name: array.copy() for name, array in answered.items()}
    wrong["case1/0/y"] += np.float32(0.01)
    outcome = verified(received, "android", wrong, tmp_path / "actual.safetensors")
    assert outcome.verdict is Verdict.FAIL
    (row,) = [row for row in outcome.report.rows if row.lane == "android"]
    assert row.reason.startswith("y of case1/0: relative L2")


def test_a_failure_on_a_phone_does_not_refuse_the_bundle(
    received: Bundle, answered: dict[str, Array], tmp_path: Path
) -> None:
    missing = {name: array for name, array in answered.items() if name != "case1/0/off"}
    verified(received, "android", missing, tmp_path / "actual.safetensors")
    here = pipeline.verify_folder(received.path, Workspace(), ["litert-1t", "litert-2t"])
    assert here.verdict is Verdict.PASS
    failed = {row.lane for row in here.report.rows if row.verdict is Verdict.FAIL}
    assert failed == {"android"}
