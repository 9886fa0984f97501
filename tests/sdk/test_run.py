"""`deploy_target_run` asks a bundle its own questions, on this machine and on an emulated ARM."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from deploy_targets import bundle as bundles
from deploy_targets.parity.recorded import recording
from deploy_targets.parity.verify import verify
from deploy_targets.records import Bundle
from deploy_targets.verdicts import Verdict

from . import written
from .conftest import Programs

RUN = "deploy_target_run"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return written.bundle(tmp_path_factory.mktemp("bundles") / "right")


def test_a_right_bundle_passes_from_tensors_and_from_bytes(here: Programs, bundle: Bundle) -> None:
    ran = here.run(RUN, bundle.path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[-1] == "PASS: 7 questions, 0 answers beyond their bounds"
    assert sum(line.startswith("ok ") for line in lines) == 3 * 2 + 4 * 3
    assert any(line.startswith("ok    photo-jpeg/0  logits.indices") for line in lines)


def test_a_bundle_that_answers_otherwise_fails_and_says_where(
    here: Programs, tmp_path: Path
) -> None:
    wrong = written.bundle(tmp_path / "wrong", moved=0.01)
    ran = here.run(RUN, wrong.path, "--quiet")
    assert ran.returncode == 1
    failed = [line for line in ran.stdout.splitlines() if line.startswith("FAIL  ")]
    assert any("batch1/0  logits  relative L2" in line and "allowed" in line for line in failed)
    assert "ok " not in ran.stdout


def test_a_recording_is_judged_where_the_bundle_was_built(
    here: Programs, bundle: Bundle, tmp_path: Path
) -> None:
    actual = tmp_path / "actual.safetensors"
    ran = here.run(RUN, bundle.path, "--out", actual, "--lane", "device", "--device", "a board")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    with safe_open(actual, "numpy") as file:
        said = file.metadata()
    assert said["manifest"] == bundles.digest(bundle)
    assert (said["lane"], said["device"]) == ("device", "a board")
    found = verify(bundle, recording(actual, bundle), ["device"])
    verdicts = {row.golden: row.verdict for row in found}
    assert verdicts == {"tensors": Verdict.PASS, "bytes": Verdict.PASS}


def test_it_says_which_provider_really_ran_and_why_others_did_not(
    here: Programs, bundle: Bundle
) -> None:
    wanted = ("TensorrtExecutionProvider", "NoSuchExecutionProvider")
    ran = here.run(RUN, bundle.path, *(word for name in wanted for word in ("--provider", name)))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "CPUExecutionProvider ran " in ran.stdout
    for name in wanted:
        assert f"not taken: {name}: " in ran.stdout


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("cut", "golden.safetensors"),
        ("no model", "model.onnx"),
        ("another schema", "its schema is 2, and this code reads 3"),
        ("no questions", "holds no questions"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(
    here: Programs, tmp_path: Path, damage: str, says: str
) -> None:
    folder = written.bundle(tmp_path / "bundle", raw=False).path
    golden, manifest = folder / bundles.GOLDEN, folder / bundles.MANIFEST
    if damage == "cut":
        golden.write_bytes(golden.read_bytes()[:-1])
    if damage == "no model":
        (folder / "model.onnx").unlink()
    if damage == "another schema":
        manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "schema": 2}))
    if damage == "no questions":
        bundles.write_tensors(golden, {})
    ran = here.run(RUN, folder)
    assert ran.returncode == 2
    assert says in ran.stderr or (damage == "cut" and "copy the bundle again whole" in ran.stderr)
    assert "terminate called" not in ran.stderr


def test_a_mistyped_option_or_lane_is_named(here: Programs, bundle: Bundle) -> None:
    assert "there is no option --lanes" in here.run(RUN, bundle.path, "--lanes").stderr
    named = here.run(RUN, bundle.path, "--lane", "gpu")
    assert named.returncode == 2
    assert 'no lane is named "gpu"; this bundle has "cpu", "device"' in named.stderr


def test_an_emulated_arm_answers_as_this_machine_does(
    arm: Programs, here: Programs, bundle: Bundle, tmp_path: Path
) -> None:
    answers = []
    for name, programs in (("arm", arm), ("here", here)):
        ran = programs.run(RUN, bundle.path, "--out", tmp_path / name, "--threads", 1)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        answers.append(bundles.read_tensors(tmp_path / name))
    with safe_open(tmp_path / "arm", "numpy") as file:
        assert file.metadata()["device"].endswith("aarch64")
    theirs, ours = answers
    assert set(theirs) == set(ours)
    for key, array in ours.items():
        np.testing.assert_allclose(theirs[key], array, rtol=1e-4, atol=1e-5, err_msg=key)
