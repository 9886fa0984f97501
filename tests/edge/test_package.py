"""The package in a bundle: its judge, its files, its commands, as one has them at the board."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file, save_file

from deploy_targets import bundle as bundles
from deploy_targets.parity import judge, rows
from deploy_targets.parity.rows import measured
from deploy_targets.pipeline import Outcome
from deploy_targets.records import Answer
from deploy_targets.verdicts import Verdict
from tests.edge.conftest import NAME, Part

Ran = subprocess.CompletedProcess[str]


def edge(bundle: Path, *asked: object, home: Path) -> Ran:
    """A command, as it is typed in the bundle's folder."""
    command = [sys.executable, "-m", NAME, *map(str, asked)]
    environment = {**os.environ, "DEPLOY_TARGET_ENGINES": str(home)}
    ran = subprocess.run(
        command, cwd=bundle, env=environment, capture_output=True, text=True, check=False
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return ran


def test_the_bundle_passes_in_the_boards_onnx_runtime(built: Outcome) -> None:
    assert built.verdict is Verdict.PASS
    lanes = {row.lane: row for row in built.report.rows}
    assert "ONNX Runtime 1.23.2, CPU" in lanes["onnxruntime"].where
    for way in ("tensorrt-fp16", "tensorrt-fp32", "ort-tensorrt", "ort-cuda", "cpu"):
        assert lanes[way].verdict is Verdict.NOT_RUN, "nobody has asked a board"


def test_safetensors_are_those_of_the_package(part: Part, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = part("tensors").DTYPES.values()
    held = {f"of {code}": rng.normal(size=(2, 3)).astype(code) * 3 for code in codes}
    held = {name: array.astype(code) for (name, array), code in zip(held.items(), codes, strict=1)}
    held |= {"none": np.zeros((0, 4), np.float32), "scalar": np.array(2.5)}
    save_file(held, tmp_path / "theirs", metadata={"who": "them"})
    found, said = part("tensors").read(str(tmp_path / "theirs"))
    assert said == {"who": "them"}
    part("tensors").write(str(tmp_path / "ours"), found, said)
    back = load_file(tmp_path / "ours")
    assert set(back) == set(held)
    for name, array in held.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize("body", [b"", b"12", b"\xff" * 16, b"\x02\0\0\0\0\0\0\0[]", b"\x40" * 90])
def test_what_is_no_safetensors_file_is_said(part: Part, tmp_path: Path, body: bytes) -> None:
    (tmp_path / "broken").write_bytes(body)
    with pytest.raises(part("errors").Damaged, match="is no safetensors file"):
        part("tensors").read(str(tmp_path / "broken"))


def astray(want: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Answers that are right, nearly right, and wrong in each of the ways that there are."""
    size = 10.0 ** rng.uniform(-9, 0)
    found = {
        name: (array * (1 + size * rng.normal(size=array.shape))).astype(array.dtype)
        for name, array in want.items()
    }
    match rng.integers(8):
        case 0:
            found["logits"] = found["logits"].astype(np.float64)
        case 1:
            found["logits"] = found["logits"].T.copy()
        case 2:
            del found["features"]
        case 3:
            found["more"] = found["logits"]
        case 4:
            found["features"].flat[0] = np.nan
    return found


def test_the_judge_on_the_board_is_the_judge_of_the_build(part: Part, built: Outcome) -> None:
    manifest, rng = built.bundle.manifest, np.random.default_rng(1)
    folder = part("folder").Folder(str(built.bundle.path))
    cases = {case.call: case for case in folder.cases()}
    (entry,), verdicts = manifest.entries, []
    for check in [*bundles.read_golden(built.bundle)] * 15:
        found = astray(dict(check.expected), rng)
        for recipe in ("fp32", "fp16"):
            allowed = manifest.bounds[recipe][check.golden]
            signature = manifest.signatures[check.golden]
            ours = measured(check, Answer(found), entry, signature, allowed)
            theirs = part("judging").judged(cases[check.call.name], found, folder.manifest, recipe)
            reasons = {row.output: row.reason for row in theirs}
            assert reasons == {
                (name := row.output.removeprefix("(extra) ")): judge.reason(
                    row, allowed.get(name, rows.EXACT)
                )
                for row in ours
            }
            verdicts.append(any(reasons.values()))
    assert 0.2 < np.mean(verdicts) < 0.9, "most answers are alike, so this compares little"


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "copy"))


@pytest.mark.parametrize("name", ["model.onnx", "golden.safetensors", "deploy_target_edge/ort.py"])
def test_a_changed_byte_is_found(part: Part, copy: Path, name: str) -> None:
    folder = part("folder").Folder(str(copy))
    folder.check()
    body = bytearray((copy / name).read_bytes())
    body[len(body) // 2] ^= 1
    (copy / name).write_bytes(bytes(body))
    with pytest.raises(part("errors").Damaged, match=f"{name} is not what was sealed"):
        folder.check()


def test_a_missing_file_ends_the_command_readably(copy: Path, tmp_path: Path) -> None:
    (copy / "requirements.txt").unlink()
    ran = edge(copy, "verify", home=tmp_path)
    assert ran.returncode == 4
    assert "requirements.txt is missing" in ran.stderr
    assert "copy the bundle's folder again" in ran.stderr


def test_info_says_of_each_way_whether_it_is_there(bundle: Path, tmp_path: Path) -> None:
    ran = edge(bundle, "info", home=tmp_path)
    assert ran.returncode == 0
    assert "convnet: " in ran.stdout
    assert "was compiled without CUDAExecutionProvider" in ran.stdout
    assert f"cpu            ONNX Runtime {onnxruntime.__version__}, CPU" in ran.stdout


def test_what_a_board_recorded_is_judged_by_verify(
    bundle: Path, copy: Path, tmp_path: Path, cli: Any
) -> None:
    out = tmp_path / "answers.safetensors"
    ran = edge(copy, "verify", "--way", "cpu", "--out", out, home=tmp_path)
    assert ran.returncode == 0
    assert "answers as the original does" in ran.stdout
    judged = cli("verify", copy, "--actual", out)
    assert judged.returncode == 0, judged.stderr
    assert "cpu" in judged.stdout
    # The commands left nothing in the folder: it is still what was sealed.
    assert bundles.open_bundle(copy).path == copy


def test_bench_gives_percentiles_of_what_is_proven(bundle: Path, tmp_path: Path) -> None:
    ran = edge(bundle, "bench", "--rounds", 5, "--json", home=tmp_path)
    (row,) = json.loads(ran.stdout)["rows"]
    assert row["way"] == "cpu"
    assert 0 < row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"]
    assert "ort-cuda: ONNX Runtime" in ran.stderr


def test_infer_answers_from_a_file(bundle: Path, tmp_path: Path) -> None:
    image = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    save_file({"image": image}, tmp_path / "in")
    ran = edge(bundle, "infer", tmp_path / "in", "--out", tmp_path / "out", home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    session = onnxruntime.InferenceSession(
        bundle / "model.onnx", providers=["CPUExecutionProvider"]
    )
    want = session.run(["logits"], {"image": image})[0]
    np.testing.assert_allclose(load_file(tmp_path / "out")["logits"], want, rtol=1e-5)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"photo": np.zeros(3, np.float32)}, "image is nothing, expected float32"),
        ({"image": np.zeros((1, 3, 8, 8))}, "image is float64, expected float32"),
        ({"image": np.zeros((3, 8), np.float32)}, "ONNX Runtime could not run the model"),
    ],
)
def test_wrong_tensors_are_refused_by_name(
    bundle: Path, tmp_path: Path, held: dict[str, Any], said: str
) -> None:
    save_file(held, tmp_path / "in")
    ran = edge(bundle, "infer", tmp_path / "in", "--out", tmp_path / "out", home=tmp_path)
    assert ran.returncode == 1
    assert said in ran.stderr
    assert not (tmp_path / "out").exists()


def test_an_engine_cannot_be_built_where_there_is_no_tensorrt(bundle: Path, tmp_path: Path) -> None:
    ran = edge(bundle, "build-engine", "--precision", "fp16", home=tmp_path)
    assert ran.returncode == 5
    assert "tensorrt cannot be imported" in ran.stderr


def test_a_provider_that_is_listed_and_runs_nothing_is_found_out(part: Part, bundle: Path) -> None:
    """PyPI's ONNX Runtime lists Azure's, which takes no node of any ordinary model."""
    assert "AzureExecutionProvider" in onnxruntime.get_available_providers()
    example = {"image": np.zeros((1, 3, 8, 8), np.float32)}
    ort = part("ort")
    with pytest.raises(part("errors").Unusable, match="takes no node of the model"):
        ort.opened(str(bundle / "model.onnx"), "AzureExecutionProvider", example)
    with pytest.raises(part("errors").Unusable, match="compiled without CUDAExecutionProvider"):
        ort.opened(str(bundle / "model.onnx"), "CUDAExecutionProvider", example)
    assert ort.opened(str(bundle / "model.onnx"), ort.CPU, example).shares == {ort.CPU: 1.0}


def test_a_truncated_model_is_refused_in_onnx_runtimes_words(
    part: Part, bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "m.onnx").write_bytes((bundle / "model.onnx").read_bytes()[:100])
    with pytest.raises(part("errors").Unusable, match="cannot load the model"):
        part("ort").opened(str(tmp_path / "m.onnx"), part("ort").CPU, {})
